/**
 * PostgreSQL for tests: one scratch cluster per version and test run, a database from a template per test.
 *
 * The cluster belongs to the run (this process, whatever number of test files it runs in parallel): the first
 * file that asks starts it, a watcher stops it and deletes it as soon as the process is gone, however it went.
 * It is never the system's server, and it never syncs to disk.
 *
 * @module
 */
import { join } from "node:path";
import postgres from "postgres";
import type { z } from "zod";
import { brotrConfig } from "../../src/core/config/brotr_config.ts";
import { connectDatabase } from "../../src/core/database/connect.ts";
import type { Database } from "../../src/core/database/connection/database.ts";
import { unless } from "./installed.ts";
import { silentLogger } from "./silent_logger.ts";
import {
  debianBinaries,
  lock,
  type ServerVersion,
  SOCKET_PORT,
  startCluster,
  watchCluster,
} from "./postgres_cluster.ts";

export type { ServerVersion };

export interface ScratchCluster extends AsyncDisposable {
  readonly version: ServerVersion;
  readonly socketDirectory: string;
  readonly port: number;
  /** For `--database`, psql and postgres.js alike. */
  url(database: string): string;
  /** A pool of at most four connections; whoever opens it ends it. */
  connect(database: string): postgres.Sql;
}

export interface ScratchDatabase extends AsyncDisposable {
  readonly cluster: ScratchCluster;
  readonly name: string;
  readonly url: string;
  /** A pool of at most four connections, ended on disposal. */
  readonly sql: postgres.Sql;
  /** What services get, with the given parts of `config/brotr.yaml`; whoever opens it disposes it. */
  open(config?: z.input<typeof brotrConfig>): Promise<Database>;
}

export interface ScratchDatabaseOptions {
  /** Default: `embedded`. */
  readonly version?: ServerVersion;
  /** What fills a new template, such as the migrations. Run once per run, version and `template`. */
  readonly migrate?: (
    sql: postgres.Sql,
    target: { readonly url: string },
  ) => Promise<void>;
  /** Tells templates with different `migrate` apart; lowercase letters. Default: `schema`. */
  readonly template?: string;
}

/**
 * The versions to test on. Where no binaries of `debian` are installed, a test that is ignored says so.
 *
 * @example for (const version of await serverVersions()) Deno.test(`… on ${version}`, …)
 */
export async function serverVersions(): Promise<ServerVersion[]> {
  if (await debianBinaries() !== null) return ["embedded", "debian"];
  const obstacle = "no /usr/lib/postgresql/*/bin";
  Deno.test({ ...unless(obstacle, "Debian's PostgreSQL"), fn() {} });
  return ["embedded"];
}

/** For tests with one server beside the program: the oldest there is. */
export async function externalVersion(): Promise<ServerVersion> {
  return await debianBinaries() === null ? "embedded" : "debian";
}

/** A database of its own for one test, dropped on disposal; from a template when `migrate` is given. */
export async function scratchDatabase(
  options: ScratchDatabaseOptions = {},
): Promise<ScratchDatabase> {
  const cluster = await scratchCluster({
    version: options.version ?? "embedded",
  });
  const template = options.migrate
    ? await ensureTemplate(
      cluster,
      options.migrate,
      options.template ?? "schema",
    )
    : "template1";
  const name = `t_${crypto.randomUUID().replaceAll("-", "")}`;
  await administer(
    cluster,
    (sql) => sql`create database ${sql(name)} template ${sql(template)}`,
  );
  const sql = cluster.connect(name);
  return {
    cluster,
    name,
    url: cluster.url(name),
    sql,
    open: (config = {}) =>
      connectDatabase(
        brotrConfig.parse({ ...config, database: { url: cluster.url(name) } }),
        { log: silentLogger(), signal: new AbortController().signal },
      ),
    async [Symbol.asyncDispose]() {
      await sql.end({ timeout: 5 });
      await administer(
        cluster,
        (sql) => sql`drop database ${sql(name)} with (force)`,
      );
    },
  };
}

/** The run's cluster of this version, started when nobody has yet. Disposal leaves it to the run. */
export async function scratchCluster(
  options: { readonly version?: ServerVersion } = {},
): Promise<ScratchCluster> {
  const version = options.version ?? "embedded";
  const directory = join("/tmp", `bigbrotr-test-${Deno.pid}-${version}`);
  using _lock = await lock(`${directory}.lock`);
  if (!await isRunning(directory)) await start(version, directory);
  const port = SOCKET_PORT;
  return {
    version,
    socketDirectory: directory,
    port,
    url: (database) =>
      `postgresql:///${database}?host=${directory}&port=${port}&user=bigbrotr`,
    connect: (database) =>
      postgres({
        path: `${directory}/.s.PGSQL.${port}`,
        database,
        user: "bigbrotr",
        max: 4,
        max_lifetime: null,
        onnotice: () => {},
      }),
    async [Symbol.asyncDispose]() {},
  };
}

/** Runs the callback on a single connection to the cluster's `postgres` database. */
async function administer(
  cluster: ScratchCluster,
  work: (sql: postgres.Sql) => Promise<unknown>,
): Promise<void> {
  const sql = cluster.connect("postgres");
  try {
    await work(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/** Fills the template under another name and renames it, so that a failed try leaves none. */
async function ensureTemplate(
  cluster: ScratchCluster,
  migrate: NonNullable<ScratchDatabaseOptions["migrate"]>,
  label: string,
): Promise<string> {
  const template = `template_${label}`;
  const unfinished = `unfinished_${label}`;
  using _lock = await lock(`${cluster.socketDirectory}.${label}.lock`);
  await administer(cluster, async (sql) => {
    const [found] =
      await sql`select 1 from pg_database where datname = ${template}`;
    if (found) return;
    await sql`drop database if exists ${sql(unfinished)} with (force)`;
    await sql`create database ${sql(unfinished)}`;
    const filling = cluster.connect(unfinished);
    try {
      await migrate(filling, { url: cluster.url(unfinished) });
    } finally {
      await filling.end({ timeout: 5 });
    }
    await sql`alter database ${sql(unfinished)} rename to ${sql(template)}`;
  });
  return template;
}

async function isRunning(directory: string): Promise<boolean> {
  try {
    const lines = (await Deno.readTextFile(`${directory}/data/postmaster.pid`))
      .split("\n");
    return lines[7]?.trim() === "ready";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function start(version: ServerVersion, directory: string): Promise<void> {
  try {
    // What an earlier process of the same number left when even its watcher was killed.
    await Deno.remove(directory, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  await watchCluster(directory);
  await startCluster({ version, directory });
}
