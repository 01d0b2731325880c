/**
 * Old checks are rolled up by hour and day, and then deleted.
 *
 * @module
 */
import type { Database } from "../core/database/connection/database.ts";

export interface CheckRetentionOptions {
  /** Older checks are deleted; what they say stays in hours and days. Null keeps them for ever. */
  readonly checkDays: number | null;
  /** Older hours are deleted, days stay; null keeps them for ever. */
  readonly hourDays: number | null;
  /** Rows looked at by one statement, about. */
  readonly batchSize: number;
  readonly signal: AbortSignal;
}

/** Rows deleted. */
export interface ExpiredChecks {
  readonly checks: number;
  readonly checkHours: number;
}

const DAY_SECONDS = 86_400;

/** Checks that are under way at midnight are stored after so long. */
const SETTLED_SECONDS = 7_200;

/** A relay has as many checks and hours in the few days that are looked at, more or less. */
const ROWS_PER_RELAY = 100;

const CLEANUP = { kind: "cleanup" } as const;

/**
 * Rolls up the days that are over, then deletes what is too old, by the database's clock. Each page is a transaction of
 * its own: it can be killed or run twice at once, and goes on where it was.
 */
export async function retainChecks(
  db: Database,
  { checkDays, hourDays, batchSize, signal }: CheckRetentionOptions,
): Promise<ExpiredChecks> {
  const relays = Math.max(1, Math.floor(batchSize / ROWS_PER_RELAY));
  let more = true;
  while (more && !signal.aborted) {
    more = await rollUp(db, relays);
  }
  const age = (days: number | null) =>
    days === null ? null : days * DAY_SECONDS;
  const deleted = { checks: 0, checkHours: 0 };
  more = true;
  while (more && !signal.aborted) {
    const [page] = await db.run((sql) =>
      sql<ExpiryPage[]>`
        select relays, checks, hours from relay_check_expire(
          unix_now() - ${age(checkDays)}::int8,
          unix_now() - ${age(hourDays)}::int8, ${relays}::int)`, CLEANUP);
    deleted.checks += page!.checks;
    deleted.checkHours += page!.hours;
    more = page!.relays > 0;
  }
  return deleted;
}

async function rollUp(db: Database, relays: number): Promise<boolean> {
  const [page] = await db.run((sql) =>
    sql<{ relays: number }[]>`
      select relay_check_roll_up(unix_now() - ${SETTLED_SECONDS}::int8,
        ${relays}::int) as relays`, CLEANUP);
  return page!.relays > 0;
}

interface ExpiryPage {
  readonly relays: number;
  readonly checks: number;
  readonly hours: number;
}
