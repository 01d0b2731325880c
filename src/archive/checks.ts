/**
 * Checks: the numbers of each look at a relay, for uptime and history.
 *
 * @module
 */
import { storableJson } from "../models/storable_text.ts";
import {
  type Executor,
  onConnection,
} from "../core/database/connection/executor.ts";

export interface RelayCheck {
  readonly relayId: number;
  /** Unix seconds. */
  readonly checkedAt: number;
  /** It opened and spoke. */
  readonly online: boolean;
  readonly openMs?: number | null | undefined;
  readonly readMs?: number | null | undefined;
  readonly writeMs?: number | null | undefined;
  /** Why it is not online, or what went wrong although it is. */
  readonly failure?: string | null | undefined;
}

/** Stores checks; one of the same relay and second is kept as it was. Gives the number of new ones. */
export function insertChecks(
  db: Executor,
  checks: readonly RelayCheck[],
): Promise<number> {
  if (checks.length === 0) return Promise.resolve(0);
  const rows = storableJson(checks);
  return onConnection(db, async (sql) => {
    const [row] = await sql<{ inserted: number }[]>`
      select relay_check_insert(${rows}::text::jsonb) as inserted`;
    return row!.inserted;
  }, { kind: "batch" });
}

/** The checks of a relay since a moment (Unix seconds), newest first. */
export function relayChecks(
  db: Executor,
  { relayId, since, limit }: {
    readonly relayId: number;
    readonly since: number;
    readonly limit: number;
  },
): Promise<RelayCheck[]> {
  return onConnection(db, async (sql) => {
    const rows = await sql<CheckRow[]>`
      select checked_at, online, open_ms, read_ms, write_ms, failure
      from relay_check
      where relay_id = ${relayId}::int and checked_at >= ${since}::int8
      order by checked_at desc limit ${limit}::int`;
    return rows.map((row) => ({
      relayId,
      checkedAt: Number(row.checked_at),
      online: row.online,
      openMs: row.open_ms,
      readMs: row.read_ms,
      writeMs: row.write_ms,
      failure: row.failure,
    }));
  });
}

/** postgres.js gives int8 as text. */
interface CheckRow {
  readonly checked_at: string;
  readonly online: boolean;
  readonly open_ms: number | null;
  readonly read_ms: number | null;
  readonly write_ms: number | null;
  readonly failure: string | null;
}
