/**
 * The walk through a relay's events, newest first: what to ask next, and what the answers prove.
 *
 * A page that came newest first holds everything of the seconds above its oldest one, whatever cap cut it off there.
 * The next page begins in that oldest second again, so that what shares it is not lost. Pure: no I/O, no clock.
 *
 * @module
 */
import { OPEN_END, type Window } from "../../models/window.ts";
import { ask, type Asking, type NoPage, type Walk } from "./ask.ts";
import {
  breakOff,
  confirmEnd,
  DONE,
  type Done,
  type Edge,
  endEarly,
  goBelow,
} from "./ending.ts";
import type { RelayOrder } from "../protocol/report.ts";
import {
  bottomOf,
  idsAt,
  isFinished,
  isNewestFirst,
  type Page,
} from "./page.ts";
import { inKinds, isBroad, narrowed } from "./kinds_only.ts";

import { walkSecond } from "./second.ts";
import { walkInParts } from "./split.ts";
import { stepOver } from "./skip.ts";

/** Walks the stretch down to its floor. Returns why it broke off, or null when it was walked to the end. */
export function* walkWindow(walk: Walk): Asking<NoPage | null> {
  const { stretch, pace } = walk;
  if (pace.broadFilters === "refused" && isBroad(walk.filter)) {
    return yield* walkWindow(inKinds(walk));
  }
  if (pace.order === "unsorted") return yield* walkInParts(walk);
  let next: Edge | Done = { until: stretch.until, ties: new Set() };
  while ("until" in next) {
    stretch.until = next.until;
    next = yield* step(walk, next);
  }
  return next.brokenBy;
}

/** Events younger than a page's newest eighth are asked for again, to see whether the relay keeps the order. */
const SPOT_SHARE = 8;

/** A page of fewer events does not settle the question for those that follow. */
const TELLING_EVENTS = 10;

function* step(walk: Walk, edge: Edge): Asking<Edge | Done> {
  const rest = { since: walk.stretch.since, until: edge.until };
  const answer = yield* ask(walk, { window: rest });
  if (answer.ok) return yield* digest(walk, edge, answer.value);
  const narrower = narrowed(walk, answer.failure);
  return narrower === null
    ? yield* goAround(walk, edge, answer.failure)
    : { brokenBy: yield* walkWindow(narrower) };
}

/** Goes on below the place where the relay fails, if it can be found. */
function* goAround(
  walk: Walk,
  edge: Edge,
  failure: NoPage,
): Asking<Edge | Done> {
  const landing = yield* stepOver(walk, edge, failure);
  return "page" in landing
    ? yield* digest(walk, landing.edge, landing.page)
    : landing;
}

function* digest(walk: Walk, edge: Edge, page: Page): Asking<Edge | Done> {
  const { ledger, pace, settledBefore } = walk;
  const rest = { since: walk.stretch.since, until: edge.until };
  if (isFinished(page)) {
    ledger.prove(rest, "finish");
    return DONE;
  }
  if (!isNewestFirst(page, settledBefore)) return yield* inParts(walk, rest);
  if (pace.order === "unknown" && bottomOf(page) < edge.until) {
    const found = yield* spotCheck(walk, rest, page);
    if (found === "unsorted") return yield* inParts(walk, rest);
    if (!isOrder(found)) return breakOff(walk, rest, found);
  }
  return yield* descend(walk, edge, page);
}

/** Records what the page proves, and finds where the next one begins. */
function* descend(walk: Walk, edge: Edge, page: Page): Asking<Edge | Done> {
  const { ledger, pace, stretch: { since } } = walk;
  const { events } = page;
  const oldest = bottomOf(page);
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
  if (oldest < since && oldest < top) {
    // The older part was given away while the page was on its way, or `since` is ignored.
    if (since <= top) ledger.prove({ since, until: top }, "paging");
    return DONE;
  }
  if (oldest === OPEN_END) {
    if (since > top) return DONE;
    const rest = { since, until: top };
    if (page.size === 0 || pace.isShort(page)) {
      return yield* confirmEnd(walk, rest, new Set());
    }
    // A page full of what is no event, or was not asked for, hides whatever is below it.
    ledger.gap(rest, "hidden");
    return DONE;
  }
  if (oldest === edge.until) return yield* stay(walk, edge, page);
  if (oldest < top) ledger.prove({ since: oldest + 1, until: top }, "paging");
  const below = { until: oldest, ties: idsAt(events, oldest) };
  return pace.mayBeLast(page) ? yield* endEarly(walk, below) : below;
}

/** The whole page lies in the second it began with: this is the end, or that second holds more than a page. */
function* stay(walk: Walk, edge: Edge, page: Page): Asking<Edge | Done> {
  const { pace, stretch: { since } } = walk;
  const { until } = edge;
  const ties = idsAt(page.events, until);
  if (pace.isReduced && page.size >= page.limit) {
    // Asked for more of it, the relay fails.
    if (edge.raised) {
      return yield* goAround(walk, edge, pace.lastFailure ?? "over-budget");
    }
    pace.raise();
    return { until, ties, raised: true };
  }
  if (!pace.isShort(page)) yield* probeCap(walk);
  if (pace.isShort(page)) {
    return yield* confirmEnd(walk, { since, until }, ties);
  }
  const failure = yield* walkSecond(walk, until, page);
  return failure === null
    ? goBelow(walk, until)
    : yield* goAround(walk, edge, failure);
}

/** Finds out how much the relay gives at once, by asking for as much as there is. */
function* probeCap(walk: Walk): Asking<void> {
  if (walk.pace.probed) return;
  walk.pace.probed = true;
  if (walk.pace.broadFilters === "refused") return;
  const window = { since: 0, until: OPEN_END };
  const filter = {};
  yield* ask(walk, { window, filter, evidenceOnly: true, isSpecial: true });
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
  const isTelling = events.length >= TELLING_EVENTS;
  const eighth = isTelling
    ? events[Math.floor(events.length / SPOT_SHARE)]!.createdAt
    : 0;
  // The oldest second may be cut off, by whatever order the relay has within a second.
  const since = Math.max(eighth, bottomOf(page) + 1);
  const answer = yield* ask(walk, { window: { since, until } });
  if (!answer.ok) return answer.failure;
  const seen = new Set(events.map(({ id }) => id));
  const hidden = answer.value.events.some(({ id, createdAt }) =>
    createdAt < walk.settledBefore && !seen.has(id)
  );
  // Who ignores `since` has to show at least what he has shown before.
  const again = new Set(answer.value.events.map(({ id }) => id));
  const shown = events.filter(({ createdAt }) => createdAt >= since);
  const isMute = answer.value.older > 0 &&
    (shown.length === 0 || shown.some(({ id }) => !again.has(id)));
  if (isMute) return walk.pace.judgeOrder("unsorted", isTelling);
  return walk.pace.judgeOrder(hidden ? "unsorted" : "newest-first", isTelling);
}

function* inParts(
  walk: Walk,
  rest: Window,
): Asking<Done> {
  walk.pace.order = "unsorted";
  walk.stretch.until = rest.until;
  return { brokenBy: yield* walkInParts(walk) };
}

function isOrder(found: RelayOrder | NoPage): found is RelayOrder {
  return found === "newest-first" || found === "unsorted" ||
    found === "unknown";
}
