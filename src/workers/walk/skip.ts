/**
 * A place where a relay fails again and again is skipped: an event it cannot read, a message that breaks the
 * connection. The place becomes a gap, as narrow as a few questions can make it, and the walk goes on below.
 *
 * @module
 */
import { ask, type Asking, type NoPage, type Walk } from "./ask.ts";
import { breakOff, type Cursor, type Done } from "./cursor.ts";
import type { Page } from "./page.ts";

/** Where the walk goes on, with the page that was had there. */
export interface ResumePoint {
  readonly cursor: Cursor;
  readonly page: Page;
}

/** How far below the cursor something is asked for, one after the other: seconds, from one to a month. */
const SKIPS = [1, 60, 3_600, 86_400, 30 * 86_400];

/** Questions that making the gap narrower may cost. */
const MAX_NARROWING = 8;

/** Finds the first place below the cursor where the relay answers again. */
export function* skipBroken(
  walk: Walk,
  cursor: Cursor,
  failure: NoPage,
): Asking<ResumePoint | Done> {
  const { policy, remaining } = walk;
  const { since } = remaining;
  const rest = { since, until: cursor.until };
  remaining.doing = "skipping";
  if (!mayBeLocal(failure) || !policy.hasSucceeded || !policy.mayDetour()) {
    return breakOff(walk, rest, failure);
  }
  let bad = cursor.until;
  let landing: ResumePoint | null = null;
  for (const skip of SKIPS) {
    const until = cursor.until - skip;
    if (until < since || landing !== null) break;
    const answer = yield* probe(walk, until);
    if (answer === "elsewhere") return breakOff(walk, rest, failure);
    if (answer === null) bad = until;
    else landing = answer;
  }
  if (landing === null) return breakOff(walk, rest, failure);
  for (let n = 0; n < MAX_NARROWING; n++) {
    const good: number = landing.cursor.until;
    if (bad - good <= 1) break;
    const middle = good + ((bad - good) >> 1);
    const answer = yield* probe(walk, middle);
    if (answer === "elsewhere") break;
    if (answer === null) bad = middle;
    else landing = answer;
  }
  const top = { since: landing.cursor.until + 1, until: cursor.until };
  if (failure !== "aborted") walk.findings.gap(top, failure);
  return landing;
}

/** The page there; null when the relay fails there, too. */
function* probe(
  walk: Walk,
  until: number,
): Asking<ResumePoint | null | "elsewhere"> {
  const window = { since: walk.remaining.reach, until };
  const answer = yield* ask(walk, { window, purpose: "probe" });
  if (answer.ok) {
    return { cursor: { until, above: [] }, page: answer.value };
  }
  return mayBeLocal(answer.failure) ? null : "elsewhere";
}

/** Whether the failure may lie in what was asked for, and not in who asks. */
export function mayBeLocal(failure: NoPage): boolean {
  switch (failure) {
    case "timeout":
    case "disconnected":
    case "refused":
    case "over-budget":
      return true;
    case "rate-limited":
    case "auth-required":
    case "restricted":
    case "unconfirmed":
    case "aborted":
      return false;
  }
}
