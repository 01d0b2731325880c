/**
 * Proof by sample that statistics are what the tables hold: some cells, drawn at random, are made anew and compared.
 *
 * All of it sees one snapshot, in which what waits in the queue is not in statistics yet, and what is to be made again is
 * left out; so it may run while others write and fold.
 *
 * @module
 */
import type { Database, Sql } from "../../core/database/connection/database.ts";
import { DistinctSketch } from "./distinct_sketch.ts";
import { makeSketch } from "./remake.ts";
import { readSketches, type SketchKey, SUBJECTS } from "./sketch_changes.ts";

export interface StatisticsCheckOptions {
  /** How many of each are drawn; a relay is read from end to end. */
  readonly days: number;
  readonly relays: number;
  readonly authors: number;
  readonly sketches: number;
  readonly signal: AbortSignal;
}

/** A cell that is not what the tables say. */
export interface StatisticsFault {
  /** `kind_day of 2024-05-01, kind 7`. */
  readonly cell: string;
  readonly expected: number;
  readonly found: number;
}

/** Faults of what was drawn, a hundred of each thing at most; empty when all is right. Changes nothing. */
export function checkStatistics(
  database: Database,
  { days, relays, authors, sketches, signal }: StatisticsCheckOptions,
): Promise<StatisticsFault[]> {
  return database.transaction(async (sql) => {
    const faults = [
      ...await sql<FaultRow[]>`
        select cell, expected, found from statistics_check_days(
          array(select statistics_sample_days(${days}::int4)))`,
      ...await sql<FaultRow[]>`
        select cell, expected, found from statistics_check_sums()`,
      ...await sql<FaultRow[]>`
        select cell, expected, found from statistics_check_authors((
          select coalesce(string_agg(decode(pubkey, 'hex'), ''), '')
          from event_author_sample(${authors}::int4)))`,
    ];
    const drawn = await sql<{ id: number }[]>`
      select statistics_sample_relays(${relays}::int4) as id`;
    for (const { id } of drawn) {
      faults.push(
        ...await sql<FaultRow[]>`
          select cell, expected, found
          from statistics_check_relay(${id}::int4)`,
      );
    }
    return [
      ...faults.map(({ cell, expected, found }) => ({
        cell,
        expected: Number(expected),
        found: Number(found),
      })),
      ...await checkSketches(sql, sketches),
    ];
  }, { kind: "refresh", signal, oneSnapshot: true });
}

/** Registers have no error: of the same keys they are the same. */
async function checkSketches(
  sql: Sql,
  count: number,
): Promise<StatisticsFault[]> {
  const keys = await sql<SketchKey[]>`
    select subject, first, second
    from statistics_sample_sketches(${count}::int4)`;
  const stored = await readSketches(sql, keys);
  const faults: StatisticsFault[] = [];
  for (const [i, key] of keys.entries()) {
    const made = await makeSketch(sql, key);
    const found = DistinctSketch.of(stored.get(i)?.registers ?? null);
    if (made.bytes().toHex() === found.bytes().toHex()) continue;
    faults.push({
      cell: sketchName(key),
      expected: Math.round(made.estimate()),
      found: Math.round(found.estimate()),
    });
  }
  return faults;
}

function sketchName({ subject, first, second }: SketchKey): string {
  const name = Object.entries(SUBJECTS).find(([, one]) => one === subject);
  return `distinct_sketch of ${name?.[0] ?? subject}, ${first}, ${second}`;
}

/** postgres.js gives int8 as text. */
interface FaultRow {
  readonly cell: string;
  readonly expected: string;
  readonly found: string;
}
