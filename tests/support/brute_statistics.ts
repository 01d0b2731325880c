/**
 * What statistics have to be, counted from the tables and with nothing of the code under test but the estimate of a sketch.
 *
 * An event of a kind whose keys are thrown away is an author of its own. Authors have no rows of such kinds, sketches of a
 * kind have none of them either, as the number is that of the events; in the sketches of relays and networks (4 and 6), where
 * kinds are mixed, the event's id stands for its author.
 *
 * @module
 */
import assert from "node:assert/strict";
import {
  DistinctSketch,
  RELATIVE_ERROR,
  sketchEntry,
} from "../../src/archive/statistics/distinct_sketch.ts";
import type { Sql } from "../../src/core/database/connection/database.ts";

/** The row of one cell: what it is about, and its numbers. */
export type BruteRow = Readonly<Record<string, unknown>>;

const DAY = (at: string) => `least(${at} / 86400, 36525)::int4`;
const IS_THROWAWAY = "kind in (445, 1059, 21059)";
const KEPT = `created_at / 3600 >= (select hours_since from statistics_state)`;
const SIGHTED = `event_relay s join event e using (created_at)
  where e.id = s.event_id`;

/** Rows of each table that is exact. Authors are named by key: their numbers are given in any order. */
const EXPECTED: Readonly<Record<string, string>> = {
  event_minute: `
    select least(created_at / 60, 52596000)::int4 as minute, count(*)::int8 as events
    from event where ${KEPT} group by 1`,
  kind_hour: `
    select least(created_at / 3600, 876600)::int4 as hour, kind, count(*)::int8 as events
    from event where ${KEPT} group by 1, 2`,
  kind_day: `
    select ${DAY("created_at")} as day, kind, count(*)::int8 as events
    from event group by 1, 2`,
  kind_total: `
    select kind, count(*)::int8 as events from event group by 1`,
  author: `
    select pubkey, count(*)::int8 as events, min(created_at) as first_at, max(created_at) as last_at
    from event where not ${IS_THROWAWAY} group by 1`,
  author_first: `
    select ${DAY("first_at")} as day, count(*)::int8 as authors
    from (select min(created_at) as first_at from event where not ${IS_THROWAWAY} group by pubkey) as first
    group by 1`,
  author_day: `
    select ${DAY("created_at")} as day, pubkey, count(*)::int8 as events
    from event where not ${IS_THROWAWAY} group by 1, 2`,
  relay_day: `
    select s.relay_id, ${DAY("created_at")} as day, count(*)::int8 as events
    from ${SIGHTED} group by 1, 2`,
  relay_kind: `
    select s.relay_id, e.kind, count(*)::int8 as events from ${SIGHTED} group by 1, 2`,
  relay_author: `
    select s.relay_id, e.pubkey, count(*)::int8 as events, min(created_at) as first_at, max(created_at) as last_at,
      string_agg(distinct substr(int4send(e.kind), 3), '' order by substr(int4send(e.kind), 3)) as kinds
    from ${SIGHTED} and not ${IS_THROWAWAY} group by 1, 2`,
};

/** The same of what is stored. */
const STORED: Readonly<Record<string, string>> = {
  event_minute: "select minute, events::int8 from event_minute",
  kind_hour: "select hour, kind, events from kind_hour",
  kind_day: "select day, kind, events from kind_day",
  kind_total: "select kind, events from kind_total",
  author:
    "select pubkey, events, first_at, last_at from author where events > 0 or first_at is not null or last_at is not null",
  author_first: "select day, authors::int8 from author_first",
  author_day: `
    select d.day, a.pubkey, d.events::int8 from author_day d left join author a on a.id = d.author`,
  relay_day: "select relay_id, day, events from relay_day",
  relay_kind: "select relay_id, kind, events from relay_kind",
  relay_author: `
    select r.relay_id, a.pubkey, r.events::int8, r.first_at, r.last_at, r.kinds
    from relay_author r left join author a on a.id = r.author`,
};

/** Columns of those that name no authors, in the order of their expected rows. */
const FILLED: Readonly<Record<string, string>> = {
  event_minute: "minute, events",
  kind_hour: "hour, kind, events",
  kind_day: "day, kind, events",
  kind_total: "kind, events",
  author_first: "day, authors",
  relay_day: "relay_id, day, events",
  relay_kind: "relay_id, kind, events",
};

/** One key a row, each of a sketch once. */
const SKETCH_KEYS = `
  with stored as (
    select created_at, kind, id, pubkey, ${IS_THROWAWAY} as is_throwaway from event
  ), sighted as (
    select s.relay_id, array_position(array['clearnet', 'tor', 'i2p', 'loki'], r.network) as network, e.kind, e.id,
      case when e.is_throwaway then e.id else e.pubkey end as author, e.is_throwaway
    from event_relay s join relay r on r.id = s.relay_id join stored e on e.created_at = s.created_at and e.id = s.event_id
  ), keys as (
    select 1 as subject, ${
  DAY("created_at")
} as first, kind as second, pubkey as key
    from stored where not is_throwaway
    union select 2, kind, 0, pubkey from stored where not is_throwaway
    union select 3, relay_id, kind, author from sighted where not is_throwaway
    union select 4, relay_id, 0, author from sighted
    union select 5, relay_id, 0, id from sighted
    union select 6, network, 0, author from sighted
    union select 7, network, 0, id from sighted
  )
  select subject, first, second, count(*)::int4 as distinct,
    string_agg(key, '' order by key) as keys
  from keys group by 1, 2, 3 order by 1, 2, 3`;

interface BruteSketch {
  readonly subject: number;
  readonly first: number;
  readonly second: number;
  readonly distinct: number;
  readonly sketch: DistinctSketch;
}

/** Rows that each table of statistics has to have, by its name; of sketches also how many there really are. */
export async function bruteStatistics(
  sql: Sql,
): Promise<Readonly<Record<string, readonly BruteRow[]>>> {
  const rows: Record<string, readonly BruteRow[]> = {};
  for (const [table, query] of Object.entries(EXPECTED)) {
    rows[table] = [...await sql.unsafe(`${query} order by 1, 2`)];
  }
  const sketches = await bruteSketches(sql);
  rows.distinct_sketch = sketches.map(({ sketch, ...named }) => ({
    ...named,
    registers: sketch.bytes(),
  }));
  return rows;
}

/** What differs between statistics and the tables, in words; nothing when all is right. At most five of each table. */
export async function statisticsFaults(sql: Sql): Promise<readonly string[]> {
  const faults: string[] = [];
  for (const [table, expected] of Object.entries(EXPECTED)) {
    const found = await sql.unsafe<{ text: string }[]>(`
      with expected as (${expected}), stored as (${STORED[table]}),
      missing as (select * from expected except all select * from stored),
      surplus as (select * from stored except all select * from expected)
      (select 'missing: ' || m::text as text from missing m limit 3)
      union all
      (select 'surplus: ' || s::text from surplus s limit 2)`);
    faults.push(...found.map(({ text }) => `${table}: ${text}`));
  }
  return faults.concat(await sketchFaults(sql));
}

/** Throws when statistics are not what the tables hold, to the last number. */
export async function assertStatistics(sql: Sql): Promise<void> {
  assert.deepEqual(await statisticsFaults(sql), []);
}

/** Fills empty statistics from the tables, for those who read them. */
export async function fillStatistics(sql: Sql): Promise<void> {
  await sql.unsafe(`
    update statistics_state set hours_since = unix_now() / 3600 - 31 * 24, folded_at = unix_now();
    delete from fact;
    delete from fact_dropped;
    insert into author (pubkey, events, first_at, last_at) ${EXPECTED.author}`);
  for (const [table, columns] of Object.entries(FILLED)) {
    await sql.unsafe(
      `insert into ${table} (${columns}) ${EXPECTED[table]}`,
    );
  }
  await sql.unsafe(`
    insert into author_day (day, author, events)
    select e.day, a.id, e.events from (${EXPECTED.author_day}) as e join author a using (pubkey);
    insert into relay_author (relay_id, author, events, first_at, last_at, kinds)
    select e.relay_id, a.id, e.events, e.first_at, e.last_at, e.kinds
    from (${EXPECTED.relay_author}) as e join author a using (pubkey)`);
  for (const { subject, first, second, sketch } of await bruteSketches(sql)) {
    await sql`
      insert into distinct_sketch (estimate, first, second, subject, registers)
      values (${sketch.estimate()}, ${first}, ${second}, ${subject}, ${sketch.bytes()})`;
  }
}

async function bruteSketches(sql: Sql): Promise<BruteSketch[]> {
  const rows = await sql.unsafe<
    (Omit<BruteSketch, "sketch"> & { keys: Uint8Array })[]
  >(SKETCH_KEYS);
  return rows.map(({ keys, ...named }) => {
    const sketch = new DistinctSketch();
    for (let at = 0; at < keys.length; at += 32) {
      sketch.addEntry(sketchEntry(keys, at));
    }
    return { ...named, sketch };
  });
}

/**
 * Registers have no error: those of the same keys are the same. The estimates have to be within three standard errors; of
 * few keys, where two may meet in one register, within two keys.
 */
async function sketchFaults(sql: Sql): Promise<string[]> {
  const stored = new Map(
    (await sql<StoredSketch[]>`select * from distinct_sketch`)
      .map((row) => [nameOf(row), row]),
  );
  const faults: string[] = [];
  for (const expected of await bruteSketches(sql)) {
    const name = nameOf(expected);
    const found = stored.get(name);
    stored.delete(name);
    if (found === undefined) {
      faults.push(`${name}: missing`);
      continue;
    }
    if (found.is_stale) faults.push(`${name}: stale`);
    const bytes = expected.sketch.bytes().toHex();
    if (new Uint8Array(found.registers).toHex() !== bytes) {
      faults.push(`${name}: other registers`);
    }
    const allowed = Math.max(2, 3 * RELATIVE_ERROR * expected.distinct);
    if (Math.abs(found.estimate - expected.distinct) > allowed) {
      faults.push(
        `${name}: estimate ${found.estimate} of ${expected.distinct}`,
      );
    }
  }
  for (const [name, { registers }] of stored) {
    if (registers.length > 0) faults.push(`${name}: surplus`);
  }
  return faults.slice(0, 5);
}

interface StoredSketch {
  readonly subject: number;
  readonly first: number;
  readonly second: number;
  readonly estimate: number;
  readonly is_stale: boolean;
  readonly registers: Uint8Array;
}

function nameOf(
  { subject, first, second }: {
    readonly subject: number;
    readonly first: number;
    readonly second: number;
  },
): string {
  return `distinct_sketch ${subject} (${first}, ${second})`;
}
