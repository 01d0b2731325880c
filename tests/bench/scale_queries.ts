/**
 * The queries whose time must not grow with the archive, by name.
 *
 * @module
 */
import type { Filter } from "../../src/models/filter.ts";
import { authorKey, eventId, FIRST_SECOND, SECONDS } from "./scale_archive.ts";

export interface ScaleQuery {
  readonly name: string;
  /** The filter of one run; each run asks for something else, where there is something else. */
  filter(run: number): Filter;
}

/** Authors of rank 0 write the most. `events` is how many there are. */
export function scaleQueries(events: number): readonly ScaleQuery[] {
  const rare = (run: number) => eventId(Math.floor(events * fraction(run)));
  const authors = (count: number, run: number) =>
    Array.from(
      { length: count },
      (_, i) =>
        authorKey(Math.floor((events / 36) * fraction(run * 1_000 + i))),
    );
  const now = FIRST_SECOND + SECONDS;
  return [
    ...[1, 10, 500].map((limit) => ({
      name: `rare #e, limit ${limit}`,
      filter: (run: number) => ({ "#e": [rare(run)], limit }),
    })),
    {
      name: "#e that is nowhere, limit 1",
      filter: (run) => ({ "#e": [authorKey(run)], limit: 1 }),
    },
    {
      name: "20 rare #e, limit 10",
      filter: (run) => ({
        "#e": Array.from({ length: 20 }, (_, i) => rare(run * 99 + i)),
        limit: 10,
      }),
    },
    {
      name: "hot #p, limit 100",
      filter: (run) => ({ "#p": [authorKey(run % 3)], limit: 100 }),
    },
    {
      name: "hot #p, kinds 1 and 7, limit 100",
      filter: (run) => ({
        "#p": [authorKey(run % 3)],
        kinds: [1, 7],
        limit: 100,
      }),
    },
    {
      name: "hot #p, kind 9735, limit 100",
      filter: (run) => ({
        "#p": [authorKey(run % 3)],
        kinds: [9_735],
        limit: 100,
      }),
    },
    {
      name: "popular #t, limit 100",
      filter: (run) => ({ "#t": [`topic${run % 3}`], limit: 100 }),
    },
    {
      name: "100 authors, 2 kinds, limit 100",
      filter: (run) => ({
        authors: authors(100, run),
        kinds: [1, 6],
        limit: 100,
      }),
    },
    {
      name: "100 authors, limit 100",
      filter: (run) => ({ authors: authors(100, run), limit: 100 }),
    },
    {
      name: "500 authors, 3 kinds, limit 500",
      filter: (run) => ({
        authors: authors(500, run),
        kinds: [1, 6, 7],
        limit: 500,
      }),
    },
    {
      name: "one kind, limit 500",
      filter: (run) => ({ kinds: [[1, 7, 30_023][run % 3]!], limit: 500 }),
    },
    {
      name: "one author, limit 100",
      filter: (run) => ({ authors: authors(1, run), limit: 100 }),
    },
    {
      name: "the busiest author, limit 100",
      filter: () => ({ authors: [authorKey(0)], limit: 100 }),
    },
    {
      name: "a profile",
      filter: (run) => ({ authors: authors(1, run), kinds: [0], limit: 1 }),
    },
    {
      name: "a window of an hour, limit 500",
      filter: (run) => {
        const until = Math.floor(now - SECONDS / 2 * fraction(run));
        return { since: until - 3_600, until, limit: 500 };
      },
    },
    { name: "the newest 500", filter: () => ({ limit: 500 }) },
    {
      name: "ids, 1",
      filter: (run) => ({ ids: [rare(run)] }),
    },
    {
      name: "ids, 500",
      filter: (run) => ({
        ids: Array.from({ length: 500 }, (_, i) => rare(run * 500 + i)),
      }),
    },
  ];
}

/** Spread evenly over [0, 1), never twice the same. */
function fraction(run: number): number {
  return (run * 0.618_033_988_749_895 + 0.137) % 1;
}
