/**
 * What the refresher says of its work: metrics of each transaction, and a line now and then while a cycle lasts.
 *
 * @module
 */
import {
  type Refreshed,
  statisticsStatus,
} from "../../archive/statistics/refresh.ts";
import type { Context } from "../../core/lifecycle/service.ts";

export interface RefreshReport {
  /** One transaction, which took so long. Throws what the database throws. */
  add(refreshed: Refreshed, busyMs: number): Promise<void>;
  /** Nothing is left. */
  end(): void;
}

type Deps = Pick<Context, "database" | "log" | "metrics" | "once">;

/** Lines about a cycle that lasts are so far apart. */
const SAY_EVERY_MS = 30_000;

/** Begins a report of one cycle. A cycle that is over within half a minute is a line at level debug. */
export function startReport(deps: Deps): RefreshReport {
  const { database, log, once } = deps;
  const measure = measures(deps);
  const startedAtMs = performance.now();
  const total = { facts: 0, events: 0, sightings: 0, made: 0 };
  let saidAtMs = startedAtMs;
  let isLong = once;
  return {
    async add(refreshed, busyMs) {
      measure(refreshed, busyMs);
      total.facts += refreshed.facts;
      total.events += refreshed.events;
      total.sightings += refreshed.sightings;
      total.made += refreshed.made;
      if (performance.now() - saidAtMs < SAY_EVERY_MS) return;
      saidAtMs = performance.now();
      isLong = true;
      const status = await statisticsStatus(database);
      log.info("statistics catch up", {
        ...total,
        seconds: seconds(startedAtMs),
        factsLeft: status.waiting,
        daysLeft: status.daysToMake,
        relaysLeft: status.relaysToMake,
        sketchesLeft: status.staleSketches,
      });
    },
    end() {
      if (total.facts + total.made === 0 && !once) return;
      const fields = { ...total, seconds: seconds(startedAtMs) };
      if (isLong) log.info("statistics are up to date", fields);
      else log.debug("statistics are up to date", fields);
    },
  };
}

const BUCKETS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

function measures({ metrics }: Deps) {
  const duration = metrics.histogram(
    "refresh_seconds",
    "Duration of one transaction of the refresher",
    { labelNames: [], buckets: BUCKETS },
  );
  const folded = metrics.counter(
    "refresh_folded_total",
    "Events and sightings that this process folded into statistics",
    ["what"],
  );
  const made = metrics.counter(
    "refresh_made_total",
    "Steps in which this process made days or relays again; growing all the time: facts are dropped above the bound of the queue",
    [],
  );
  return (refreshed: Refreshed, busyMs: number) => {
    const { facts, events, sightings } = refreshed;
    if (facts + refreshed.made === 0) return;
    duration.observe({}, busyMs / 1_000);
    folded.inc({ what: "events" }, events);
    folded.inc({ what: "sightings" }, sightings);
    made.inc({}, refreshed.made);
  };
}

function seconds(sinceMs: number): number {
  return Math.round(performance.now() - sinceMs) / 1_000;
}
