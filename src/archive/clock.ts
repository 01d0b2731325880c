/**
 * The database's clock. Machines that share an archive share it: what is compared with a moment in the database is
 * compared by this clock, and a clock of our own that differs is said.
 *
 * @module
 */
import type { WorkOptions } from "../core/database/connection/database.ts";
import {
  type Executor,
  onConnection,
} from "../core/database/connection/executor.ts";

/** Clocks that differ by more (seconds) are no accident of the network: one of them is wrong. */
export const MAX_SKEW_SECONDS = 5;

export interface DatabaseClock {
  /** Unix seconds by the database's clock. */
  readonly now: number;
  /**
   * Our clock minus the database's, seconds, to the millisecond: positive when ours is ahead. Off by half of the round
   * trip at most.
   */
  readonly skewSeconds: number;
}

/** Asks the database for its time. Throws what the database throws, and the reason of the signal. */
export function databaseClock(
  db: Executor,
  options?: Pick<WorkOptions, "signal">,
): Promise<DatabaseClock> {
  return onConnection(db, async (sql) => {
    // On the connection, so that the wait for one is no part of the round trip.
    const askedAt = Date.now();
    const startedAtMs = performance.now();
    const [row] = await sql<{ now: number }[]>`select clock_get() as now`;
    const { now } = row!;
    const midpointMs = askedAt + (performance.now() - startedAtMs) / 2;
    return {
      now: Math.floor(now),
      skewSeconds: Math.round(midpointMs - now * 1_000) / 1_000,
    };
  }, options);
}

/** Whether a clock is so far off that what it says must not be relied on. */
export function isSkewed(
  { skewSeconds }: Pick<DatabaseClock, "skewSeconds">,
): boolean {
  return Math.abs(skewSeconds) > MAX_SKEW_SECONDS;
}

/** Goes on from a moment of the database's clock (Unix seconds) by our monotonic one, whatever ours shows. */
export function clockFrom(moment: number): () => number {
  const startedAtMs = performance.now();
  return () => Math.floor(moment + (performance.now() - startedAtMs) / 1_000);
}
