/**
 * The database: how fast it takes events, how fast it knows them again, and what they cost on disk.
 *
 * @module
 */
import { join } from "node:path";
import {
  encodeEvents,
  encodeKeys,
  type EventKeys,
} from "../../src/models/encoded_events.ts";
import type { NostrEvent } from "../../src/models/event.ts";
import {
  knownEvents,
  storeBatch,
  type SyncBatch,
} from "../../src/archive/events.ts";
import type { Edition } from "../../src/core/database/migrate.ts";
import { insertRelays, relayIds } from "../../src/archive/relays.ts";
import { type TestArchive, testArchive } from "../support/archive.ts";
import {
  scratchCluster,
  scratchDatabase,
  type ServerVersion,
  serverVersions,
} from "../support/postgres.ts";
import {
  figure,
  heading,
  median,
  medianOf,
  secondsOf,
  whole,
} from "./figures.ts";
import { randomEvents } from "./random_events.ts";

const RUNS = 5;
const EVENTS = 60_000;
const BATCH = 1_000;
const CONNECTIONS = 2;

/** Sightings per event in the comparison of sizes; the live network has 4.7. */
const SIGHTINGS = 5;
const RELAYS = 20;
const PAGE = 500;

/** Prints everything. */
export async function benchDatabase(): Promise<void> {
  const events = randomEvents(EVENTS, 1);
  for (const version of await serverVersions()) {
    await makeDurable(version);
    await benchSpeed(version, events);
  }
  await benchSize(events);
}

/** Scratch clusters do not sync to disk; figures must, as production does. */
async function makeDurable(version: ServerVersion): Promise<void> {
  const cluster = await scratchCluster({ version });
  const sql = cluster.connect("postgres");
  for (const setting of ["fsync", "synchronous_commit", "full_page_writes"]) {
    await sql.unsafe(`alter system set ${setting} = on`);
  }
  const [row] = await sql`select pg_reload_conf(), version()`;
  await sql.end();
  const [name] = String(row!["version"]).split(" on ");
  heading(`${name}, ${CONNECTIONS} connections, batches of ${BATCH}`);
}

async function benchSpeed(
  version: ServerVersion,
  events: readonly NostrEvent[],
): Promise<void> {
  const walked = events.toSorted((a, b) => b.created_at - a.created_at);
  const keys = chunks(events, BATCH).map(halfUnknown);
  const checks: number[] = [];
  const sighted: number[] = [];
  const run = async (ordered: readonly NostrEvent[]) => {
    const batches = chunks(ordered, BATCH).map(encodeEvents);
    const known = chunks(ordered, BATCH).map(encodeKeys);
    await using archive = await testArchive({ version });
    const [relayId, other] = await twoRelays(archive);
    const store = (batch: Partial<SyncBatch>, relayId: number) =>
      storeBatch(archive.database, { ...EMPTY_BATCH, ...batch, relayId });
    const seconds = await secondsOf(() =>
      inParallel(batches, (events) => store({ events }, relayId))
    );
    const again = await secondsOf(() =>
      inParallel(known, (known) => store({ known }, other))
    );
    sighted.push(EVENTS / again);
    await archive.sql`vacuum analyze event`;
    checks.push(await checkedPerSecond(archive, keys));
    return EVENTS / seconds;
  };
  const stored = await medianOf(RUNS, () => run(walked));
  figure("events stored with a sighting, per second", whole(stored), "a walk");
  figure(
    "sightings of known events",
    whole(median(sighted.splice(0))),
    "a walk",
  );
  figure(
    "events looked up",
    whole(median(checks)),
    "half of them known",
  );
  const scattered = await medianOf(RUNS, () => run(events));
  figure("events stored", whole(scattered), "in no order of time");
  figure(
    "sightings of known events",
    whole(median(sighted.splice(0))),
    "in no order of time",
  );
}

async function checkedPerSecond(
  archive: TestArchive,
  keys: readonly EventKeys[],
): Promise<number> {
  const seconds = await secondsOf(() =>
    inParallel(keys, (batch) => knownEvents(archive.database, batch))
  );
  return EVENTS / seconds;
}

/** The same events and sightings in the prior art's tables, in ours, and in a lite archive. */
async function benchSize(events: readonly NostrEvent[]): Promise<void> {
  heading(
    `Bytes on disk, indexes included: ${
      whole(EVENTS)
    } events, ${SIGHTINGS} sightings each`,
  );
  const pages = relayPages(events);
  const theirs = await priorArtBytes(pages);
  const full = await archiveBytes("full", pages);
  const lite = await archiveBytes("lite", pages);
  const ratio = (ours: number, other: number) =>
    `${(ours / other).toFixed(2)} of `;
  figure("event, prior art's tables", whole(theirs.event));
  figure("event", whole(full.event), `${ratio(full.event, theirs.event)}it`);
  figure("sighting, prior art's tables", whole(theirs.sighting));
  figure(
    "sighting",
    whole(full.sighting),
    `${ratio(full.sighting, theirs.sighting)}it`,
  );
  figure(
    "event, lite",
    whole(lite.event),
    `${ratio(lite.event, full.event)}full`,
  );
  const all = (bytes: Bytes) => bytes.event + SIGHTINGS * bytes.sighting;
  figure(
    "event with its sightings, lite",
    whole(all(lite)),
    `${ratio(all(lite), all(full))}full`,
  );
}

/** Bytes of one. */
interface Bytes {
  readonly event: number;
  readonly sighting: number;
}

/** What a relay holds, as it is fetched. */
interface RelayPage {
  readonly relay: number;
  readonly events: readonly NostrEvent[];
}

/** Relay by relay, each newest first: the order in which an archive grows. */
function relayPages(events: readonly NostrEvent[]): RelayPage[] {
  const held = Array.from({ length: RELAYS }, (): NostrEvent[] => []);
  for (const [i, event] of events.entries()) {
    for (let copy = 0; copy < SIGHTINGS; copy++) {
      held[(i * 7 + copy * 3) % RELAYS]!.push(event);
    }
  }
  return held.flatMap((list, relay) =>
    chunks(list.toSorted((a, b) => b.created_at - a.created_at), PAGE)
      .map((page) => ({ relay, events: page }))
  );
}

async function archiveBytes(
  edition: Edition,
  pages: readonly RelayPage[],
): Promise<Bytes> {
  await using archive = await testArchive({ edition });
  const urls = Array.from({ length: RELAYS }, (_, i) => relayUrl(i));
  await insertRelays(
    archive.database,
    urls.map((url) => ({ url, network: "clearnet" })),
  );
  const ids = await relayIds(archive.database, urls);
  for (const [page, { relay, events }] of pages.entries()) {
    const flags = await knownEvents(archive.database, encodeKeys(events));
    await storeBatch(archive.database, {
      ...EMPTY_BATCH,
      seenAt: SEEN_AT + page,
      relayId: ids.get(relayUrl(relay))!,
      events: encodeEvents(events.filter((_, i) => flags[i] === 0)),
      known: encodeKeys(events.filter((_, i) => flags[i] === 1)),
    });
  }
  return await tableBytes(archive.sql, "sighting_page");
}

async function priorArtBytes(pages: readonly RelayPage[]): Promise<Bytes> {
  await using scratch = await scratchDatabase();
  const { sql } = scratch;
  const file = join(import.meta.dirname!, "prior_art.sql");
  await sql.unsafe(await Deno.readTextFile(file));
  for (let i = 0; i < RELAYS; i++) {
    await sql`insert into relay values (${relayUrl(i)}, 'clearnet', 0)`;
  }
  for (const [page, { relay, events }] of pages.entries()) {
    const rows = JSON.stringify(events);
    await sql`
      insert into event
      select decode(id, 'hex'), decode(pubkey, 'hex'), created_at, kind, tags,
        tags_to_tagvalues(tags), content, decode(sig, 'hex')
      from jsonb_to_recordset(${rows}::text::jsonb) as new (id text,
        pubkey text, created_at int8, kind int4, tags jsonb, content text,
        sig text)
      on conflict do nothing`;
    await sql`
      insert into event_relay
      select decode(id, 'hex'), ${relayUrl(relay)}, ${SEEN_AT + page}::int8
      from jsonb_to_recordset(${rows}::text::jsonb) as new (id text)
      on conflict do nothing`;
  }
  return await tableBytes(sql, "event_relay");
}

/** Tables with indexes, TOAST and partitions, after the GIN indexes have taken in what is pending. */
async function tableBytes(
  sql: TestArchive["sql"],
  sightings: string,
): Promise<Bytes> {
  await sql`vacuum`;
  const bytes = async (table: string) => {
    const [row] = await sql`
      select sum(pg_total_relation_size(oid)) as bytes from pg_class
      where oid = ${table}::text::regclass or oid in (
        select inhrelid from pg_inherits
        where inhparent = ${table}::text::regclass)`;
    return Number(row!["bytes"]);
  };
  return {
    event: await bytes("event") / EVENTS,
    sighting: await bytes(sightings) / (EVENTS * SIGHTINGS),
  };
}

const SEEN_AT = 1_790_000_000;

/** A batch of nothing, seen long ago. */
export const EMPTY_BATCH = {
  seenAt: SEEN_AT,
  events: encodeEvents([]),
  known: encodeKeys([]),
  hints: [],
  budgets: { maxPerHost: 0, maxPerDomain: 0, maxPerAuthor: 0 },
  rejected: [],
  coverage: [],
  gaps: [],
} as const;

async function twoRelays(
  { database }: TestArchive,
): Promise<readonly [number, number]> {
  const urls = [relayUrl(0), relayUrl(1)] as const;
  await insertRelays(
    database,
    urls.map((url) => ({ url, network: "clearnet" })),
  );
  const ids = await relayIds(database, urls);
  return [ids.get(urls[0])!, ids.get(urls[1])!];
}

/** As long as URLs of relays are. */
function relayUrl(number: number): string {
  return `wss://relay${number}.nostr.example`;
}

/** Keys of which every other one is of no event. */
function halfUnknown(events: readonly NostrEvent[]): EventKeys {
  return encodeKeys(events.map(({ id, created_at }, i) => ({
    created_at,
    id: i % 2 === 0 ? id : id.split("").toReversed().join(""),
  })));
}

/** As many at a time as there are connections. */
async function inParallel<T>(
  items: readonly T[],
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  await Promise.all(Array.from({ length: CONNECTIONS }, async () => {
    while (next < items.length) await work(items[next++]!);
  }));
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from(
    { length: Math.ceil(items.length / size) },
    (_, i) => items.slice(i * size, i * size + size),
  );
}
