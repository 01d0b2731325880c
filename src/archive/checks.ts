/**
 * Checks: the numbers of each visit to a relay, for uptime and history.
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
  /** Whether it opened and spoke. */
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
