/**
 * What statistics cost and how fast they answer, on an archive of N events: `deno task bench refresh [--events N]
 * [--sightings MEAN] [--directory DIR]`. A directory is kept, and used again as it is.
 *
 * @module
 */
import type postgres from "postgres";
import { storeBatch } from "../../src/archive/events.ts";
import { insertRelays, relayIds } from "../../src/archive/relays.ts";
import {
  refreshStatistics,
  requestRemake,
  statisticsStatus,
} from "../../src/archive/statistics/refresh.ts";
import { derivedOptions } from "../../src/services/refresher/mod.ts";
import { loadVerifier } from "../../src/nips/verify/verifier.ts";
import { refresherConfig } from "../../src/services/refresher/config.ts";
import type { Database } from "../../src/core/database/connection/database.ts";
import { encodeEvents } from "../../src/models/encoded_events.ts";
import type { NostrEvent } from "../../src/models/event.ts";
import {
  type RunningProgram,
  SOURCE,
  startProgram,
} from "../support/program.ts";
import { syncBatch } from "../support/sync_batch.ts";
import { until } from "../support/until.ts";
import { figure, heading, median, secondsOf, whole } from "./figures.ts";
import { randomEvents } from "./random_events.ts";
import { type BenchScaleOptions, type Cluster, openCluster } from "./scale.ts";

const { signal } = new AbortController();
const CONFIG = refresherConfig.parse({});
const LIMIT = CONFIG.maxFactsPerTransaction;
const BATCH = 500;
/** All of it on. */
const DERIVED = derivedOptions(CONFIG, await loadVerifier());

/** Prints everything. */
export async function benchRefresh(options: BenchScaleOptions): Promise<void> {
  const { events } = options;
  heading(`Statistics of an archive of ${whole(events)} events`);
  const cluster = await openCluster(options);
  await using database = await cluster.connect();
  await printRebuild(database, events);
  await printSize(cluster.sql, events);
  await printNumbers(cluster.sql);
  const relayId = await benchRelay(database);
  await printFolding(database, relayId);
  await printLag(cluster, database, relayId);
  await printSlowdown(cluster, database, relayId);
}

/** Nothing is rebuilt of an archive whose directory was used before. */
async function printRebuild(database: Database, events: number): Promise<void> {
  const { daysToMake, facts } = await statisticsStatus(database);
  if (facts > 0 && daysToMake === 0) return;
  await foldAll(database);
  const { days, relays } = await requestRemake(database, {});
  const startedAtMs = performance.now();
  const seconds = () => (performance.now() - startedAtMs) / 1_000;
  await makeAll(database, ({ daysToMake }) => daysToMake === 0);
  const daySeconds = seconds();
  figure("days made anew", whole(days), `${whole(daySeconds)} s`);
  await foldAll(database);
  figure(
    "relays made anew",
    whole(relays),
    `${whole(seconds() - daySeconds)} s`,
  );
  figure("rebuild, events a second", whole(events / seconds()));
}

async function makeAll(
  database: Database,
  isDone: (
    status: Awaited<ReturnType<typeof statisticsStatus>>,
  ) => boolean,
): Promise<void> {
  for (;;) {
    const { isIdle } = await refreshStatistics(database, {
      limit: LIMIT,
      signal,
      derived: DERIVED,
    });
    if (isIdle || isDone(await statisticsStatus(database))) return;
  }
}

function foldAll(database: Database): Promise<void> {
  return makeAll(database, () => false);
}

async function printSize(sql: postgres.Sql, events: number): Promise<void> {
  const [size] = await sql<{ bytes: string; whole: string }[]>`
    select sum(pg_total_relation_size(name::regclass)) as bytes,
      pg_database_size(current_database()) as whole
    from unnest(${TABLES}::text[]) as name`;
  const bytes = Number(size!.bytes);
  figure(
    "disk for statistics, of the archive",
    `${(bytes / Number(size!.whole) * 100).toFixed(1)} %`,
    `${(bytes / events).toFixed(1)} bytes an event`,
  );
  const tables = await sql<{ name: string; bytes: string }[]>`
    select name, pg_total_relation_size(name::regclass) as bytes
    from unnest(${TABLES}::text[]) as name order by 2 desc`;
  for (const { name, bytes } of tables) {
    const each = (Number(bytes) / events).toFixed(2);
    figure(`  ${name}`, each, "bytes an event");
  }
}

const TABLES = [
  "event_minute",
  "kind_hour",
  "kind_day",
  "kind_total",
  "author",
  "author_day",
  "relay_day",
  "relay_kind",
  "relay_author",
  "distinct_sketch",
  "author_first",
  "contact",
  "contact_list",
  "contact_total",
  "author_fact",
  "author_topic",
  "zap",
];

/** Whoever asks for a year ends with the newest day. */
const LATEST =
  "(select day from author_day where day <= unix_now() / 86400 order by day desc limit 1)";

const NUMBERS: Readonly<Record<string, string>> = {
  "distinct authors of 30 days": `
    select count(distinct author) from author_day where day > ${LATEST} - 30 and day <= ${LATEST}`,
  "distinct authors of a year": `
    select count(distinct author) from author_day where day > ${LATEST} - 365 and day <= ${LATEST}`,
  "event_stats": "select * from event_stats",
  "event_daily_counts, a year": `
    select * from event_daily_counts order by 1 desc limit 365`,
  "kind_counts": "select * from kind_counts order by event_count desc",
  "kind_counts_by_relay, a relay": `
    select * from kind_counts_by_relay where relay_url = 'wss://r1.example'`,
  "pubkey_counts, top 100": `
    select * from pubkey_counts order by event_count desc limit 100`,
  "pubkey_counts_by_relay, top 100 of a relay": `
    select * from pubkey_counts_by_relay where relay_url = 'wss://r1.example'
    order by event_count desc limit 100`,
  "relay_stats": "select * from relay_stats",
  "network_stats": "select * from network_stats",
};

const READS = 7;

async function printNumbers(sql: postgres.Sql): Promise<void> {
  await sql`analyze`;
  for (const [name, query] of Object.entries(NUMBERS)) {
    await sql.unsafe(query);
    const times: number[] = [];
    for (let n = 0; n < READS; n++) {
      times.push(await secondsOf(() => sql.unsafe(query)));
    }
    figure(name, `${(median(times) * 1_000).toFixed(1)} ms`);
  }
}

async function benchRelay(database: Database): Promise<number> {
  const url = "wss://bench.example";
  await insertRelays(database, [{ url, network: "clearnet" }]);
  return (await relayIds(database, [url])).get(url)!;
}

const FOLDED = 40_000;

/** Each event with a sighting. What the archive's statistics have already is there, so that cells are found in large tables. */
async function printFolding(
  database: Database,
  relayId: number,
): Promise<void> {
  const worst = randomEvents(FOLDED, seedOf());
  // As a relay is walked, the newest first: some months of it.
  const walked = randomEvents(FOLDED, seedOf()).map((event, i) => ({
    ...event,
    created_at: Math.floor(Date.now() / 1_000) - i * 200,
  }));
  for (
    const [name, events] of [["worst order", worst], [
      "as the network comes",
      walked,
    ]] as const
  ) {
    await foldAll(database);
    const stored = await secondsOf(() => storeAll(database, relayId, events));
    const folded = await secondsOf(() => foldAll(database));
    figure(
      `events folded a second, ${name}`,
      whole(FOLDED / folded),
      `stored at ${whole(FOLDED / stored)}/s`,
    );
  }
}

/** Never the same events twice in an archive that is used again. */
function seedOf(): number {
  return Math.floor(Math.random() * 2 ** 31);
}

async function storeAll(
  database: Database,
  relayId: number,
  events: readonly NostrEvent[],
): Promise<void> {
  for (let i = 0; i < events.length; i += BATCH) {
    const part = events.slice(i, i + BATCH);
    await storeBatch(database, {
      ...syncBatch(relayId, []),
      events: encodeEvents(part),
    });
  }
}

const PER_SECOND = 5_000;
const LAG_SECONDS = 20;

/** From the commit of a batch to that of the fold that has it, with the refresher as a process of its own. */
async function printLag(
  cluster: Cluster,
  database: Database,
  relayId: number,
): Promise<void> {
  const events = randomEvents(PER_SECOND * LAG_SECONDS, seedOf());
  await foldAll(database);
  await using _refresher = await startRefresher(cluster, database);
  const before = (await statisticsStatus(database)).events;
  const committed: { atMs: number; events: number }[] = [];
  const lags: number[] = [];
  const total = before + events.length;
  const watching = (async () => {
    for (let folded = before; folded < total;) {
      folded = (await statisticsStatus(database)).events;
      const atMs = performance.now();
      while ((committed[0]?.events ?? Infinity) <= folded) {
        lags.push((atMs - committed.shift()!.atMs) / 1_000);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })();
  const startedAtMs = performance.now();
  for (let i = 0; i < events.length; i += BATCH) {
    const dueMs = startedAtMs + i / PER_SECOND * 1_000;
    const waitMs = dueMs - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    await storeAll(database, relayId, events.slice(i, i + BATCH));
    committed.push({ atMs: performance.now(), events: before + i + BATCH });
  }
  const seconds = (performance.now() - startedAtMs) / 1_000;
  await watching;
  lags.sort((a, b) => a - b);
  const at = (share: number) =>
    `${
      lags[Math.min(lags.length - 1, Math.floor(lags.length * share))]!.toFixed(
        2,
      )
    } s`;
  const rate = `at ${whole(events.length / seconds)} events/s`;
  figure("lag, median", at(0.5), rate);
  figure("lag, p99", at(0.99), rate);
}

const PAIRS = 3;
const STORED = 15_000;

/** How much slower one connection stores while the refresher works beside it. */
async function printSlowdown(
  cluster: Cluster,
  database: Database,
  relayId: number,
): Promise<void> {
  const ratios: number[] = [];
  const rates: number[] = [];
  const store = async () => {
    const events = randomEvents(STORED, seedOf());
    return STORED / await secondsOf(() => storeAll(database, relayId, events));
  };
  for (let pair = 0; pair < PAIRS; pair++) {
    const alone = await store();
    await foldAll(database);
    await using _refresher = await startRefresher(cluster, database);
    const beside = await store();
    rates.push(alone);
    ratios.push(beside / alone);
  }
  figure("events stored a second, alone", whole(median(rates)));
  figure(
    "with a refresher beside it",
    `${(median(ratios) * 100).toFixed(0)} %`,
    ratios.map((ratio) => `${(ratio * 100).toFixed(0)} %`).join(", "),
  );
}

/** One that has folded what waits. */
async function startRefresher(
  { url }: Cluster,
  database: Database,
): Promise<RunningProgram> {
  const line = ["refresher", "--database", url];
  const refresher = startProgram(SOURCE, line, { cwd: "/tmp" });
  await refresher.said(/service started/);
  await until(
    "nothing waits",
    async () => (await statisticsStatus(database)).waiting === 0,
  );
  return refresher;
}
