/**
 * Metrics of the queue of facts, and of the statistics that are made of them.
 *
 * @module
 */
import { Counter, Gauge, type Registry } from "prom-client";
import { type FactStatus, factStatus } from "../archive/facts.ts";
import {
  type StatisticsStatus,
  statisticsStatus,
} from "../archive/statistics/refresh.ts";
import type { Database } from "../core/database/connection/database.ts";
import { METRIC_PREFIX } from "../core/metrics/metrics.ts";

/** A scrape waits no longer: the rest of the metrics matters most when the database is away. */
const DEADLINE_MS = 2_000;

/** All of it is the database's, whichever process tells it. */
interface Status {
  readonly queue: FactStatus;
  readonly statistics: StatisticsStatus;
}

interface Metric {
  readonly help: string;
  of(status: Status): number;
}

const GAUGES: Readonly<Record<string, Metric>> = {
  facts_waiting: {
    help:
      "Batches whose facts statistics have not taken; growing for hours: is the refresher running?",
    of: ({ queue }) => queue.rows,
  },
  facts_waiting_bytes: {
    help: "Their size, roughly; the oldest are dropped above 256 MiB",
    of: ({ queue }) => queue.bytes,
  },
  refresher_lag_seconds: {
    help:
      "How far statistics are behind: the age of the oldest fact that waits",
    of: ({ queue }) => queue.oldestSeconds ?? 0,
  },
  refresher_unmade_days: {
    help:
      "Days of created_at that statistics have to make from the archive: new ones, and those of which facts were dropped",
    of: ({ statistics }) => statistics.daysToMake,
  },
  refresher_unmade_relays: {
    help: "Relays that statistics have to make from the archive",
    of: ({ statistics }) => statistics.relaysToMake,
  },
  refresher_stale_sketches: {
    help:
      "Sketches of distinct things that still count something deleted, and have to be made again",
    of: ({ statistics }) => statistics.staleSketches,
  },
};

const COUNTERS: Readonly<Record<string, Metric>> = {
  refresher_events_total: {
    help:
      "Events folded into statistics, by any process, since the archive was made",
    of: ({ statistics }) => statistics.events,
  },
  refresher_sightings_total: {
    help: "Sightings folded into statistics",
    of: ({ statistics }) => statistics.sightings,
  },
  refresher_busy_seconds_total: {
    help:
      "Time spent on it; its rate is the share of one connection that statistics cost, near 1: the refresher cannot keep up",
    of: ({ statistics }) => statistics.busyMs / 1_000,
  },
};

/** Adds them to a registry; they are read when somebody asks, once for all of them. */
export function registerFactMetrics(
  registry: Registry,
  database: Database,
): void {
  let reading: Promise<Status | null> | null = null;
  const read = () =>
    reading ??= readStatus(database).finally(() => reading = null);
  const registers = [registry];
  for (const [name, { help, of }] of Object.entries(GAUGES)) {
    new Gauge({
      name: METRIC_PREFIX + name,
      help,
      registers,
      async collect() {
        const status = await read();
        this.set(status === null ? NaN : of(status));
      },
    });
  }
  for (const [name, { help, of }] of Object.entries(COUNTERS)) {
    new Counter({
      name: METRIC_PREFIX + name,
      help,
      registers,
      async collect() {
        const status = await read();
        // Where it is not known it stays as it was: a counter that falls is one that began anew.
        if (status === null) return;
        this.reset();
        this.inc(of(status));
      },
    });
  }
}

/** Null when the database does not answer. */
async function readStatus(database: Database): Promise<Status | null> {
  const signal = AbortSignal.timeout(DEADLINE_MS);
  try {
    return await database.run(async (sql) => ({
      queue: await factStatus(sql),
      statistics: await statisticsStatus(sql),
    }), { signal });
  } catch {
    return null;
  }
}
