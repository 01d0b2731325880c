/**
 * Several walks side by side through one window, so that the relay's distance does not set the pace: an idle request
 * takes the older part of the largest range that is left.
 *
 * Bounds are not believed, so two ranges meet at an event: when the first page of the older range has come, the newer
 * one walks on until it shows the newest event of that page. Until then, and where that page is empty, the newer range
 * walks on to the end by itself.
 *
 * Pure, as the walks are: whoever drives it sends the queries it gives and brings back the pages.
 *
 * @module
 */
import { BEGINNING, type Window } from "../../models/window.ts";
import type { WalkState } from "../protocol/report.ts";
import type { Asking, NoPage, Remaining, Walk } from "./ask.ts";
import { newestOf, type Page, type Query } from "./page.ts";
import { Repeats } from "./repeats.ts";
import { walkWindow } from "./walk.ts";

/** A query to be sent, and the range that asks it. */
export interface Asked {
  readonly query: Query;
  readonly range: Range;
}

/** One walk, and what it shows of how crowded its part of the window is. */
interface Range {
  readonly remaining: Remaining;
  readonly asking: Asking<NoPage | null>;
  /** To be sent, or under way. */
  query: Query;
  /** What of its answer has come already. */
  readonly repeats: Repeats;
  /** The range above, until they have a common event; null when they do, and for the topmost. */
  newer: Range | null;
  isUnderWay: boolean;
  /** Whether other queries were under way together with it. */
  isShared: boolean;
  /** The epoch of the concurrency control in which it was sent. */
  epoch: number;
  /** The newest second it has seen, and the events since. */
  newest: number;
  events: number;
  /** Whether its last page was one of many, as far as can be seen. */
  isInTheMidst: boolean;
  /** Below this second there seems to be nothing: so it is not worth a range of its own. */
  emptyBelow: number;
}

/** A range begins at most so many pages further down: most relays hold nothing of the first years. */
const FAR_PAGES = 64;

/** A range with fewer pages than this is not worth dividing. */
const MIN_PAGES = 4;

export class ParallelRanges {
  readonly #walk: Walk;
  /** Newest first. */
  readonly #ranges: Range[] = [];
  #underWay = 0;
  /** A single page that is shorter than asked for may as well be all there is. */
  #fullPages = 0;
  #brokenBy: NoPage | null = null;

  constructor(walk: Walk) {
    this.#walk = walk;
    this.#open(walk.remaining, { place: 0, repeats: new Repeats() });
  }

  /** Why the walk was broken off; null when it was walked to the end, or is not there yet. */
  get brokenBy(): NoPage | null {
    return this.#brokenBy;
  }

  /** What each range is doing, newest first. */
  get states(): readonly WalkState[] {
    return this.#ranges.map(({ remaining: { doing } }) => doing);
  }

  /** The next query to be sent, or null when it is better to wait. */
  next(): Asked | null {
    const { concurrency } = this.#walk.policy;
    if (this.#underWay >= concurrency.allowed) return null;
    let range = this.#ranges.find(({ isUnderWay }) => !isUnderWay);
    if (range === undefined && this.#divide()) {
      range = this.#ranges.find(({ isUnderWay }) => !isUnderWay);
    }
    if (range === undefined) return null;
    range.isUnderWay = true;
    range.epoch = concurrency.epoch;
    range.isShared = false;
    this.#underWay += 1;
    if (this.#underWay > 1) {
      for (const one of this.#ranges) one.isShared ||= one.isUnderWay;
    }
    return { query: range.query, range };
  }

  /** Takes the page that a query brought. */
  take({ range, query }: Asked, page: Page): void {
    const { concurrency } = this.#walk.policy;
    this.#underWay -= 1;
    if (!this.#ranges.includes(range)) return;
    range.isUnderWay = false;
    const { backpressured } = page;
    const { isShared, epoch } = range;
    if (page.end.type === "failed" && isShared) concurrency.onFailure(epoch);
    else if (page.end.type === "eose") {
      concurrency.onSuccess({ backpressured, epoch });
      this.#judge(range, query, page);
    }
    this.#handOver(range, page);
    if (!this.#join(range, page)) return;
    const step = range.asking.next({ ...page, isShared });
    if (step.done) return this.#finished(range, step.value);
    range.query = step.value;
    range.repeats.advance(page.accepted, reachOf(range));
  }

  /**
   * Joins a new range to the one above it, by an event of its first page; false when it was given up instead, as it
   * has none to join them by.
   */
  #join(range: Range, page: Page): boolean {
    const { newer } = range;
    if (newer === null) return true;
    if (page.end.type !== "eose" && page.end.type !== "cut") return true;
    range.newer = null;
    newer.emptyBelow = Math.max(newer.emptyBelow, range.remaining.until + 1);
    const second = newestOf(page.events);
    const isBelow = second >= range.remaining.since &&
      second < newer.remaining.until;
    if (!isBelow || !this.#ranges.includes(newer)) {
      this.#ranges.splice(this.#ranges.indexOf(range), 1);
      return false;
    }
    const joint = page.events.filter(({ createdAt }) => createdAt === second);
    newer.remaining.since = second + 1;
    newer.remaining.reach = second;
    newer.remaining.floor = joint;
    return true;
  }

  /** What came in one range may come once more in others: a query that was made before they were joined reaches far down. */
  #handOver(from: Range, { accepted }: Page): void {
    const others = this.#ranges.filter((range) => range !== from)
      .map((range) => ({ ...reachOf(range), repeats: range.repeats }));
    for (const event of accepted) {
      const { createdAt: at } = event;
      for (const { since, until, repeats } of others) {
        if (at >= since && at <= until) repeats.add(event);
      }
    }
  }

  #open(
    remaining: Remaining,
    { place, repeats }: { readonly place: number; readonly repeats: Repeats },
  ): Range | null {
    const asking = walkWindow({ ...this.#walk, remaining });
    const step = asking.next();
    if (step.done) return null;
    const range: Range = {
      remaining,
      asking,
      query: step.value,
      repeats,
      newer: null,
      isUnderWay: false,
      isShared: false,
      epoch: 0,
      newest: -Infinity,
      events: 0,
      isInTheMidst: false,
      emptyBelow: 0,
    };
    this.#ranges.splice(place, 0, range);
    return range;
  }

  #finished(range: Range, brokenBy: NoPage | null): void {
    this.#ranges.splice(this.#ranges.indexOf(range), 1);
    // A range that waited to be joined below this one has nothing above it any more.
    for (const one of this.#ranges) {
      if (one.newer === range) one.newer = null;
    }
    if (brokenBy !== null) this.giveUp(brokenBy);
  }

  /** Asks nothing more: what is left is a gap. */
  giveUp(brokenBy: NoPage): void {
    this.#brokenBy ??= brokenBy;
    for (const { remaining } of this.#ranges.splice(0)) {
      const { since, until } = remaining;
      if (brokenBy === "aborted" || since > until) continue;
      this.#walk.findings.gap({ since, until }, brokenBy);
    }
  }

  #judge(range: Range, { filter }: Query, page: Page): void {
    const { profile, settledBefore } = this.#walk;
    for (const { createdAt } of page.events) {
      if (createdAt > range.newest && createdAt <= settledBefore) {
        range.newest = createdAt;
      }
    }
    range.events += page.events.length;
    range.isInTheMidst =
      page.size * 2 > Math.min(profile.largestPage, page.limit) &&
      filter.kinds === this.#walk.filter.kinds;
    if (range.isInTheMidst) this.#fullPages += page.size < page.limit ? 1 : 2;
  }

  /** Gives the older half of the largest range to a range of its own; false when none is worth it. */
  #divide(): boolean {
    const { profile } = this.#walk;
    if (profile.order !== "newest-first" || this.#fullPages < 2) return false;
    const worth = Math.max(1, profile.largestPage) * MIN_PAGES;
    let largest: Range | null = null;
    let most = worth;
    for (const range of this.#ranges) {
      // The one below it is not joined yet, or it is not joined itself.
      const isOpen = range.newer === null &&
        !this.#ranges.some(({ newer }) => newer === range);
      const left = range.isInTheMidst && isOpen ? eventsLeft(range) : 0;
      if (left < most) continue;
      largest = range;
      most = left;
    }
    if (largest === null) return false;
    const { remaining } = largest;
    const { since, floor, reach, top } = remaining;
    const until = Math.floor(Math.max(
      (beginningOf(largest) + remaining.until) / 2,
      remaining.until - secondsOf(largest, worth * FAR_PAGES / MIN_PAGES),
    ));
    const older = this.#open({
      since,
      until,
      floor,
      reach,
      ceiling: [],
      within: remaining.within,
      isJoined: true,
      top,
      doing: "paging",
    }, {
      place: this.#ranges.indexOf(largest) + 1,
      repeats: largest.repeats.within({ since: reach, until }),
    });
    if (older === null) return false;
    older.newer = largest;
    older.emptyBelow = largest.emptyBelow;
    return true;
  }
}

/** Where events of a range may come from, now and later. */
function reachOf({ remaining, query: { window } }: Range): Window {
  return {
    since: Math.min(remaining.reach, window.since),
    until: Math.max(remaining.until, window.until),
  };
}

/** How many events are left if they lie as close as those that have come. */
function eventsLeft(range: Range): number {
  const second = secondsOf(range, 1);
  return second > 0 && second < Infinity
    ? (range.remaining.until - beginningOf(range)) / second
    : 0;
}

/** In how many seconds so many events lie, if they lie as close as those that have come. */
function secondsOf(
  { remaining, newest, events: seen }: Range,
  events: number,
): number {
  return events * (newest - remaining.until) / seen;
}

/** Where events begin, as a rule. */
function beginningOf({ remaining, emptyBelow }: Range): number {
  const { since, until } = remaining;
  return Math.max(
    emptyBelow,
    until > BEGINNING ? Math.max(since, BEGINNING) : since,
  );
}
