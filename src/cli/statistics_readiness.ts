/**
 * Whether the statistics that a refresher keeps go on.
 *
 * @module
 */
import {
  type StatisticsStatus,
  statisticsStatus,
} from "../archive/statistics/refresh.ts";
import { databaseClock } from "../archive/clock.ts";
import type { Database } from "../core/database/connection/database.ts";
import type { Readiness } from "../core/metrics/metrics_server.ts";

/** A probe must be answered before the prober loses patience. */
const DEADLINE_MS = 1_000;

/** A large day is made in less; a backlog is no fault as long as it becomes less. */
const STANDSTILL_SECONDS = 600;

/** Lag and work left as facts of the answer; a problem when facts wait and nobody folds them. */
export async function statisticsReadiness(
  database: Database,
): Promise<Readiness> {
  const signal = AbortSignal.timeout(DEADLINE_MS);
  try {
    const { status, now } = await database.run(async (sql) => ({
      status: await statisticsStatus(sql),
      now: (await databaseClock(sql)).now,
    }), { signal });
    const { oldestSeconds, daysToMake, relaysToMake } = status;
    return {
      problems: standstill(status, now),
      facts: {
        statisticsLagSeconds: oldestSeconds ?? 0,
        unmadeDays: daysToMake,
        unmadeRelays: relaysToMake,
      },
    };
  } catch {
    // That the database does not answer is said already.
    return { problems: [], facts: {} };
  }
}

function standstill(
  { oldestSeconds, foldedAt }: StatisticsStatus,
  now: number,
): string[] {
  if (oldestSeconds === null || oldestSeconds < STANDSTILL_SECONDS) return [];
  const since = foldedAt === null ? oldestSeconds : now - foldedAt;
  return since < STANDSTILL_SECONDS
    ? []
    : [`refresher: facts wait, and nothing was folded for ${since} s`];
}
