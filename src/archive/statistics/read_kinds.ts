/**
 * The kinds with most events in some days. Their authors are sketches of single days, merged.
 *
 * @module
 */
import type { Sql } from "../../core/database/connection/database.ts";
import { DistinctSketch, RELATIVE_ERROR } from "./distinct_sketch.ts";
import { type Estimate, estimate } from "./estimate.ts";
import type { DayRange } from "./moments.ts";

export interface KindFigures {
  readonly kind: number;
  /** NIP-01's: regular, replaceable, ephemeral, addressable; or other. */
  readonly category: string;
  readonly events: number;
  /** Null while it is made again. */
  readonly authors: Estimate | null;
}

/** The first `top`, by their events. */
export async function readKinds(
  sql: Sql,
  { range, top }: { readonly range: DayRange; readonly top: number },
): Promise<KindFigures[]> {
  const { firstDay, lastDay } = range;
  const [row] = await sql<{ kinds: CountedKind[] }[]>`
    select statistics_kinds(${firstDay}::int, ${lastDay}::int, ${top}::int) as kinds`;
  const figures: KindFigures[] = [];
  for (const { isThrowaway, ...counted } of row!.kinds) {
    const authors = isThrowaway
      ? estimate(counted.events, null)
      : await authorsOf(sql, counted.kind, range);
    figures.push({ ...counted, authors });
  }
  return figures;
}

interface CountedKind {
  readonly kind: number;
  readonly category: string;
  readonly events: number;
  readonly isThrowaway: boolean;
}

async function authorsOf(
  sql: Sql,
  kind: number,
  { firstDay, lastDay }: DayRange,
): Promise<Estimate | null> {
  const rows = await sql<{ registers: string | null }[]>`
    select registers
    from statistics_kind_sketches(${kind}::int, ${firstDay}::int, ${lastDay}::int)`;
  const sketch = new DistinctSketch();
  for (const { registers } of rows) {
    if (registers === null) return null;
    sketch.merge(DistinctSketch.of(Uint8Array.fromBase64(registers)));
  }
  const count = sketch.estimate();
  return estimate(Math.round(count), Math.ceil(count * RELATIVE_ERROR));
}
