/**
 * How many buckets of the tag index a page walks: from the newest one on, more as long as little is found.
 *
 * @module
 */
import { unixNow } from "../../base/clock.ts";
import type { Filter } from "../../models/filter.ts";
import type { KeyPage, PageRequest } from "./key_pages.ts";

/** Of a walk that looked at fewer rows the next is wider, of one that looked at more it is narrower. */
const FEW_ROWS = 250;
const MANY_ROWS = 2_000;

/** Look-ups in the index of one page: values times buckets. GIN compares each row it finds with all of them. */
const MAX_LOOKUPS = 1_000;

/** 2^21 seconds, as in `event_tag_bucket()`. */
const BUCKET_SECONDS = 2 ** 21;

export class TagBuckets {
  readonly #values: number;
  #buckets = 1;
  #isFuture = true;

  constructor(filter: Filter) {
    const counts = Object.entries(filter)
      .filter(([field]) => field.startsWith("#"))
      .map(([, values]) => new Set(values).size)
      .sort((a, b) => a - b);
    // The two names with the fewest values are looked up.
    this.#values = counts.slice(0, 2).reduce((sum, count) => sum + count, 0);
  }

  async walk(
    { until }: PageRequest,
    read: (buckets: number) => Promise<KeyPage>,
  ): Promise<KeyPage> {
    this.#enterPresent(until);
    const most = Math.max(1, Math.floor(MAX_LOOKUPS / this.#values));
    const buckets = Math.min(this.#buckets, most);
    const page = await read(buckets);
    this.#learn(page.work - buckets * this.#values);
    return page;
  }

  /** What is dated in the future is sparse and far apart; the present is not to be walked in such strides. */
  #enterPresent(until: number): void {
    if (!this.#isFuture || until >= nextBucketAt(unixNow())) return;
    this.#isFuture = false;
    this.#buckets = 1;
  }

  #learn(rows: number): void {
    if (rows <= 0) this.#buckets *= 4;
    else if (rows < FEW_ROWS) this.#buckets *= 2;
    else if (rows > MANY_ROWS) this.#buckets = Math.ceil(this.#buckets / 2);
  }
}

function nextBucketAt(second: number): number {
  return (Math.floor(second / BUCKET_SECONDS) + 1) * BUCKET_SECONDS;
}
