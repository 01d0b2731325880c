/**
 * Drives the walks of a window: sends what they ask, and brings them the pages in the order in which they come.
 *
 * @module
 */
import type { NoPage } from "../walk/ask.ts";
import type { Page, Query } from "../walk/page.ts";
import type { ParallelRanges } from "../walk/parallel_ranges.ts";
import type { Repeats } from "../walk/repeats.ts";

/** Walks to the end, or until `halt` aborts. Returns why it was broken off; rejects with what `fetch` rejects with. */
export async function driveRanges(
  ranges: ParallelRanges,
  { fetch, halt }: {
    readonly fetch: (query: Query, repeats: Repeats) => Promise<Page>;
    /** Aborts when no more is to be asked; what is under way is taken. Null for never. */
    readonly halt: AbortSignal | null;
  },
): Promise<NoPage | null> {
  const underWay = new Set<Promise<void>>();
  try {
    for (;;) {
      for (
        let asked = halt?.aborted ? null : ranges.next();
        asked !== null;
        asked = ranges.next()
      ) {
        const one = asked;
        const answered: Promise<void> = fetch(one.query, one.range.repeats)
          .then((page) => ranges.take(one, page))
          .finally(() => underWay.delete(answered));
        underWay.add(answered);
      }
      if (underWay.size === 0) return ranges.brokenBy;
      await Promise.race(underWay);
    }
  } finally {
    await Promise.allSettled(underWay);
  }
}
