/**
 * Coverage of all synchronizers together, as metrics: read from the archive, so every process says the same.
 *
 * @module
 */
import type { Database } from "../../core/database/connection/database.ts";
import { type SyncStatus, syncStatus } from "../../archive/pipeline.ts";
import { STRENGTHS } from "../../archive/sync/sync_coverage.ts";
import type { ServiceMetrics } from "../../core/metrics/metrics.ts";

/** Coverage is not read more often: that takes time in proportion to the number of relays. */
const FRESH_MS = 60_000;

export class CoverageGauges {
  readonly #database: Database;
  readonly #gauges: ReturnType<typeof gaugesOf>;
  #readAtMs = -Infinity;

  constructor(
    { database, metrics }: {
      readonly database: Database;
      readonly metrics: ServiceMetrics;
    },
  ) {
    this.#database = database;
    this.#gauges = gaugesOf(metrics);
  }

  /** Reads coverage, unless that was done within the last minute. */
  async keepFresh(): Promise<void> {
    if (performance.now() - this.#readAtMs >= FRESH_MS) await this.refresh();
  }

  async refresh(): Promise<void> {
    this.#readAtMs = performance.now();
    this.#gauges(await syncStatus(this.#database));
  }
}

function gaugesOf(metrics: ServiceMetrics): (status: SyncStatus) => void {
  const relays = metrics.gauge(
    "sync_covered_relays",
    "Relays by whether anything is missing below the newest second that is proven; why not: sync_open_gaps, and `status --relay URL`",
    ["state"],
  );
  const share = metrics.gauge(
    "sync_covered_ratio",
    "Seconds proven complete of seconds wanted since November 2020, by how strongly; the sum should grow towards 1",
    ["strength"],
  );
  const lag = metrics.gauge(
    "sync_lag_seconds",
    "How far what is proven is behind now, median and worst of all walks; a growing median: too few synchronizers, or the database is slow",
    ["statistic"],
  );
  const running = metrics.gauge(
    "sync_leased_relays",
    "Relays that synchronizers work on now; 0 while the lag grows: none runs, or none gets through",
    [],
  );
  const gaps = byReason(
    metrics,
    "sync_open_gaps",
    "Windows in which events may be missing (sync_gap)",
  );
  const rejected = byReason(
    metrics,
    "sync_rejected_events",
    "Events refused so far (rejected_event has the newest of each relay)",
  );
  return (status) => {
    relays.set({ state: "complete" }, status.completeRelays);
    relays.set(
      { state: "incomplete" },
      status.wantedRelays - status.completeRelays,
    );
    for (const strength of STRENGTHS) {
      const covered = status.coveredShare ?? 0;
      share.set({ strength }, covered * status.strengths[strength]);
    }
    lag.set({ statistic: "median" }, status.medianLagSeconds ?? 0);
    lag.set({ statistic: "worst" }, status.worstLagSeconds ?? 0);
    running.set({}, status.running);
    gaps(status.gapReasons);
    rejected(status.rejectedReasons);
  };
}

/** A reason that is gone is 0, not what it was last. */
function byReason(metrics: ServiceMetrics, name: string, help: string) {
  const gauge = metrics.gauge(name, `${help}, by reason`, ["reason"]);
  const seen = new Set<string>();
  return (counts: Readonly<Record<string, number>>) => {
    for (const reason of Object.keys(counts)) seen.add(reason);
    for (const reason of seen) gauge.set({ reason }, counts[reason] ?? 0);
  };
}
