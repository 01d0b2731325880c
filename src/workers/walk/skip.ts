/**
 * Stepping over a place where a relay fails again and again: an event it cannot read, a message that breaks the
 * connection. The place becomes a gap, as narrow as a few questions can make it, and the walk goes on below.
 *
 * @module
 */
import { ask, type Asking, type NoPage, type Walk } from "./ask.ts";
import { breakOff, type Done, type Edge } from "./ending.ts";
import type { Page } from "./page.ts";

/** Where the walk goes on, with the page that was had there. */
export interface Landing {
  readonly edge: Edge;
  readonly page: Page;
}

/** How far below the edge something is asked for, one after the other: seconds, from one to a month. */
const LEAPS = [1, 60, 3_600, 86_400, 30 * 86_400];

/** Questions that making the gap narrower may cost. */
const MAX_NARROWING = 8;

/** Places that one session steps over; a relay that fails more often is left for another day. */
const MAX_STEPS = 8;

/** Finds the first place below the edge where the relay answers again. */
export function* stepOver(
  walk: Walk,
  edge: Edge,
  failure: NoPage,
): Asking<Landing | Done> {
  const { pace, stretch: { since } } = walk;
  const rest = { since, until: edge.until };
  if (!mayBeLocal(failure) || !pace.hasSucceeded) {
    return breakOff(walk, rest, failure);
  }
  if (pace.stepsOver++ >= MAX_STEPS) return breakOff(walk, rest, failure);
  let bad = edge.until;
  let landing: Landing | null = null;
  for (const leap of LEAPS) {
    const until = edge.until - leap;
    if (until < since || landing !== null) break;
    const answer = yield* probe(walk, until);
    if (answer === "elsewhere") return breakOff(walk, rest, failure);
    if (answer === null) bad = until;
    else landing = answer;
  }
  if (landing === null) return breakOff(walk, rest, failure);
  for (let n = 0; n < MAX_NARROWING; n++) {
    const good: number = landing.edge.until;
    if (bad - good <= 1) break;
    const middle = good + ((bad - good) >> 1);
    const answer = yield* probe(walk, middle);
    if (answer === "elsewhere") break;
    if (answer === null) bad = middle;
    else landing = answer;
  }
  const top = { since: landing.edge.until + 1, until: edge.until };
  if (failure !== "aborted") walk.ledger.gap(top, failure);
  return landing;
}

/** The page there; null when the relay fails there, too. */
function* probe(
  walk: Walk,
  until: number,
): Asking<Landing | null | "elsewhere"> {
  const window = { since: walk.stretch.since, until };
  const answer = yield* ask(walk, { window, isProbe: true });
  if (answer.ok) {
    return { edge: { until, ties: new Set() }, page: answer.value };
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
    case "aborted":
      return false;
  }
}
