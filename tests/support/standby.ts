/**
 * A standby that replicates asynchronously, lags, and takes the place of its primary.
 *
 * @module
 */
import postgres from "postgres";
import {
  resumeCluster,
  stopCluster,
  watchCluster,
} from "./postgres_cluster.ts";
import { freePort, type PrivatePostgres } from "./private_postgres.ts";
import { until } from "./until.ts";

/** What a primary needs to be told. */
export const REPLICATED = "wal_level = replica\nmax_wal_senders = 4\n";

export interface Standby extends AsyncDisposable {
  /** One connection as superuser, another once it took over; ended on disposal. */
  readonly sql: postgres.Sql;
  /** It has what the primary has, and nothing that the primary commits from now on. */
  detach(): Promise<void>;
  /** The primary crashes, and for those who ask at its port on 127.0.0.1 the standby is the primary. */
  takeOver(): Promise<void>;
}

/** Makes a standby of all that the primary has, and restarts the primary for that. Returns when it replicates. */
export async function standbyOf(primary: PrivatePostgres): Promise<Standby> {
  const { version } = primary;
  const directory = `${primary.directory}-standby`;
  const cluster = { version, directory };
  const data = `${directory}/data`;
  const port = freePort();
  await watchCluster(directory);
  await primary.restart("fast", async () => {
    await copy(primary.directory, directory);
    await Deno.writeTextFile(`${data}/standby.signal`, "");
    await configure(data, {
      port: String(port),
      unix_socket_directories: directory,
      primary_conninfo: `host=127.0.0.1 port=${primary.port} user=bigbrotr`,
    });
  });
  await resumeCluster(cluster);
  let sql = clientOf(directory, port);
  await caughtUp();
  return {
    get sql() {
      return sql;
    },
    async detach() {
      await caughtUp();
      await sql`alter system set primary_conninfo = ''`;
      await sql`select pg_reload_conf()`;
      await until("the standby is detached", async () => {
        const rows = await sql`select from pg_stat_wal_receiver`;
        return rows.length === 0;
      });
    },
    async takeOver() {
      await sql.end({ timeout: 1 });
      await stopCluster(primary, "immediate");
      await stopCluster(cluster, "fast");
      await configure(data, { port: String(primary.port) });
      await resumeCluster(cluster);
      sql = clientOf(directory, primary.port);
      await sql`select pg_promote()`;
    },
    async [Symbol.asyncDispose]() {
      await sql.end({ timeout: 1 });
      await stopCluster(cluster).catch(() => {});
      await Deno.remove(directory, { recursive: true });
    },
  };

  /** Waits until the standby has what the primary has now. */
  async function caughtUp(): Promise<void> {
    const [row] = await primary.sql<{ lsn: string }[]>`
      select pg_current_wal_insert_lsn()::text as lsn`;
    await until("the standby has caught up", async () => {
      const [standby] = await sql<{ isThere: boolean }[]>`
        select pg_last_wal_replay_lsn() >= ${row!.lsn}::pg_lsn as "isThere"
        from pg_stat_wal_receiver where status = 'streaming'`;
      return standby?.isThere ?? false;
    });
  }
}

function clientOf(directory: string, port: number): postgres.Sql {
  return postgres({
    host: directory,
    port,
    database: "postgres",
    user: "bigbrotr",
    max: 1,
    max_lifetime: null,
    onnotice: () => {},
  });
}

/** With its owners: the server refuses what is not its own. */
async function copy(from: string, to: string): Promise<void> {
  const { success } = await new Deno.Command("cp", {
    args: ["-a", from, to],
    stdin: "null",
  }).output();
  if (!success) throw new Error(`Cannot copy ${from} to ${to}`);
}

/** Settings that win over those before them. */
async function configure(
  data: string,
  settings: Readonly<Record<string, string>>,
): Promise<void> {
  const lines = Object.entries(settings)
    .map(([name, value]) => `${name} = '${value}'\n`);
  await Deno.writeTextFile(`${data}/postgresql.conf`, lines.join(""), {
    append: true,
  });
}
