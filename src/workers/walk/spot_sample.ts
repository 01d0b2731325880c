/**
 * A second look at what was walked: a few events of one page, drawn at random, are asked for again by a window of just
 * their seconds. What comes then and did not come before, the relay has hidden. Pure, as the walks are.
 *
 * @module
 */
import type { NostrEvent } from "../../models/event.ts";
import type { Filter } from "../../models/filter.ts";
import {
  mergeWindows,
  subtractWindows,
  type Window,
} from "../../models/window.ts";
import type { Asking } from "./ask.ts";
import type { WalkProof } from "../protocol/report.ts";
import { bottomOf, type Page, type Query } from "./page.ts";

/** The walk a page belongs to. */
export interface Sampled {
  readonly filter: Filter;
  readonly filterHash: string;
  /** Unix seconds: what is younger may still be arriving. */
  readonly settledBefore: number;
}

/** A page with fewer events to look at again shows too little. */
const MIN_EVENTS = 10;

/** A part of a page: it costs little, and leaves room in the answer for what was hidden. */
const SHARE = 1 / 4;

/** What is shorter than this part of the largest page was not cut off, as far as can be seen, and tells less. */
const FULL = 9 / 10;

interface Sample extends Sampled {
  readonly query: Query;
  readonly window: Window;
  /** All that came of the window. */
  readonly ids: ReadonlySet<string>;
}

export class SpotSample {
  readonly #random: () => number;
  readonly #proven = new Map<string, Proven>();
  #pages = 0;
  #largestPage = 0;
  #sample: Sample | null = null;

  /** `random` draws from [0, 1). */
  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** A page came: each full one has the same chance to be the one that is looked at again. */
  see(walk: Sampled, query: Query, page: Page): void {
    const { kinds, authors } = query.filter;
    const isPlain = kinds === walk.filter.kinds &&
      authors === walk.filter.authors && query.match === undefined;
    if (!isPlain || query.evidenceOnly || page.end.type !== "eose") return;
    this.#largestPage = Math.max(this.#largestPage, page.size);
    if (page.size < this.#largestPage * FULL) return;
    const window = this.#draw(page, walk.settledBefore);
    if (window === null) return;
    this.#pages += 1;
    if (this.#random() * this.#pages >= 1) return;
    const inside = page.events.filter(({ createdAt }) =>
      createdAt >= window.since && createdAt <= window.until
    );
    const ids = new Set(inside.map(({ id }) => id));
    const { filter, filterHash, settledBefore } = walk;
    this.#sample = { filter, filterHash, settledBefore, query, window, ids };
  }

  /** Something was proven; what relies on the order of the relay is remembered. */
  proved(
    { filterHash, since, until, method }: Window & {
      readonly filterHash: string;
      readonly method: WalkProof;
    },
  ): void {
    if (method !== "paging" && method !== "empty-page") return;
    let proven = this.#proven.get(filterHash);
    if (proven === undefined) {
      proven = { windows: [], mergeAt: 64 };
      this.#proven.set(filterHash, proven);
    }
    proven.windows.push({ since, until });
    if (proven.windows.length < proven.mergeAt) return;
    proven.windows = mergeWindows(proven.windows);
    proven.mergeAt = 2 * proven.windows.length + 64;
  }

  /** All that was proven by the order of the relay. */
  get proven(): (Window & { readonly filterHash: string })[] {
    return [...this.#proven].flatMap(([filterHash, { windows }]) =>
      mergeWindows(windows).map((window) => ({ ...window, filterHash }))
    );
  }

  /**
   * Asks once more, and finds whether the relay hides something. An event that is new by now comes in the wide window,
   * too: that is asked for a second time before anything is held against the relay.
   */
  *findsHidden(): Asking<boolean> {
    const sample = this.#sample;
    if (sample === null || !this.#isProven(sample)) return false;
    const { query, settledBefore, ids } = sample;
    const narrow = yield narrowed(sample);
    if (narrow.end.type !== "eose") return false;
    const unseen = narrow.events.filter(({ id, createdAt }) =>
      createdAt < settledBefore && !ids.has(id)
    );
    if (unseen.length === 0) return false;
    const wide = yield { ...query, evidenceOnly: true };
    if (wide.end.type !== "eose") return false;
    const shown = new Set(wide.events.map(({ id }) => id));
    const bottom = bottomOf(wide);
    return unseen.some(({ id, createdAt }) =>
      createdAt > bottom && !shown.has(id)
    );
  }

  /** Whether this event was to be there, and did not come. */
  lacks({ id, created_at: at }: NostrEvent): boolean {
    if (this.#sample === null) return false;
    const { window: { since, until }, ids } = this.#sample;
    return at >= since && at <= until && !ids.has(id);
  }

  #isProven({ filterHash, window }: Sample): boolean {
    const { windows } = this.#proven.get(filterHash) ?? { windows: [] };
    return subtractWindows(window, windows).length === 0;
  }

  /** Some seconds of the page that it holds whole; null when it has too few. */
  #draw(page: Page, settledBefore: number): Window | null {
    const bottom = bottomOf(page);
    const times = page.events.map(({ createdAt }) => createdAt)
      .filter((at) => at > bottom && at < settledBefore)
      .sort((a, b) => b - a);
    if (times.length < MIN_EVENTS) return null;
    const count = Math.max(MIN_EVENTS, Math.ceil(times.length * SHARE));
    const first = Math.floor(this.#random() * (times.length - count + 1));
    return { since: times[first + count - 1]!, until: times[first]! };
  }
}

/** Merged now and then: the pages of a lane touch one another. */
interface Proven {
  windows: Window[];
  mergeAt: number;
}

function narrowed({ filter, query, window }: Sample): Query {
  const { limit } = query;
  return {
    filter: { ...filter, ...window, limit },
    window,
    limit,
    evidenceOnly: true,
  };
}
