/**
 * Pages of keys, newest first, along one index each: the functions of `45_event_reading.sql`.
 *
 * @module
 */
import { sqlArray } from "../sql_array.ts";
import { Buffer } from "node:buffer";
import { type EventKey, unpackKeys } from "./event_key.ts";
import type { ReadSteps } from "./read_steps.ts";

export interface KeyPage {
  /** In no order. */
  readonly keys: readonly EventKey[];
  /**
   * The second at which the next page begins, or null when this was the last. No keys and the second at which this page
   * began: that second is saturated.
   */
  readonly nextUntil: number | null;
  /** Index entries and rows looked at. */
  readonly work: number;
}

/** A part of a page's request that all ways have. Bounds are Unix seconds, both included. */
export interface PageRequest {
  readonly since: number;
  readonly until: number;
  /** At this many matches the page ends. */
  readonly limit: number;
}

/** What is checked on the rows, and not by the index that is walked. */
export interface RowConditions {
  readonly kinds: readonly number[] | null;
  /** 32 bytes each. */
  readonly pubkeys: Uint8Array | null;
  /** JSON of the values by the name of the tag. */
  readonly tags: string | null;
}

/** Walks of one author and one kind: `pubkeys` has 32 bytes for each of `kinds`. */
export interface AuthorKinds {
  readonly pubkeys: Uint8Array;
  readonly kinds: readonly number[];
}

/** postgres.js gives int8 as text. */
interface PageRow {
  readonly keys: Uint8Array;
  readonly next_until: string | null;
  readonly work: number;
}

export function keysByTime(
  steps: ReadSteps,
  { since, until, limit }: PageRequest,
): Promise<KeyPage> {
  return steps.run(async (sql) =>
    toPage(
      await sql<PageRow[]>`
      select * from event_keys_by_time(${since}::int8, ${until}::int8,
        ${limit}::int)`,
    )
  );
}

export function keysByKind(
  steps: ReadSteps,
  { since, until, limit }: PageRequest,
  { kinds, tags }: {
    readonly kinds: readonly number[];
    readonly tags: string | null;
  },
): Promise<KeyPage> {
  return steps.run(async (sql) =>
    toPage(
      await sql<PageRow[]>`
      select * from event_keys_by_kind(${intArray(kinds)}::text::int4[],
        ${tags}::text::jsonb, ${since}::int8, ${until}::int8, ${limit}::int)`,
    )
  );
}

export function keysByAuthor(
  steps: ReadSteps,
  { since, until, limit }: PageRequest,
  { pairs, tags }: {
    readonly pairs: AuthorKinds;
    readonly tags: string | null;
  },
): Promise<KeyPage> {
  return steps.run(async (sql) =>
    toPage(
      await sql<PageRow[]>`
      select * from event_keys_by_author(${bytes(pairs.pubkeys)}::bytea,
        ${intArray(pairs.kinds)}::text::int4[], ${tags}::text::jsonb,
        ${since}::int8, ${until}::int8, ${limit}::int)`,
    )
  );
}

/** @param buckets How many of the tag index to walk, each 24 days. */
export function keysByTag(
  steps: ReadSteps,
  { since, until, limit }: PageRequest,
  { kinds, pubkeys, tags, buckets }: RowConditions & {
    readonly buckets: number;
  },
): Promise<KeyPage> {
  return steps.run(async (sql) =>
    toPage(
      await sql<PageRow[]>`
      select * from event_keys_by_tag(${tags}::text::jsonb,
        ${intArray(kinds)}::text::int4[], ${bytes(pubkeys)}::bytea,
        ${since}::int8, ${until}::int8, ${buckets}::int, ${limit}::int)`,
    )
  );
}

/** @param ids 32 bytes each. */
export function keysById(
  steps: ReadSteps,
  { since, until }: Omit<PageRequest, "limit">,
  { ids, kinds, pubkeys, tags }: RowConditions & { readonly ids: Uint8Array },
): Promise<KeyPage> {
  return steps.run(async (sql) =>
    toPage(
      await sql<PageRow[]>`
      select * from event_keys_by_id(${bytes(ids)}::bytea,
        ${intArray(kinds)}::text::int4[], ${bytes(pubkeys)}::bytea,
        ${tags}::text::jsonb, ${since}::int8, ${until}::int8)`,
    )
  );
}

export interface SecondPage {
  readonly keys: readonly EventKey[];
  /** Where the next part begins; null at the end of the second. */
  readonly lastId: Uint8Array | null;
  readonly work: number;
}

/** A part of a saturated second, lowest id first: what matches of the `limit` events after an id. */
export function keysOfSecond(
  steps: ReadSteps,
  { second, after, limit }: {
    readonly second: number;
    readonly after: Uint8Array;
    readonly limit: number;
  },
  { kinds, pubkeys, tags }: RowConditions,
): Promise<SecondPage> {
  return steps.run(async (sql) => {
    const [row] = await sql<
      { keys: Uint8Array; last_id: Uint8Array | null; work: number }[]
    >`
      select * from event_keys_of_second(${second}::int8,
        ${bytes(after)}::bytea, ${intArray(kinds)}::text::int4[],
        ${bytes(pubkeys)}::bytea, ${tags}::text::jsonb, ${limit}::int)`;
    const { keys, last_id: lastId, work } = row!;
    return { keys: unpackKeys(keys), lastId, work };
  });
}

/** The pairs of these authors and kinds (null: of all kinds) that have events at all. */
export async function authorKinds(
  steps: ReadSteps,
  pubkeys: Uint8Array,
  kinds: readonly number[] | null,
): Promise<AuthorKinds> {
  const { pairs } = await steps.run(async (sql) => {
    const [row] = await sql<{ pubkeys: Uint8Array; kinds: string }[]>`
      select pubkeys, array_to_string(kinds, ',') as kinds
      from event_author_kinds(${bytes(pubkeys)}::bytea,
        ${intArray(kinds)}::text::int4[])`;
    const found = row!.kinds === "" ? [] : row!.kinds.split(",").map(Number);
    return {
      pairs: { pubkeys: row!.pubkeys, kinds: found },
      work: found.length + pubkeys.length / 32,
    };
  });
  return pairs;
}

/** Whether these pairs, or these kinds, have few events in a time: at most `most`. */
export async function isRare(
  steps: ReadSteps,
  { pubkeys, kinds }: {
    readonly pubkeys: Uint8Array | null;
    readonly kinds: readonly number[];
  },
  { since, until, most }: {
    readonly since: number;
    readonly until: number;
    readonly most: number;
  },
): Promise<boolean> {
  const { rare } = await steps.run(async (sql) => {
    const [row] = await sql<{ rare: boolean }[]>`
      select event_is_rare(${bytes(pubkeys)}::bytea,
        ${intArray(kinds)}::text::int4[], ${since}::int8, ${until}::int8,
        ${most}::int) as rare`;
    return { rare: row!.rare, work: kinds.length };
  });
  return rare;
}

function toPage([row]: readonly PageRow[]): KeyPage {
  const { keys, next_until: nextUntil, work } = row!;
  return {
    keys: unpackKeys(keys),
    nextUntil: nextUntil === null ? null : Number(nextUntil),
    work,
  };
}

function intArray(values: readonly number[] | null): string | null {
  return values === null ? null : sqlArray(values);
}

function bytes(value: Uint8Array | null): Buffer | null {
  return value === null
    ? null
    : Buffer.from(value.buffer, value.byteOffset, value.length);
}
