/**
 * Whether a relay keeps the order of NIP-01: the top of its first page is asked for again, without `until` where all
 * that is to come is wanted. A relay
 * that gives its oldest events, or any, instead of the newest has something there that the page did not show.
 *
 * The same question brings what is dated in the future, and shows whether `until` is understood as it is meant.
 *
 * @module
 */
import { OPEN_END, type Window } from "../../models/window.ts";
import { ask, type Asking, type NoPage, type Walk } from "./ask.ts";
import { newestOf, oldestOf, type Page, type PageEvent } from "./page.ts";

/** Events of a page's newest eighth are asked for again. */
const SHARE = 8;

/** A page of fewer events does not settle the question for those that follow. */
const TELLING_EVENTS = 10;

/** So many looks at few events each tell as much as one at many. */
const MAX_LOOKS = 3;

/** What a look at the order has shown. */
export type OrderCheck =
  | { readonly type: "newest-first" }
  | { readonly type: "unsorted" }
  /** Events above the newest one of the page: the relay takes `until` for something else. */
  | { readonly type: "top-missing"; readonly above: readonly PageEvent[] }
  | { readonly type: "no-answer"; readonly failure: NoPage };

/** Looks at the order by the first page of `rest`. */
export function* checkOrder(
  walk: Walk,
  rest: Window,
  page: Page,
): Asking<OrderCheck> {
  const { profile, settledBefore, remaining } = walk;
  remaining.doing = "checking-order";
  const { events } = page;
  const settled = events.filter(({ createdAt }) => createdAt < settledBefore);
  // Events of one second are in any order, and a relay that gives any of them shows nothing by it.
  const isOrdered = newestOf(settled) > oldestOf(settled);
  if (isOrdered) profile.orderLooks += 1;
  const looks = profile.orderLooks;
  const isTelling = isOrdered && settled.length >= TELLING_EVENTS;
  const since = topOf(settled, isTelling) ?? oldestOf(events) + 1;
  const isOpen = remaining.top === OPEN_END && looks <= 1;
  const last = Math.min(rest.until, settledBefore - 1);
  let answer = yield* ask(walk, {
    window: { since, until: isOpen ? OPEN_END : rest.until },
  });
  // Full of what may still be arriving, or is dated in the future, it says nothing of what lies below.
  if (answer.ok && since <= last && liesAbove(answer.value, last)) {
    answer = yield* ask(walk, { window: { since, until: last } });
  }
  if (!answer.ok) return { type: "no-answer", failure: answer.failure };
  const hidden = answer.value.events.filter(({ id, createdAt }) =>
    createdAt < settledBefore && createdAt <= rest.until &&
    !events.some((one) => one.id === id)
  );
  const isUnsorted = showsNothing(page, answer.value, since) ||
    (yield* isPinned(walk, { rest, page, again: answer.value, since })) ||
    hidden.length > 0 && !(yield* areNews(walk, rest, hidden));
  const newest = newestOf(events);
  const isTopMissing = hidden.length > 0 &&
    hidden.every(({ createdAt }) => createdAt > newest);
  if (isUnsorted && isTopMissing) return { type: "top-missing", above: hidden };
  const type = isUnsorted ? "unsorted" : "newest-first";
  if (isOrdered || isUnsorted) {
    profile.judgeOrder(type, isTelling || looks >= MAX_LOOKS);
  }
  return { type };
}

/** Whether an answer shows only what lies above a second. */
function liesAbove({ events, newer }: Page, second: number): boolean {
  return events.length + newer > 0 && oldestOf(events) > second;
}

/**
 * The second from which on the page is asked for again; null where there is nothing to go by. Its oldest may be cut off,
 * in whatever order a second has.
 */
function topOf(
  events: readonly PageEvent[],
  isTelling: boolean,
): number | null {
  if (events.length === 0) return null;
  const eighth = isTelling
    ? events[Math.floor(events.length / SHARE)]!.createdAt
    : 0;
  return Math.max(eighth, oldestOf(events) + 1);
}

/** Whether a relay ignores `since` and does not even show again what it has shown: there is nothing to go by. */
function showsNothing(page: Page, again: Page, since: number): boolean {
  if (again.older === 0) return false;
  const came = new Set(again.events.map(({ id }) => id));
  const shown = page.events.filter(({ createdAt }) => createdAt >= since);
  return shown.length === 0 || shown.some(({ id }) => !came.has(id));
}

/**
 * Whether the event at the bottom of a page comes with whatever is asked for: it says nothing of what lies above it.
 * Who only ignores `since` shows all that the page has shown; and where that was no more, half a page shows no bottom.
 */
function* isPinned(
  walk: Walk,
  { rest, page, again, since }: {
    readonly rest: Window;
    readonly page: Page;
    readonly again: Page;
    readonly since: number;
  },
): Asking<boolean> {
  const { events } = page;
  const lowest = oldestOf(events);
  if (again.older === 0 || again.lowest !== lowest) return false;
  const below = events.filter(({ createdAt }) => createdAt < since);
  if (again.older * 2 < below.length) return true;
  const limit = events.length >> 1;
  if (limit === 0) return false;
  const answer = yield* ask(walk, { window: rest, limit });
  if (!answer.ok) return false;
  const half = answer.value.events;
  return half.length < events.length && oldestOf(half) === lowest &&
    oldestOf(events.slice(0, half.length)) > lowest;
}

/** Whether events that the page did not show have come to the relay meanwhile: then the same question shows them now. */
function* areNews(
  walk: Walk,
  rest: Window,
  hidden: Page["events"],
): Asking<boolean> {
  const answer = yield* ask(walk, { window: rest });
  if (!answer.ok) return false;
  const { events } = answer.value;
  const came = new Set(events.map(({ id }) => id));
  const bottom = oldestOf(events);
  return hidden.some(({ id }) => came.has(id)) &&
    hidden.every(({ id, createdAt }) => createdAt <= bottom || came.has(id));
}
