/**
 * What is to be added to sketches (`distinct_sketch`), gathered before they are read and written once each.
 *
 * @module
 */
import { sqlArray } from "../sql_array.ts";
import type { Sql } from "../../core/database/connection/database.ts";
import { DistinctSketch } from "./distinct_sketch.ts";

/** What a sketch counts: `distinct_sketch.subject`. */
export const SUBJECTS = {
  /** Authors of a kind on a day: day, kind. */
  kindDay: 1,
  /** Authors of a kind: kind. */
  kind: 2,
  /** Authors of a kind on a relay: relay.id, kind. */
  relayKind: 3,
  /** Authors on a relay: relay.id. */
  relay: 4,
  /** Events of a relay: relay.id. */
  relayEvents: 5,
  /** Authors on a network: its number. */
  network: 6,
  /** Events of a network: its number. */
  networkEvents: 7,
} as const;

/** Names one sketch. */
export interface SketchKey {
  readonly subject: number;
  readonly first: number;
  readonly second: number;
}

interface Change extends SketchKey {
  readonly entries: Set<number>;
  isSpoiled: boolean;
}

/** Sketches read and written in one statement at most: a dense one has 4 KiB. */
const CHUNK = 4_000;

export class SketchChanges {
  readonly #changes = new Map<number, Change>();

  /** @param entry As `sketchEntry` gives it. Of what is deleted (-1) only that it spoils the sketch is kept. */
  add(
    subject: number,
    first: number,
    second: number,
    sign: 1 | -1,
    entry: number,
  ): void {
    const key = (subject * 2 ** 31 + first) * 65_536 + second;
    let change = this.#changes.get(key);
    if (change === undefined) {
      change = { subject, first, second, entries: new Set(), isSpoiled: false };
      this.#changes.set(key, change);
    }
    if (sign === 1) change.entries.add(entry);
    else change.isSpoiled = true;
  }

  /** Adds them to what is stored. Sketches that do not change are not written. */
  async store(sql: Sql): Promise<void> {
    const changes = [...this.#changes.values()];
    for (let i = 0; i < changes.length; i += CHUNK) {
      await storeChunk(sql, changes.slice(i, i + CHUNK));
    }
  }
}

async function storeChunk(
  sql: Sql,
  changes: readonly Change[],
): Promise<void> {
  const stored = await readSketches(sql, changes);
  const written: StoredSketch[] = [];
  changes.forEach((change, i) => {
    const found = stored.get(i);
    const isStale = found?.isStale === true || change.isSpoiled;
    const sketch = DistinctSketch.of(found?.registers ?? null);
    let isChanged = isStale !== (found?.isStale ?? false);
    for (const entry of change.entries) {
      if (sketch.addEntry(entry)) isChanged = true;
    }
    if (isChanged) written.push({ key: change, sketch, isStale });
  });
  await writeSketches(sql, written);
}

/** A sketch as it is to be stored. */
export interface StoredSketch {
  readonly key: SketchKey;
  readonly sketch: DistinctSketch;
  /** Something was deleted that it still counts. */
  readonly isStale: boolean;
}

/** Those that are there, by the place of their key. */
export async function readSketches(
  sql: Sql,
  keys: readonly SketchKey[],
): Promise<
  Map<number, { readonly isStale: boolean; readonly registers: Uint8Array }>
> {
  const rows = await sql<{ i: number; isStale: boolean; registers: string }[]>`
    select i, is_stale as "isStale", registers from distinct_sketches(
      ${sqlArray(keys.map(({ subject }) => subject))}::text::int2[],
      ${sqlArray(keys.map(({ first }) => first))}::text::int4[],
      ${sqlArray(keys.map(({ second }) => second))}::text::int4[])`;
  return new Map(rows.map(({ i, isStale, registers }) => [
    i - 1,
    { isStale, registers: Uint8Array.fromBase64(registers) },
  ]));
}

/** Stores sketches, in place of what is there. */
export async function writeSketches(
  sql: Sql,
  sketches: readonly StoredSketch[],
): Promise<void> {
  if (sketches.length === 0) return;
  await sql`
    select distinct_sketch_put(
      ${sqlArray(sketches.map(({ key }) => key.subject))}::text::int2[],
      ${sqlArray(sketches.map(({ key }) => key.first))}::text::int4[],
      ${sqlArray(sketches.map(({ key }) => key.second))}::text::int4[],
      ${
    sqlArray(sketches.map(({ sketch }) => sketch.estimate()))
  }::text::float8[],
      ${sqlArray(sketches.map(({ isStale }) => isStale))}::text::boolean[],
      ${
    sqlArray(sketches.map(({ sketch }) => sketch.bytes().toBase64()))
  }::text::text[])`;
}
