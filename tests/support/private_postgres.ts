/**
 * A PostgreSQL for one test, with settings of its own, that may be tormented.
 *
 * @module
 */
import postgres from "postgres";
import {
  resumeCluster,
  type ServerVersion,
  startCluster,
  stopCluster,
  type StopMode,
  watchCluster,
} from "./postgres_cluster.ts";

export interface PrivatePostgres extends AsyncDisposable {
  readonly version: ServerVersion;
  /** Readable for this process and the server only; for certificates and the like. */
  readonly directory: string;
  /** Port on 127.0.0.1 and ::1. */
  readonly port: number;
  /** URL by the Unix socket, as superuser. */
  readonly url: string;
  /** One connection by the socket, as superuser; ended on disposal. */
  readonly sql: postgres.Sql;
  /** Stops it and starts it again, once `meanwhile` is done. */
  restart(mode: StopMode, meanwhile?: () => Promise<void>): Promise<void>;
}

export interface PrivatePostgresOptions {
  readonly version?: ServerVersion;
  readonly settings?: string;
  readonly hba?: string;
  /** Files that are put into the directory before the start, by name. */
  readonly files?: Readonly<Record<string, string>>;
}

/** Starts it on a free port of the loopback interface; disposal stops and deletes it. */
export async function privatePostgres(
  options: PrivatePostgresOptions = {},
): Promise<PrivatePostgres> {
  const version = options.version ?? "embedded";
  const name = crypto.randomUUID().slice(0, 8);
  const directory = `/tmp/bigbrotr-test-${Deno.pid}-${name}`;
  const port = freePort();
  await watchCluster(directory);
  await startCluster({
    version,
    directory,
    settings: `
listen_addresses = '127.0.0.1, ::1'
port = ${port}
${options.settings ?? ""}`,
    ...(options.hba !== undefined && { hba: options.hba }),
    ...(options.files && { files: options.files }),
  });
  const sql = postgres({
    path: `${directory}/.s.PGSQL.${port}`,
    database: "postgres",
    user: "bigbrotr",
    max: 1,
    max_lifetime: null,
    onnotice: () => {},
  });
  return {
    version,
    directory,
    port,
    url: `postgresql:///postgres?host=${directory}&port=${port}&user=bigbrotr`,
    sql,
    async restart(mode, meanwhile) {
      await stopCluster({ version, directory }, mode);
      await meanwhile?.();
      await resumeCluster({ version, directory });
    },
    async [Symbol.asyncDispose]() {
      await sql.end({ timeout: 1 });
      await stopCluster({ version, directory }).catch(() => {});
      await Deno.remove(directory, { recursive: true });
    },
  };
}

/** A port nobody listens on; somebody could come in between, but nobody else on this machine asks for it. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
