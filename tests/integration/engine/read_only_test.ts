/**
 * A server that takes no writes is not the one to write to: it is left, and another is asked for.
 */
import assert from "node:assert/strict";
import { brotrConfig } from "../../../src/core/config/brotr_config.ts";
import { connectDatabase } from "../../../src/core/database/connect.ts";
import type { Database } from "../../../src/core/database/connection/database.ts";
import { readiness } from "../../../src/core/lifecycle/readiness.ts";
import { createLogger, type Logger } from "../../../src/core/log/logger.ts";
import {
  type PrivatePostgres,
  privatePostgres,
} from "../../support/private_postgres.ts";
import { silentLogger } from "../../support/silent_logger.ts";
import { until } from "../../support/until.ts";

Deno.test("work waits while the server is set to read-only, and readiness says it", async () => {
  await using server = await privatePostgres();
  await using database = await connect(server, { mustWrite: true });
  await setReadOnly(server, "on");
  await heard(database);
  const work = database.run((sql) => sql`create table mark as select 1 as n`);
  await until("the database is away", () => Promise.resolve(database.isAway));
  const { problems } = await readiness(database, new Map());
  assert.match(problems.join(), /^database: .*it takes no writes now$/);
  await setReadOnly(server, "off");
  await work;
  await until("it is ready", async () => (await database.health()).ok);
});

Deno.test("work waits while the server is a standby, and goes on when there is a primary", async () => {
  await using server = await privatePostgres({
    settings: "wal_level = replica\n",
  });
  await using database = await connect(server, { mustWrite: true });
  await using reader = await connect(server, { mustWrite: false });
  await server.restart("fast", async () => {
    await Deno.writeTextFile(`${server.directory}/data/standby.signal`, "");
  });
  const work = database.run((sql) => sql`create table mark as select 1 as n`);
  await until("the standby is refused", async () => {
    const { detail = "" } = await database.health();
    return detail.includes("it is a standby, not the primary");
  });
  const [row] = await reader.run((sql) => sql`select 1 as n`);
  assert.equal(row?.n, 1, "reading is what a standby is good for");
  await reader.run((sql) => sql`select pg_promote()`);
  await work;
});

Deno.test("an open connection whose server stops to take writes is closed, and not given out again", async () => {
  await using server = await privatePostgres();
  await using database = await connect(server, { mustWrite: true });
  const backend = () =>
    database.run(async (sql) => {
      const [row] = await sql`select pg_backend_pid() as pid`;
      await sql`create table if not exists mark ()`;
      return row?.pid;
    });
  const before = await backend();
  await setReadOnly(server, "on");
  await heard(database);
  const after = backend();
  await until("the database is away", () => Promise.resolve(database.isAway));
  await setReadOnly(server, "off");
  assert.notEqual(await after, before);
});

Deno.test("a server that takes no writes is lost once, although all connections can still read", async () => {
  await using server = await privatePostgres();
  const log: unknown[] = [];
  await using database = await connect(server, {
    mustWrite: true,
    log: rememberingLogger(log),
  });
  const connections = [1, 2, 3, 4, 5, 6];
  await Promise.all(
    connections.map(() => database.run((sql) => sql`select pg_sleep(0.1)`)),
  );
  await setReadOnly(server, "on");
  await heard(database);
  const write = database.run((sql) => sql`create table mark as select 1 as n`);
  await until("the database is away", () => Promise.resolve(database.isAway));
  const reads = connections.map(() => database.run((sql) => sql`select 1`));
  await until(
    "it is not ready either",
    async () => !(await database.health()).ok,
  );
  await setReadOnly(server, "off");
  await Promise.all([write, ...reads]);
  assert.deepEqual(log, [
    "database lost, work waits for it",
    "database is back",
  ]);
});

Deno.test("a role that may only read is told so at once where something has to be written", async () => {
  await using server = await privatePostgres();
  await server.sql`create role onlooker login`;
  await server.sql`alter role onlooker set default_transaction_read_only = on`;
  await assert.rejects(
    connect(server, { mustWrite: true, user: "onlooker" }),
    { fault: "refused", message: /role onlooker is read-only/ },
  );
  await using database = await connect(server, {
    mustWrite: false,
    user: "onlooker",
  });
  // Nobody waits for a role to become another one.
  await assert.rejects(
    database.run((sql) => sql`create table mark ()`),
    { code: "25006" },
  );
});

async function setReadOnly(
  { sql }: PrivatePostgres,
  value: "on" | "off",
): Promise<void> {
  await sql.unsafe(`set transaction_read_only = off;
    set default_transaction_read_only = off`);
  await sql.unsafe(
    `alter system set default_transaction_read_only = ${value}`,
  );
  await sql`select pg_reload_conf()`;
}

/** Waits until the backend of the connection used last, and next, has read its settings again. */
async function heard(database: Database): Promise<void> {
  await until("the server takes no writes", async () => {
    const [row] = await database.run((sql) => sql`show transaction_read_only`);
    return row?.["transaction_read_only"] === "on";
  });
}

function connect(
  server: PrivatePostgres,
  { mustWrite, user = "bigbrotr", log = silentLogger() }: {
    readonly mustWrite: boolean;
    readonly user?: string;
    readonly log?: Logger;
  },
): Promise<Database> {
  const url = new URL(server.url);
  url.searchParams.set("user", user);
  return connectDatabase(
    brotrConfig.parse({
      database: { url: url.href },
      pool: { healthCheckAttempts: 1 },
      retry: { outageSeconds: 60, initialDelayMs: 10, maxDelayMs: 50 },
      breaker: { failureThreshold: 1_000, resetMs: 100 },
    }),
    {
      log,
      signal: new AbortController().signal,
      mustWrite,
    },
  );
}

/** Puts the message of each line into the list. */
function rememberingLogger(said: unknown[]): Logger {
  return createLogger({
    ...{ level: "info", format: "json", time: "iso", service: "test" } as const,
    sink: {
      write: (line) => void said.push(JSON.parse(line).message),
      [Symbol.dispose]: () => {},
    },
  });
}
