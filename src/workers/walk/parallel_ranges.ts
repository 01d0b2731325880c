/**
 * Several walks side by side through one window, so that the relay's distance does not set the pace: an idle lane takes
 * the older part of the largest stretch that is left. Each lane is a walk of its own, and no two share a second.
 *
 * Pure, as the walks are: whoever drives it sends the queries it gives and brings back the pages.
 *
 * @module
 */
import type { Filter } from "../../models/filter.ts";
import { BEGINNING, type Window } from "../../models/window.ts";
import type { Asking, Ledger, NoPage, Stretch } from "./ask.ts";
import type { Pace } from "./relay_profile.ts";
import type { Page, Query } from "./page.ts";
import { Repeats } from "./repeats.ts";
import { walkWindow } from "./walk.ts";

export interface ParallelRangesOptions {
  readonly filter: Filter;
  readonly window: Window;
  readonly settledBefore: number;
  readonly pace: Pace;
  readonly ledger: Ledger;
}

/** A query to be sent, and who asks it. */
export interface Asked {
  readonly query: Query;
  readonly range: Range;
}

/** One walk, and what it shows of how crowded its stretch is. */
interface Range {
  readonly stretch: Stretch;
  readonly asking: Asking<NoPage | null>;
  /** To be sent, or under way. */
  query: Query;
  /** What of its answer has come already. */
  readonly repeats: Repeats;
  isUnderWay: boolean;
  /** Whether other queries were under way together with it. */
  isShared: boolean;
  /** Of the pace when it was sent. */
  epoch: number;
  /** The newest second it has seen, and the events since. */
  newest: number;
  events: number;
  /** Whether its last page was one of many, as far as can be seen. */
  isInTheMidst: boolean;
}

/** A stretch with fewer pages than this is not worth dividing. */
const MIN_PAGES = 4;

export class ParallelRanges {
  readonly #parts: ParallelRangesOptions;
  /** Newest first. */
  readonly #ranges: Range[] = [];
  #underWay = 0;
  /** A single page that is shorter than asked for may as well be all there is. */
  #fullPages = 0;
  #brokenBy: NoPage | null = null;

  constructor(parts: ParallelRangesOptions) {
    this.#parts = parts;
    this.#open({ ...parts.window }, 0);
  }

  /** Why the walk was broken off; null when it was walked to the end, or is not there yet. */
  get brokenBy(): NoPage | null {
    return this.#brokenBy;
  }

  /** The next query to be sent, or null when it is better to wait. */
  next(): Asked | null {
    const { pace } = this.#parts;
    if (this.#underWay >= pace.inFlight) return null;
    let range = this.#ranges.find(({ isUnderWay }) => !isUnderWay);
    if (range === undefined && this.#divide()) {
      range = this.#ranges.find(({ isUnderWay }) => !isUnderWay);
    }
    if (range === undefined) return null;
    range.isUnderWay = true;
    range.epoch = pace.epoch;
    range.isShared = false;
    this.#underWay += 1;
    if (this.#underWay > 1) {
      for (const one of this.#ranges) one.isShared ||= one.isUnderWay;
    }
    return { query: range.query, range };
  }

  /** Takes the page that a query brought. */
  take({ range, query }: Asked, page: Page): void {
    const { pace } = this.#parts;
    this.#underWay -= 1;
    if (!this.#ranges.includes(range)) return;
    range.isUnderWay = false;
    if (page.end.type === "failed") pace.crowded(range);
    else if (page.end.type === "eose") {
      pace.bore({ backpressured: page.backpressured, epoch: range.epoch });
      this.#classify(range, query, page);
    }
    this.#handOver(range, page);
    const step = range.asking.next({ ...page, isShared: range.isShared });
    if (step.done) return this.#finished(range, step.value);
    range.query = step.value;
    const until = Math.max(range.stretch.until, range.query.window.until);
    range.repeats.advance(page.accepted, until);
  }

  /** A page that was under way when the lane was divided brings events that will come in another lane, too. */
  #handOver({ stretch }: Range, { accepted }: Page): void {
    for (const event of accepted) {
      const { createdAt: at } = event;
      if (at >= stretch.since) continue;
      this.#ranges.find((range) =>
        at >= range.stretch.since && at <= range.stretch.until
      )?.repeats.add(event);
    }
  }

  #open(stretch: Stretch, place: number): void {
    const asking = walkWindow({ ...this.#parts, stretch });
    const step = asking.next();
    if (step.done) return;
    this.#ranges.splice(place, 0, {
      stretch,
      asking,
      query: step.value,
      repeats: new Repeats(),
      isUnderWay: false,
      isShared: false,
      epoch: 0,
      newest: -Infinity,
      events: 0,
      isInTheMidst: false,
    });
  }

  #finished(range: Range, brokenBy: NoPage | null): void {
    this.#ranges.splice(this.#ranges.indexOf(range), 1);
    if (brokenBy === null) return;
    this.#brokenBy ??= brokenBy;
    for (const { stretch: { since, until } } of this.#ranges.splice(0)) {
      if (brokenBy === "aborted" || since > until) continue;
      this.#parts.ledger.gap({ since, until }, brokenBy);
    }
  }

  #classify(range: Range, { filter }: Query, page: Page): void {
    const { pace, settledBefore } = this.#parts;
    for (const { createdAt } of page.events) {
      if (createdAt > range.newest && createdAt <= settledBefore) {
        range.newest = createdAt;
      }
    }
    range.events += page.events.length;
    range.isInTheMidst =
      page.size * 2 > Math.min(pace.largestPage, page.limit) &&
      filter.kinds === this.#parts.filter.kinds;
    if (range.isInTheMidst) this.#fullPages += page.size < page.limit ? 1 : 2;
  }

  /** Gives the older half of the largest stretch to a lane of its own; false when none is worth it. */
  #divide(): boolean {
    const { pace } = this.#parts;
    if (pace.order !== "newest-first" || this.#fullPages < 2) return false;
    const value = Math.max(1, pace.largestPage) * MIN_PAGES;
    let largest: Range | null = null;
    let most = value;
    for (const range of this.#ranges) {
      const left = range.isInTheMidst ? eventsLeft(range) : 0;
      if (left < most) continue;
      largest = range;
      most = left;
    }
    if (largest === null) return false;
    const { stretch } = largest;
    const middle = Math.floor((beginningOf(stretch) + stretch.until) / 2);
    const older = { since: stretch.since, until: middle };
    stretch.since = middle + 1;
    this.#open(older, this.#ranges.indexOf(largest) + 1);
    return true;
  }
}

/** How many events are left if they lie as close as those that have come. */
function eventsLeft({ stretch, newest, events }: Range): number {
  const { until } = stretch;
  const span = newest - until;
  return span > 0 ? events / span * (until - beginningOf(stretch)) : 0;
}

/** Where events begin, as a rule. */
function beginningOf({ since, until }: Stretch): number {
  return until > BEGINNING ? Math.max(since, BEGINNING) : since;
}
