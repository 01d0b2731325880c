/**
 * Makes statistics again from the tables: of days and relays that are new to them, or whose facts were dropped, and
 * sketches that something was deleted of.
 *
 * Each step is part of a transaction that sees one snapshot and has folded every fact in it. So what it reads in the tables
 * is just what statistics have to say; facts about days and relays that are still to be made are left out by the fold.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Sql } from "../../core/database/connection/database.ts";
import { isThrowaway } from "../../models/kinds.ts";
import { Authors } from "./authors.ts";
import { NOBODY, StatisticsChanges } from "./changes.ts";
import { DistinctSketch, sketchEntry } from "./distinct_sketch.ts";
import {
  readSketches,
  type SketchKey,
  type StoredSketch,
  SUBJECTS,
  writeSketches,
} from "./sketch_changes.ts";
import { storeChanges } from "./store_changes.ts";

/** Sightings of one step: some seconds. */
const STEP_SIGHTINGS = 100_000;

/** Makes one day, a part of one relay, or one sketch. Returns false when nothing is to be made. */
export async function remakeNext(sql: Sql): Promise<boolean> {
  const [next] = await sql<Next[]>`
    select day, relay_id as "relayId", upto from statistics_next()`;
  if (next === undefined) return await remakeSketches(sql);
  const { day, relayId, upto } = next;
  if (day !== null) await makeDay(sql, day);
  else if (upto === null) {
    await sql`select statistics_begin_relay(${relayId}::int4)`;
  } else await makeRelayPart(sql, relayId!, upto);
  return true;
}

interface Next {
  readonly day: number | null;
  readonly relayId: number | null;
  /** Hex; null for a relay that is not begun. */
  readonly upto: string | null;
}

async function makeDay(sql: Sql, day: number): Promise<void> {
  // First, so that what is dropped from now on is remembered anew.
  await sql`delete from fact_dropped where day = ${day}::int4`;
  await sql`select statistics_make_day(${day}::int4)`;
  await sql`select statistics_sweep_authors()`;
  const before = await sql<{ kind: number; registers: string }[]>`
    delete from distinct_sketch
    where subject = ${SUBJECTS.kindDay} and first = ${day}::int4
    returning second as kind, encode(registers, 'base64') as registers`;
  const made = new Map<number, DistinctSketch>();
  const rows = await sql<{ kind: number; pubkeys: string }[]>`
    select kind, pubkeys from statistics_day_authors(${day}::int4, null)`;
  for (const { kind, pubkeys } of rows) made.set(kind, sketchOf(pubkeys));
  await writeSketches(
    sql,
    [...made].map(([kind, sketch]) => ({
      key: { subject: SUBJECTS.kindDay, first: day, second: kind },
      sketch,
      isStale: false,
    })),
  );
  // What the day has no more is still in the sketches of the kinds.
  const spoiled = before.filter(({ kind, registers }) =>
    !includes(made.get(kind), sketchOfRegisters(registers))
  ).map(({ kind }) => kind);
  await mergeKinds(sql, { made, spoiled: new Set(spoiled) });
}

function includes(
  whole: DistinctSketch | undefined,
  part: DistinctSketch,
): boolean {
  return whole !== undefined &&
    !DistinctSketch.of(whole.bytes()).merge(part);
}

/** @param keys 32 bytes each, base64. */
function sketchOf(keys: string): DistinctSketch {
  const bytes = Uint8Array.fromBase64(keys);
  const sketch = DistinctSketch.of(null);
  for (let i = 0; i < bytes.length; i += 32) {
    sketch.addEntry(sketchEntry(bytes, i));
  }
  return sketch;
}

function sketchOfRegisters(base64: string): DistinctSketch {
  return DistinctSketch.of(Uint8Array.fromBase64(base64));
}

/** Adds a day's sketches to those of the kinds, and marks those it has taken something from. */
async function mergeKinds(
  sql: Sql,
  { made, spoiled }: {
    readonly made: ReadonlyMap<number, DistinctSketch>;
    readonly spoiled: ReadonlySet<number>;
  },
): Promise<void> {
  const kinds = [...new Set([...made.keys(), ...spoiled])];
  const keys = kinds.map((kind) => ({
    subject: SUBJECTS.kind,
    first: kind,
    second: 0,
  }));
  const stored = await readSketches(sql, keys);
  await writeSketches(
    sql,
    keys.map((key, i) => {
      const found = stored.get(i);
      const sketch = DistinctSketch.of(found?.registers ?? null);
      const part = made.get(key.first);
      if (part !== undefined) sketch.merge(part);
      const isStale = found?.isStale === true || spoiled.has(key.first);
      return { key, sketch, isStale };
    }),
  );
}

/** Sketches of one step, by subject: all of them are small work, but for the events of a relay. */
const STEP_SKETCHES = 50;

/** Makes sketches again that something was deleted of. Their parts come first, by the order of subjects. */
async function remakeSketches(sql: Sql): Promise<boolean> {
  const stale = await sql<SketchKey[]>`
    select subject, first, second from distinct_sketch where is_stale
    order by subject, first, second limit ${STEP_SKETCHES}`;
  const subject = stale[0]?.subject;
  if (subject === undefined) return false;
  const all = stale.filter((key) => key.subject === subject);
  const keys = subject === SUBJECTS.relayEvents ? all.slice(0, 1) : all;
  const made: StoredSketch[] = [];
  for (const key of keys) {
    made.push({ key, sketch: await makeSketch(sql, key), isStale: false });
  }
  await writeSketches(sql, made);
  return true;
}

/** A sketch as the tables and other statistics have it now. Changes nothing. */
export async function makeSketch(
  sql: Sql,
  { subject, first, second }: SketchKey,
): Promise<DistinctSketch> {
  switch (subject) {
    case SUBJECTS.kindDay: {
      const [row] = await sql<{ pubkeys: string }[]>`
        select pubkeys from statistics_day_authors(
          ${first}::int4, ${second}::int4)`;
      return sketchOf(row?.pubkeys ?? "");
    }
    case SUBJECTS.relayKind:
      return await sketchOfAuthors(sql, first, second);
    case SUBJECTS.relay: {
      const authors = await sketchOfAuthors(sql, first, null);
      authors.merge(await sketchOfEvents(sql, first, { isThrowaway: true }));
      return authors;
    }
    case SUBJECTS.relayEvents:
      return await sketchOfEvents(sql, first, { isThrowaway: false });
    default: {
      const sketch = DistinctSketch.of(null);
      const parts = await sql<{ registers: string }[]>`
        select registers from statistics_sketch_parts(
          ${subject}::int2, ${first}::int4)`;
      for (const { registers } of parts) {
        sketch.merge(sketchOfRegisters(registers));
      }
      return sketch;
    }
  }
}

/** @param kind Null for any. */
async function sketchOfAuthors(
  sql: Sql,
  relayId: number,
  kind: number | null,
): Promise<DistinctSketch> {
  const [row] = await sql<{ pubkeys: string | null }[]>`
    select statistics_relay_authors(
      ${relayId}::int4, ${kind}::int4) as pubkeys`;
  return sketchOf(row!.pubkeys ?? "");
}

/** Reads all there is of a relay; where nothing is of the kinds whose keys are thrown away, for these not at all. */
async function sketchOfEvents(
  sql: Sql,
  relayId: number,
  { isThrowaway }: { readonly isThrowaway: boolean },
): Promise<DistinctSketch> {
  const sketch = DistinctSketch.of(null);
  const pages = sql<{ ids: string | null }[]>`
    select statistics_relay_events(${relayId}::int4, ${isThrowaway}) as ids
    where not ${isThrowaway} or exists (
      select from relay_kind
      where relay_id = ${relayId}::int4 and kind_is_throwaway(kind))`;
  for await (const rows of pages.cursor(STEP_PAGES)) {
    for (const { ids } of rows) sketch.merge(sketchOf(ids ?? ""));
  }
  return sketch;
}

/** Pages of sightings read at a time. */
const STEP_PAGES = 500;

interface PageRow {
  /** `created_at` and id, hex. */
  readonly key: string;
  /** Null when its event is not there, which must not be. */
  readonly kind: number | null;
  readonly pubkey: string;
}

async function makeRelayPart(
  sql: Sql,
  relayId: number,
  upto: string,
): Promise<void> {
  const rows = await sql<PageRow[]>`
    select key, kind, pubkey from statistics_relay_page(
      ${relayId}::int4, decode(${upto}::text, 'hex'), ${STEP_SIGHTINGS}::int4)`;
  const [relay] = await sql<{ network: number }[]>`
    select network from statistics_networks(array[${relayId}::int4])`;
  const authors = new Authors();
  const changes = new StatisticsChanges(authors, 0);
  for (const { key, kind, pubkey } of relay === undefined ? [] : rows) {
    if (kind === null) continue;
    const id = Buffer.from(key.slice(16), "hex");
    changes.addSighting({
      sign: 1,
      createdAt: Number.parseInt(key.slice(0, 16), 16),
      kind,
      author: isThrowaway(kind)
        ? NOBODY
        : authors.place(Buffer.from(pubkey, "hex"), 0),
      relayId,
      network: relay!.network,
      eventEntry: sketchEntry(id, 0),
    });
  }
  await storeChanges(sql, { changes, authors });
  // However few there are in a page of sightings: only none is the end.
  if (rows.length === 0 || relay === undefined) {
    await sql`delete from relay_remake where relay_id = ${relayId}::int4`;
    return;
  }
  const next = `${rows.at(-1)!.key}00`;
  await sql`
    update relay_remake set upto = decode(${next}::text, 'hex')
    where relay_id = ${relayId}::int4`;
}
