/**
 * Who waits for whom at a lock: for one that is known, as autovacuum and other tests of the same server wait for locks, too.
 *
 * @module
 */
import type postgres from "postgres";
import { until } from "./until.ts";

/** The process of the server that works for this connection. */
export async function backendOf(sql: postgres.ISql): Promise<number> {
  const [row] = await sql<{ pid: number }[]>`select pg_backend_pid() as pid`;
  return row!.pid;
}

/** Waits until a program of ours, or this one, waits for a lock that this backend holds. */
export async function untilWaitedFor(
  what: string,
  { sql, holder }: { readonly sql: postgres.Sql; readonly holder: number },
): Promise<void> {
  await until(`${what} waits for a lock`, async () => {
    const rows = await sql`
      select from pg_stat_activity
      where application_name like 'bigbrotr%' and wait_event_type = 'Lock'
        and ${holder}::int = any(pg_blocking_pids(pid))`;
    return rows.length > 0;
  });
}
