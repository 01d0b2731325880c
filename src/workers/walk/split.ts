/**
 * The walk through a relay that does not keep the order of NIP-01: the window is cut in two until no part comes near
 * to filling a page.
 *
 * @module
 */
import type { Window } from "../../models/window.ts";
import { ask, type Asking, type NoPage, type Walk } from "./ask.ts";
import {
  type GapReason,
  isFinished,
  OPEN_END,
  type Page,
  type PageEvent,
} from "./page.ts";
import { walkSecond } from "./second.ts";

/** Walks the window newest part first. Returns what broke it off. */
export function* walkInParts(
  walk: Walk,
  window: Window,
): Asking<NoPage | null> {
  const { ledger } = walk;
  const parts: Part[] = [{ ...window, known: [] }];
  for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
    const answer = yield* ask(walk, { window: part });
    if (!answer.ok) {
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
      if (failure !== null) {
        leave(walk, [part, ...parts], failure);
        return failure;
      }
    }
  }
  return null;
}

/** A part of the window, with the events that were seen in it when more was asked for. */
interface Part extends Window {
  readonly known: readonly PageEvent[];
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
function cut(part: Part, page: Page): [Part, Part] {
  const events = [...page.events, ...part.known];
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
