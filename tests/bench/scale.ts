/**
 * What an archive of N events costs and how fast it answers: `deno task bench scale [--events N] [--sightings MEAN]
 * [--directory DIR]`. A directory is kept, and used again as it is.
 *
 * Cold is the first time after a restart of the server, with none of its files in the page cache; warm is the second time
 * that the same is asked.
 *
 * @module
 */
import postgres from "postgres";
import { insertRelays, relayIds } from "../../src/archive/relays.ts";
import { knownEvents, storeBatch } from "../../src/archive/events.ts";
import { pipelineCounts, syncStatus } from "../../src/archive/pipeline.ts";
import { EventReader } from "../../src/archive/reading/event_reader.ts";
import { relayVector } from "../../src/archive/sync/relay_listing.ts";
import { brotrConfig } from "../../src/core/config/brotr_config.ts";
import { connectDatabase } from "../../src/core/database/connect.ts";
import type { Database } from "../../src/core/database/connection/database.ts";
import { migrate } from "../../src/core/database/migrate.ts";
import { verifySchema } from "../../src/core/database/verify.ts";
import { encodeEvents, encodeKeys } from "../../src/models/encoded_events.ts";
import type { NostrEvent } from "../../src/models/event.ts";
import { filterHash } from "../../src/models/filter.ts";
import {
  resumeCluster,
  SOCKET_PORT,
  startCluster,
  stopCluster,
  watchCluster,
} from "../support/postgres_cluster.ts";
import { silentLogger } from "../support/silent_logger.ts";
import { EMPTY_BATCH } from "./database.ts";
import { figure, heading, median, secondsOf, whole } from "./figures.ts";
import { randomEvents } from "./random_events.ts";
import {
  eventId,
  fillArchive,
  FIRST_SECOND,
  SECONDS,
} from "./scale_archive.ts";
import { scaleQueries, type ScaleQuery } from "./scale_queries.ts";

export interface BenchScaleOptions {
  readonly events: number;
  readonly sightings: number;
  /** Kept; null for one that is deleted at the end. */
  readonly directory: string | null;
}

const VERSION = "embedded";
const SETTINGS = `
fsync = on
synchronous_commit = on
full_page_writes = on
shared_buffers = 512MB
max_wal_size = 8GB
checkpoint_timeout = 30min
`;

/** Prints everything. */
export async function benchScale(options: BenchScaleOptions): Promise<void> {
  const { events } = options;
  heading(`An archive of ${whole(events)} events`);
  const cluster = await openCluster(options);
  await printSizes(cluster, events);
  await printReading(cluster, events);
  await printWriting(cluster);
  await printRest(cluster);
}

/** A server of its own. */
export interface Cluster {
  readonly directory: string;
  readonly url: string;
  readonly sql: postgres.Sql;
  connect(): Promise<Database>;
}

/** Starts one with an archive in it, or finds what was made before. */
export async function openCluster(
  options: BenchScaleOptions,
): Promise<Cluster> {
  const directory = options.directory ??
    `/tmp/bigbrotr-scale-${Deno.pid}`;
  if (options.directory === null) await watchCluster(directory);
  const isThere = await exists(`${directory}/data/PG_VERSION`);
  if (!isThere) {
    await startCluster({ version: VERSION, directory, settings: SETTINGS });
  } else if (!await exists(`${directory}/data/postmaster.pid`)) {
    await resumeCluster({ version: VERSION, directory });
  }
  const sql = postgres({
    path: `${directory}/.s.PGSQL.${SOCKET_PORT}`,
    database: "postgres",
    user: "bigbrotr",
    max: 2,
    onnotice: () => {},
  });
  const url =
    `postgresql:///postgres?host=${directory}&port=${SOCKET_PORT}&user=bigbrotr`;
  const connect = () =>
    connectDatabase(
      brotrConfig.parse({
        database: { url },
        timeouts: { queryMs: 600_000, batchMs: 600_000 },
      }),
      { log: silentLogger(), signal: new AbortController().signal },
    );
  await using database = await connect();
  await migrate(database);
  if (!isThere) {
    const seconds = await secondsOf(() => fillArchive(sql, options));
    figure("made in", `${whole(seconds)} s`);
  }
  return { directory, url, sql, connect };
}

async function printSizes({ sql }: Cluster, events: number): Promise<void> {
  const relations = await sql<
    { name: string; bytes: string; of: string }[]
  >`
    select c.relname as name, t.relname as of,
      case when c.relkind = 'i' then pg_relation_size(c.oid)
        else pg_table_size(c.oid) end as bytes
    from pg_class t
    join pg_class c on c.oid = t.oid
      or c.oid in (select indexrelid from pg_index where indrelid = t.oid)
    where t.relkind = 'r' and t.relnamespace = 'public'::regnamespace
      and pg_total_relation_size(t.oid) > 1000000
    order by t.relname, c.relkind desc, 2 desc`;
  for (const { name, bytes, of } of relations) {
    const each = (Number(bytes) / events).toFixed(1);
    figure(`${of === name ? "" : "  "}${name}`, each, "bytes an event");
  }
  const [held] = await sql<{ count: string }[]>`
    select count(*) as count from event_relay`;
  figure("sightings an event", (Number(held!.count) / events).toFixed(2));
}

const COLD_RUNS = 9;
const WARM_RUNS = 40;

async function printReading(cluster: Cluster, events: number): Promise<void> {
  heading("Queries, ms: median and 99th percentile, cold and warm");
  for (const query of scaleQueries(events)) {
    await chill(cluster);
    await using database = await cluster.connect();
    const reader = new EventReader(database);
    const cold = await timesOf(reader, query, COLD_RUNS);
    await timesOf(reader, query, WARM_RUNS);
    const warm = await timesOf(reader, query, WARM_RUNS);
    figure(
      query.name,
      `${median(warm.ms).toFixed(1)} / ${highest(warm.ms)}`,
      `cold ${median(cold.ms).toFixed(1)} / ${highest(cold.ms)}, ${
        whole(warm.events)
      } events`,
    );
  }
  await using database = await cluster.connect();
  const reader = new EventReader(database);
  let read = 0;
  const before = Deno.memoryUsage().rss;
  let peak = 0;
  const seconds = await secondsOf(async () => {
    const { signal } = new AbortController();
    for await (const lines of reader.lines([{}], signal)) {
      read += lines.length;
      peak = Math.max(peak, Deno.memoryUsage().rss);
      if (read >= 1_000_000) break;
    }
  });
  figure(
    "everything, events/s",
    whole(read / seconds),
    `${whole(peak / 1e6)} MB resident, ${whole(before / 1e6)} before`,
  );
}

async function timesOf(
  reader: EventReader,
  query: ScaleQuery,
  runs: number,
): Promise<{ readonly ms: number[]; readonly events: number }> {
  const ms: number[] = [];
  let events = 0;
  const { signal } = new AbortController();
  for (let run = 0; run < runs; run++) {
    const filter = query.filter(run);
    const startedAt = performance.now();
    for await (const lines of reader.lines([filter], signal)) {
      events += lines.length;
    }
    ms.push(performance.now() - startedAt);
  }
  return { ms, events: events / runs };
}

/** The 99th percentile of few figures is the highest of them. */
function highest(figures: readonly number[]): string {
  return Math.max(...figures).toFixed(0);
}

const NEW_EVENTS = 20_000;
const BATCH = 1_000;
const WALKED = 60 * 86_400;

async function printWriting(cluster: Cluster): Promise<void> {
  heading(`Writing, one connection, batches of ${whole(BATCH)}`);
  for (const state of ["cold", "warm"] as const) {
    if (state === "cold") await chill(cluster);
    await using database = await cluster.connect();
    const url = `wss://new-${crypto.randomUUID()}.example`;
    await insertRelays(database, [{ url, network: "clearnet" }]);
    const relayId = (await relayIds(database, [url])).get(url)!;
    const events = walkedEvents();
    const rate = async (work: (batch: typeof events) => Promise<unknown>) => {
      const seconds = await secondsOf(async () => {
        for (let at = 0; at < events.length; at += BATCH) {
          await work(events.slice(at, at + BATCH));
        }
      });
      return whole(events.length / seconds);
    };
    const empty = { ...EMPTY_BATCH, relayId };
    const stored = await rate((batch) =>
      storeBatch(database, { ...empty, events: encodeEvents(batch) })
    );
    figure(`new events with a sighting, per second, ${state}`, stored);
    const known = await rate((batch) =>
      knownEvents(database, encodeKeys(batch))
    );
    figure("ids known again, per second", known);
    const other = `wss://other-${crypto.randomUUID()}.example`;
    await insertRelays(database, [{ url: other, network: "clearnet" }]);
    const otherId = (await relayIds(database, [other])).get(other)!;
    const sighted = await rate((batch) =>
      storeBatch(database, {
        ...empty,
        relayId: otherId,
        known: encodeKeys(batch),
      })
    );
    figure("sightings of known events, per second", sighted);
  }
}

/** Two months of a relay, newest first, as a sync meets them. */
function walkedEvents(): NostrEvent[] {
  const seed = crypto.getRandomValues(new Uint32Array(1))[0]!;
  return randomEvents(NEW_EVENTS, seed).map((event, i) => ({
    ...event,
    created_at: FIRST_SECOND + SECONDS - Math.floor(i * WALKED / NEW_EVENTS),
  }));
}

async function printRest(cluster: Cluster): Promise<void> {
  heading("The rest, seconds");
  await using database = await cluster.connect();
  const filter = {};
  const vector = await secondsOf(() =>
    relayVector(database, {
      relayId: 1,
      filterHash: filterHash(filter),
      filter,
      window: { since: 0, until: Number.MAX_SAFE_INTEGER },
      before: null,
      limit: 100_000,
      withheldSince: 0,
    })
  );
  figure("100 000 of a relay's NIP-77 vector", vector.toFixed(3));
  const holders = await secondsOf(() =>
    cluster.sql`select relay_id
      from event_relays(decode(${eventId(7)}, 'hex'))`
  );
  figure("which relays hold an event", holders.toFixed(4));
  figure(
    "status",
    (await secondsOf(async () => {
      await pipelineCounts(database);
      await syncStatus(database);
    })).toFixed(3),
  );
  figure(
    "db verify",
    (await secondsOf(() => verifySchema(database))).toFixed(2),
  );
}

/** Stops the server, drops its files from the page cache, and starts it again. */
async function chill({ directory, sql }: Cluster): Promise<void> {
  await sql`checkpoint`;
  await stopCluster({ version: VERSION, directory }, "fast");
  await new Deno.Command("sh", {
    args: [
      "-c",
      `find ${directory}/data -type f -size +64k -exec dd if={} iflag=nocache count=0 status=none \\;`,
    ],
  }).output();
  await resumeCluster({ version: VERSION, directory });
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
