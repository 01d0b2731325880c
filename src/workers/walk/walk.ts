/**
 * The walk through a relay's events, newest first: what to ask next, and what the answers prove.
 *
 * A page that came newest first holds everything of the seconds above its oldest one, whatever cap cut it off there.
 * The next page begins in that oldest second again, so that what shares it is not lost. Pure: no I/O, no clock.
 *
 * @module
 */
import type { Window } from "../../models/window.ts";
import { ask, type Asking, type NoPage, type Walk } from "./ask.ts";
import {
  breakOff,
  confirmEnd,
  DONE,
  type Done,
  type Edge,
  goBelow,
} from "./ending.ts";
import {
  idsAt,
  isFinished,
  isNewestFirst,
  oldestOf,
  OPEN_END,
  type Page,
} from "./page.ts";
import type { RelayOrder } from "./pace.ts";
import { walkSecond } from "./second.ts";
import { walkInParts } from "./split.ts";

/** Walks the window down to its floor. Returns why it broke off, or null when it was walked to the end. */
export function* walkWindow(walk: Walk): Asking<NoPage | null> {
  if (walk.pace.order === "unsorted") {
    return yield* walkInParts(walk, walk.window);
  }
  let next: Edge | Done = { until: walk.window.until, ties: new Set() };
  while ("until" in next) next = yield* step(walk, next);
  return next.brokenBy;
}

/** Events younger than a page's newest eighth are asked for again, to see whether the relay keeps the order. */
const SPOT_SHARE = 8;

/** A relay that gave fewer events than this is not suspected of giving the wrong ones. */
const SPOT_MIN_EVENTS = 10;

function* step(walk: Walk, edge: Edge): Asking<Edge | Done> {
  const { ledger, pace, settledBefore } = walk;
  const rest = { since: walk.window.since, until: edge.until };
  const answer = yield* ask(walk, { window: rest });
  if (!answer.ok) return breakOff(walk, rest, answer.failure);
  const page = answer.value;
  if (isFinished(page)) {
    ledger.prove(rest, "finish");
    return DONE;
  }
  if (!isNewestFirst(page, settledBefore)) return yield* inParts(walk, rest);
  if (pace.order === "unknown" && page.events.length >= SPOT_MIN_EVENTS) {
    const found = yield* spotCheck(walk, rest, page);
    if (found === "unsorted") return yield* inParts(walk, rest);
    if (!isOrder(found)) return breakOff(walk, rest, found);
  }
  return yield* descend(walk, edge, page);
}

/** Records what the page proves, and finds where the next one begins. */
function* descend(walk: Walk, edge: Edge, page: Page): Asking<Edge | Done> {
  const { ledger, window: { since } } = walk;
  const { events } = page;
  const oldest = oldestOf(events);
  let top = edge.until;
  if (edge.ties.size > 0 && !events.some(({ id }) => edge.ties.has(id))) {
    ledger.gap({ since: top, until: top }, "boundary");
    top -= 1;
  }
  if (page.older > 0) {
    // It ignores `since` but keeps the order: it has gone past the floor, so nothing is left above.
    if (since <= top) ledger.prove({ since, until: top }, "paging");
    return DONE;
  }
  if (page.newer * 2 > page.size && oldest >= edge.until) {
    ledger.gap({ since, until: edge.until }, "bounds-ignored");
    return DONE;
  }
  if (events.length === 0) {
    return since <= top
      ? yield* confirmEnd(walk, { since, until: top }, new Set())
      : DONE;
  }
  if (oldest === edge.until) return yield* stay(walk, edge, page);
  if (oldest < top) ledger.prove({ since: oldest + 1, until: top }, "paging");
  return { until: oldest, ties: idsAt(events, oldest) };
}

/** The whole page lies in the second it began with: this is the end, or that second holds more than a page. */
function* stay(walk: Walk, edge: Edge, page: Page): Asking<Edge | Done> {
  const { pace, window: { since } } = walk;
  const { until } = edge;
  const ties = idsAt(page.events, until);
  if (pace.isReduced && page.size >= page.limit && !edge.raised) {
    pace.raise();
    return { until, ties, raised: true };
  }
  if (!pace.isShort(page)) yield* probeCap(walk);
  if (pace.isShort(page)) {
    return yield* confirmEnd(walk, { since, until }, ties);
  }
  const failure = yield* walkSecond(walk, until, page);
  if (failure !== null) {
    return breakOff(walk, { since, until }, failure);
  }
  return goBelow(walk, until);
}

/** Finds out how much the relay gives at once, by asking for as much as there is. */
function* probeCap(walk: Walk): Asking<void> {
  if (walk.pace.probed) return;
  walk.pace.probed = true;
  const window = { since: 0, until: OPEN_END };
  yield* ask(walk, { window, filter: {}, evidenceOnly: true });
}

/**
 * Asks for the top of a page again. A relay that gives its oldest events, or any, instead of the newest has
 * something there that the page did not show.
 */
function* spotCheck(
  walk: Walk,
  { until }: Window,
  page: Page,
): Asking<RelayOrder | NoPage> {
  const { events } = page;
  const eighth = events[Math.floor(events.length / SPOT_SHARE)]!.createdAt;
  // The oldest second may be cut off, by whatever order the relay has within a second.
  const since = Math.max(eighth, oldestOf(events) + 1);
  if (since > until) return "unknown";
  const answer = yield* ask(walk, { window: { since, until } });
  if (!answer.ok) return answer.failure;
  const seen = new Set(events.map(({ id }) => id));
  const hidden = answer.value.events.some(({ id, createdAt }) =>
    createdAt < walk.settledBefore && !seen.has(id)
  );
  walk.pace.order = hidden ? "unsorted" : "newest-first";
  return walk.pace.order;
}

function* inParts(
  walk: Walk,
  rest: Window,
): Asking<Done> {
  walk.pace.order = "unsorted";
  return { brokenBy: yield* walkInParts(walk, rest) };
}

function isOrder(found: RelayOrder | NoPage): found is RelayOrder {
  return found === "newest-first" || found === "unsorted" ||
    found === "unknown";
}
