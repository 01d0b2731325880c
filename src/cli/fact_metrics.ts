/**
 * Metrics of the queue of facts.
 *
 * @module
 */
import { Gauge, type Registry } from "prom-client";
import { type FactStatus, factStatus } from "../archive/facts.ts";
import type { Database } from "../core/database/connection/database.ts";
import { METRIC_PREFIX } from "../core/metrics/metrics.ts";

/** A scrape waits no longer: the rest of the metrics matters most when the database is away. */
const DEADLINE_MS = 2_000;

const GAUGES: Readonly<
  Record<string, { readonly help: string; of(status: FactStatus): number }>
> = {
  facts_waiting: {
    help:
      "Batches whose facts statistics have not taken; growing for hours: is the refresher running?",
    of: ({ rows }) => rows,
  },
  facts_waiting_bytes: {
    help: "Their size, roughly; the oldest are dropped above 256 MiB",
    of: ({ bytes }) => bytes,
  },
  facts_oldest_seconds: {
    help: "The age of the oldest of them: how far statistics are behind",
    of: ({ oldestSeconds }) => oldestSeconds ?? 0,
  },
  facts_dropped_days: {
    help:
      "Days of created_at that statistics make again, as facts about them were dropped",
    of: ({ droppedDays }) => droppedDays,
  },
  facts_dropped_relays: {
    help: "Relays that statistics make again",
    of: ({ droppedRelays }) => droppedRelays,
  },
};

/** Adds them to a registry; they are read when somebody asks, once for all of them. */
export function registerFactMetrics(
  registry: Registry,
  database: Database,
): void {
  let reading: Promise<FactStatus | null> | null = null;
  const read = () =>
    reading ??= database.run(factStatus, {
      signal: AbortSignal.timeout(DEADLINE_MS),
    }).catch(() => null).finally(() => reading = null);
  for (const [name, { help, of }] of Object.entries(GAUGES)) {
    new Gauge({
      name: METRIC_PREFIX + name,
      help,
      registers: [registry],
      async collect() {
        const status = await read();
        this.set(status === null ? NaN : of(status));
      },
    });
  }
}
