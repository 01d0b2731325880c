/**
 * The walk through a relay's events, newest first: what to ask next, and what the answers prove.
 *
 * A page that came newest first holds everything of the seconds above its oldest one, whatever cap cut it off there.
 * The next page begins in that oldest second again, so that what shares it is not lost, and so that each answer has to
 * show an event that is known to be there: one that does not proves nothing. Pure: no I/O, no clock.
 *
 * @module
 */
import { OPEN_END, type Window } from "../../models/window.ts";
import type { Support } from "../protocol/evidence.ts";
import { ask, type Asking, type NoPage, type Walk } from "./ask.ts";
import {
  below,
  boundaryIds,
  breakOff,
  type Cursor,
  DONE,
  type Done,
  goBelow,
  isGivenAway,
  refute,
  unseenOf,
} from "./cursor.ts";
import { confirmEnd, endEarly } from "./ending.ts";
import { isBroad } from "./kinds.ts";
import { inKinds, narrowed } from "./kinds_only.ts";
import { checkOrder } from "./order_check.ts";
import {
  hintOf,
  isNewestFirst,
  newestOf,
  oldestOf,
  type Page,
} from "./page.ts";
import { recover } from "./recover.ts";
import { walkSecond } from "./second.ts";
import { skipBroken } from "./skip.ts";
import { CLOCK_SLACK, walkInParts } from "./split.ts";

/** Walks what remains down to its floor. Returns why it broke off, or null when it was walked to the end. */
export function* walkWindow(walk: Walk): Asking<NoPage | null> {
  const { remaining, profile } = walk;
  if (profile.broadFilters === "refused" && isBroad(walk.filter)) {
    return yield* walkWindow(inKinds(walk));
  }
  if (profile.order === "unsorted") return yield* walkInParts(walk);
  let next: Cursor | Done = firstCursor(walk);
  while ("until" in next) {
    if (isGivenAway(walk, next)) return null;
    remaining.until = next.until;
    remaining.doing = "paging";
    next = yield* step(walk, next);
  }
  return next.brokenBy;
}

/** Where the first page begins: at events known to lie above, as a bound alone is not believed. */
function firstCursor({ remaining, now }: Walk): Cursor {
  const { until, ceiling, isJoined = false } = remaining;
  if (until === OPEN_END) return { until: now + CLOCK_SLACK, above: [] };
  const nearest = ceiling.reduce(
    (lowest, { createdAt }) => Math.min(lowest, createdAt),
    OPEN_END,
  );
  return nearest === OPEN_END
    ? { until, above: [], isJoined }
    : { until: Math.max(until, nearest), above: ceiling };
}

/** The cursor at the newest event of a page, which is where a joined range begins. */
function atTop(cursor: Cursor, { events }: Page): Cursor {
  const until = newestOf(events);
  const above = events.filter(({ createdAt }) => createdAt === until);
  return until < 0 || until > cursor.until ? cursor : { until, above };
}

function* step(walk: Walk, cursor: Cursor): Asking<Cursor | Done> {
  const rest = { since: walk.remaining.reach, until: cursor.until };
  const answer = yield* ask(walk, { window: rest });
  if (answer.ok) {
    const page = answer.value;
    if (cursor.isUnsure) return yield* digestUnsure(walk, cursor, page);
    const from = cursor.isJoined ? atTop(cursor, page) : cursor;
    return yield* digest(walk, from, page);
  }
  const narrower = narrowed(walk, answer.failure);
  return narrower === null
    ? yield* goAround(walk, cursor, answer.failure)
    : { brokenBy: yield* walkWindow(narrower) };
}

/** Claims nothing above the newest event of a page that may begin too low. */
function* digestUnsure(
  walk: Walk,
  cursor: Cursor,
  page: Page,
): Asking<Cursor | Done> {
  const { since } = walk.remaining;
  const from = atTop(cursor, page);
  const bottom = from.above.length > 0 ? from.until + 1 : since;
  if (bottom <= cursor.until) {
    walk.findings.gap({ since: bottom, until: cursor.until }, "unconfirmed");
  }
  return from.above.length > 0 ? yield* digest(walk, from, page) : DONE;
}

/** Goes on below the place where the relay fails, if it can be found. */
function* goAround(
  walk: Walk,
  cursor: Cursor,
  failure: NoPage,
): Asking<Cursor | Done> {
  const landing = yield* skipBroken(walk, cursor, failure);
  return "page" in landing
    ? yield* digest(walk, landing.cursor, landing.page)
    : landing;
}

function* digest(
  walk: Walk,
  cursor: Cursor,
  page: Page,
): Asking<Cursor | Done> {
  const { profile, settledBefore, remaining: { reach } } = walk;
  const rest = { since: reach, until: cursor.until };
  if (!isNewestFirst(page, settledBefore)) {
    return yield* inParts(walk, rest, page);
  }
  if (!showsKnown(page, cursor)) {
    const recovered = yield* recover(walk, cursor, page);
    if (recovered === null) {
      return isGivenAway(walk, cursor)
        ? DONE
        : breakOff(walk, rest, "unconfirmed");
    }
    return yield* descend(walk, recovered.cursor, recovered.page);
  }
  if (profile.order === "unknown" && oldestOf(page.events) < cursor.until) {
    const found = yield* checkOrder(walk, rest, page);
    switch (found.type) {
      case "unsorted":
        return yield* inParts(walk, rest, page);
      case "no-answer":
        return breakOff(walk, rest, found.failure);
      case "top-missing": {
        const { above } = found;
        const recovered = yield* recover(walk, { ...cursor, above }, page);
        if (recovered === null) return yield* inParts(walk, rest, page);
        return yield* descend(walk, recovered.cursor, recovered.page);
      }
      case "newest-first":
    }
  }
  return yield* descend(walk, cursor, page);
}

/**
 * Whether an answer shows what is known to lie at the cursor. A page that is full of the cursor's own second may have
 * had no room for it.
 */
function showsKnown(page: Page, { until, above }: Cursor): boolean {
  const known = above.filter(({ createdAt }) => createdAt <= until);
  if (known.length === 0) return true;
  const came = new Set(page.events.map(({ id }) => id));
  return known.some(({ id }) => came.has(id)) ||
    page.events.length > known.length &&
      oldestOf(page.events) === until && newestOf(page.events) === until;
}

/** Records what the page proves, and finds where the next one begins. */
function* descend(
  walk: Walk,
  cursor: Cursor,
  page: Page,
): Asking<Cursor | Done> {
  const { findings, profile, remaining: { since } } = walk;
  const top = cursor.until;
  const oldest = bottomOf(page);
  learnCut(walk, cursor, page);
  refute(walk, cursor, unseenOf(walk, page.events, cursor));
  if (isPastFloor(walk, page)) {
    if (since <= top) findings.prove({ since, until: top }, "paging", by(page));
    return DONE;
  }
  if (page.newer * 2 > page.size && oldest >= top) {
    findings.gap({ since, until: top }, "bounds-ignored");
    return DONE;
  }
  if (oldest === OPEN_END) {
    if (since > top) return DONE;
    if (page.size === 0 || profile.isShort(page) || page.older > 0) {
      return yield* confirmEnd(walk, cursor);
    }
    // A page full of what is no event, or was not asked for, hides whatever is below it.
    findings.gap({ since, until: top }, "hidden");
    return DONE;
  }
  if (oldest < since && oldest < top) {
    // Down to the floor, or the older part was given away while the page was on its way.
    if (since <= top) findings.prove({ since, until: top }, "paging", by(page));
    return DONE;
  }
  if (oldest === top) return yield* stay(walk, cursor, page);
  profile.hasPaged ||= oldest < walk.settledBefore;
  findings.prove({ since: oldest + 1, until: top }, "paging", by(page));
  const next = below(page, oldest);
  // A page that is full of one second may have been cut off there, whatever the relay says.
  const isOneSecond = newestOf(page.events) === oldest;
  if (hintOf(page) === "finish" && !isOneSecond) {
    return yield* endEarly(walk, next, "finish");
  }
  return hintOf(page) === null && profile.mayBeLast(page)
    ? yield* endEarly(walk, next)
    : next;
}

/** The oldest second a page shows: also one of which it is known that its event could not be read. */
function bottomOf({ events, unread }: Page): number {
  const seconds = unread.filter(({ since, until }) => since === until);
  return Math.min(oldestOf(events), ...seconds.map(({ since }) => since));
}

/** What a page is evidence by: it came in order, and shows events that had to come. */
function by({ events }: Page): Support {
  return { questions: 1, witness: events[0]?.id ?? null, counts: null };
}

/** What came below the page before shows that the relay had cut that one off. */
function learnCut({ profile }: Walk, cursor: Cursor, page: Page): void {
  if (cursor.cutSize === undefined) return;
  const known = boundaryIds(cursor);
  if (page.events.some(({ id }) => !known.has(id))) {
    profile.learnCut(cursor.cutSize);
  }
}

/**
 * Whether a page that came in order goes down to an event at the floor, or past it. Relays that pin an event show it
 * below full pages, too.
 */
function isPastFloor({ remaining, profile }: Walk, page: Page): boolean {
  const { floor } = remaining;
  const isFilled = page.older > page.events.length || profile.isShort(page);
  if (page.older > 0 && page.events.length > 0 && isFilled) return true;
  if (floor.length === 0) return false;
  const came = new Set(page.events.map(({ id }) => id));
  return floor.some(({ id }) => came.has(id));
}

/** The whole page lies in the second it began with: this is the end, or that second holds more than a page. */
function* stay(walk: Walk, cursor: Cursor, page: Page): Asking<Cursor | Done> {
  const { profile, policy, remaining } = walk;
  const { until } = cursor;
  if (isGivenAway(walk, cursor)) return DONE;
  const known = [
    ...new Map(
      [...cursor.above, ...page.events]
        .filter(({ createdAt }) => createdAt === until)
        .map((one) => [one.id, one]),
    ).values(),
  ];
  const isFinished = hintOf(page) === "finish";
  const here = { until, above: known, isFinished };
  if (policy.isReduced && page.size >= page.limit) {
    // Asked for more of it, the relay fails.
    if (cursor.isRaised) {
      walk.findings.gap({ since: until, until }, "saturated");
      return yield* goAround(walk, here, policy.lastFailure ?? "over-budget");
    }
    policy.raiseLimit();
    return { ...here, isRaised: true };
  }
  if (!profile.isShort(page)) yield* probeCap(walk);
  if (profile.isShort(page)) return yield* confirmEnd(walk, here);
  remaining.doing = "splitting-second";
  const failure = yield* walkSecond(walk, until, page);
  return failure === null
    ? goBelow(walk, until)
    : yield* goAround(walk, here, failure);
}

/** Finds out how much the relay gives at once, by asking for as much as there is. */
function* probeCap(walk: Walk): Asking<void> {
  const { profile } = walk;
  if (profile.probed) return;
  profile.probed = true;
  if (profile.broadFilters === "refused") return;
  const window = { since: 0, until: OPEN_END };
  yield* ask(walk, { window, filter: {}, purpose: "evidence" });
}

function* inParts(walk: Walk, rest: Window, page: Page): Asking<Done> {
  const { profile, findings } = walk;
  if (profile.order === "newest-first" || profile.hasPaged) {
    // What was paged so far rested on an order that it does not keep.
    findings.contradict({
      since: rest.since,
      until: rest.until,
      kind: "hidden",
      question: "page",
      eventIds: [],
    });
  }
  profile.judgeOrder("unsorted", true);
  walk.remaining.until = rest.until;
  return { brokenBy: yield* walkInParts(walk, page.accepted) };
}
