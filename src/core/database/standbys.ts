/**
 * Standbys of the server, and what a failover to them would lose.
 *
 * @module
 */
import type { Database } from "./connection/database.ts";

/**
 * Names of the standbys that confirm no commit, each once; programs that only keep a copy of the log are none. Who may not
 * see how they stand is told none.
 */
export async function asynchronousStandbys(db: Database): Promise<string[]> {
  return await db.run(async (sql) => {
    const rows = await sql<{ name: string }[]>`
      select distinct coalesce(nullif(application_name, ''), 'a standby') as name
      from pg_stat_replication
      where sync_state = 'async'
        and application_name not in ('pg_receivewal', 'pg_basebackup')
      order by 1`;
    return rows.map(({ name }) => name);
  });
}
