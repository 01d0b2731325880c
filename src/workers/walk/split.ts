/**
 * The walk through a relay that does not keep the order of NIP-01: the window is cut in two until no part comes near
 * to filling a page.
 *
 * @module
 */
import { OPEN_END, type Window } from "../../models/window.ts";
import { ask, type Asking, type NoPage, type Walk } from "./ask.ts";
import type { GapReason } from "../protocol/report.ts";
import { isFinished, type Page, type PageEvent } from "./page.ts";
import { narrowed } from "./kinds_only.ts";
import { walkSecond } from "./second.ts";
import { mayBeLocal } from "./skip.ts";

/** Walks the stretch newest part first. Returns what broke it off. */
export function* walkInParts(walk: Walk): Asking<NoPage | null> {
  const { ledger, stretch } = walk;
  const parts: Part[] = [{ ...stretch, known: [] }];
  for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
    stretch.until = part.until;
    const answer = yield* ask(walk, { window: part, ...askOnce(part) });
    if (!answer.ok) {
      const narrower = narrowed(walk, answer.failure);
      if (narrower !== null) return yield* walkInParts(narrower);
      if (goesAround(walk, answer.failure)) {
        if (part.since < part.until) parts.push(...suspects(part));
        else leave(walk, [part], answer.failure);
        continue;
      }
      leave(walk, [part, ...parts], answer.failure);
      return answer.failure;
    }
    const page = answer.value;
    if (page.newer + page.older > page.events.length) {
      leave(walk, [part, ...parts], "bounds-ignored");
      return null;
    }
    if (isFinished(page)) ledger.prove(windowOf(part), "finish");
    else if (page.size === 0 || walk.pace.isFarFromFull(page)) {
      settle(walk, part, page);
    } else if (part.since < part.until) parts.push(...cut(part, page));
    else if (walk.pace.isShort(page)) settle(walk, part, page);
    else {
      const failure = yield* walkSecond(walk, part.since, page);
      if (failure === null) continue;
      leave(walk, [part], failure);
      if (goesAround(walk, failure)) continue;
      leave(walk, parts, failure);
      return failure;
    }
  }
  return null;
}

/** Failures that one session goes around by cutting smaller. */
const MAX_CUTS = 48;

function goesAround({ pace }: Walk, failure: NoPage): boolean {
  return mayBeLocal(failure) && pace.hasSucceeded &&
    pace.stepsOver++ < MAX_CUTS;
}

/** The halves of a part at which the relay failed. */
function suspects(part: Part): Part[] {
  return cut(part, null).map((half) => ({ ...half, isSuspect: true }));
}

function askOnce({ isSuspect }: Part): { isProbe?: boolean } {
  return isSuspect ? { isProbe: true } : {};
}

/** A part of the window, with the events that were seen in it when more was asked for. */
interface Part extends Window {
  readonly known: readonly PageEvent[];
  /** A larger one failed. */
  readonly isSuspect?: boolean;
}

function leave(
  { ledger }: Walk,
  parts: readonly Part[],
  reason: GapReason | "aborted",
): void {
  if (reason === "aborted") return;
  for (const part of parts) ledger.gap(windowOf(part), reason);
}

/** A page far from full holds all there is, unless it lacks what the relay has shown before. */
function settle({ ledger }: Walk, part: Part, page: Page): void {
  const ids = new Set(page.events.map(({ id }) => id));
  const isWhole = part.known.every(({ id }) => ids.has(id));
  if (isWhole) ledger.prove(windowOf(part), "split");
  else ledger.gap(windowOf(part), "boundary");
}

/** Cuts where half of what came lies on either side: the older half, and the newer one, which is walked first. */
function cut(part: Part, page: Page | null): [Part, Part] {
  const events = [...page?.events ?? [], ...part.known];
  const times = events.map(({ createdAt }) => createdAt).sort((a, b) => a - b);
  const last = part.until === OPEN_END ? part.since + 2 ** 33 : part.until;
  const halfway = part.since + Math.floor((last - part.since) / 2);
  const median = times[(times.length - 1) >> 1] ?? halfway;
  const middle = Math.min(Math.max(median, part.since), part.until - 1);
  return [
    {
      since: part.since,
      until: middle,
      known: events.filter(({ createdAt }) => createdAt <= middle),
    },
    {
      since: middle + 1,
      until: part.until,
      known: events.filter(({ createdAt }) => createdAt > middle),
    },
  ];
}

function windowOf({ since, until }: Part): Window {
  return { since, until };
}
