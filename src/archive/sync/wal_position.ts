/**
 * What one transaction committed and a later one rests on: whether the server still has it.
 *
 * A standby that took over, or a backup that was restored, may lack the last commits, and a process at work goes on with what
 * it was told is stored. Who rests on earlier commits keeps the position of the server's log (WAL) and gives it along with
 * what it stores next, in the same transaction.
 *
 * @module
 */
import { errorCode } from "../../core/database/connection/database_error.ts";
import {
  type Executor,
  onConnection,
} from "../../core/database/connection/executor.ts";

/** Opaque. Null where the server does not say; then nothing is noticed. */
export type WalPosition = string | null;

/**
 * The position now. Throws an error of {@linkcode isCommitLoss} when `earlier` is not in the log of this server: in a
 * transaction, nothing of it is stored.
 */
export function advanceWal(
  db: Executor,
  earlier: WalPosition = null,
): Promise<WalPosition> {
  return onConnection(db, async (sql) => {
    const [row] = await sql<{ position: WalPosition }[]>`
      select wal_position_advance(${earlier}::text) as position`;
    return row!.position;
  });
}

/** Whether the server may lack commits that the work rested on, and refused it. */
export function isCommitLoss(error: unknown): boolean {
  return errorCode(error) === "BB001";
}
