import assert from "node:assert/strict";
import type { Database } from "../../../src/core/database/connection/database.ts";
import {
  dataDirectory,
  prepareDirectory,
} from "../../../src/core/database/embedded/data_directory.ts";
import { embeddedUrl } from "../../../src/core/database/embedded/embedded_url.ts";
import {
  clusterProcesses,
  guardProcesses,
  mainProcess,
  openDatabase,
  openServer,
} from "../../support/embedded.ts";
import { migrate } from "../../../src/core/database/migrate.ts";
import { runProgram, SOURCE } from "../../support/program.ts";
import { freePort } from "../../support/private_postgres.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";
import { brotrConfig } from "../../../src/core/config/brotr_config.ts";
import { connectDatabase } from "../../../src/core/database/connect.ts";
import { silentLogger } from "../../support/silent_logger.ts";

Deno.test("the embedded server is made, started and ended with its database, and keeps its data", async () => {
  await using directory = await temporaryDirectory();
  const dataDir = `${directory.path}/data`;
  {
    await using database = await openDatabase(dataDir);
    await database.transaction(async (sql) => {
      for (const name of ["btree_gin", "pgcrypto", "pg_stat_statements"]) {
        await sql`create extension ${sql(name)}`;
      }
      await sql`create table mark as select 1 as n`;
    });
    const [row] = await database.run((sql) =>
      sql`select current_setting('synchronous_commit') as commit,
        current_setting('fsync') as fsync,
        current_setting('data_checksums') as checksums,
        current_setting('listen_addresses') as addresses,
        (select datcollate || ' ' || pg_encoding_to_char(encoding)
          from pg_database where datname = current_database()) as locale`
    );
    assert.deepEqual({ ...row }, {
      commit: "on",
      fsync: "on",
      checksums: "on",
      addresses: "",
      locale: "C UTF8",
    });
  }
  assert.deepEqual(clusterProcesses(dataDir), []);
  assert.deepEqual(guardProcesses(dataDir), []);
  await using again = await openDatabase(dataDir);
  assert.deepEqual(await marks(again), [1]);
});

Deno.test("others attach to the running server, and their end is not the server's", async () => {
  await using directory = await temporaryDirectory();
  const dataDir = `${directory.path}/data`;
  await using owner = await openDatabase(dataDir);
  await owner.run((sql) => sql`create table mark as select 1 as n`);
  {
    await using guest = await openDatabase(dataDir);
    assert.deepEqual(await marks(guest), [1]);
  }
  assert.deepEqual(await marks(owner), [1]);
});

Deno.test("two that come at the same moment share one server", async () => {
  await using directory = await temporaryDirectory();
  const dataDir = `${directory.path}/data`;
  const servers = await Promise.all([1, 2, 3].map(() => openServer(dataDir)));
  try {
    assert.equal(servers.filter(({ owned }) => owned).length, 1);
  } finally {
    // The owner last, so that nobody takes over.
    servers.sort((a, b) => Number(a.owned) - Number(b.owned));
    for (const server of servers) await server[Symbol.asyncDispose]();
  }
  assert.deepEqual(clusterProcesses(dataDir), []);
});

Deno.test("a directory is prepared by several at the same moment", async () => {
  for (let turn = 0; turn < 20; turn++) {
    await using directory = await temporaryDirectory();
    const data = dataDirectory(`${directory.path}/data`);
    const users = await Promise.all(
      [1, 2, 3].map(() => prepareDirectory(data)),
    );
    assert.ok(users.every((user) => user !== null));
  }
});

Deno.test("whoever is attached takes over when the owner goes", async () => {
  await using directory = await temporaryDirectory();
  const dataDir = `${directory.path}/data`;
  const owner = await openDatabase(dataDir);
  await using heir = await openDatabase(dataDir);
  await owner.run((sql) => sql`create table mark as select 1 as n`);
  assert.deepEqual(await marks(heir), [1]);
  await owner[Symbol.asyncDispose]();
  assert.deepEqual(await marks(heir), [1]);
  assert.equal(guardProcesses(dataDir).length > 0, true);
});

Deno.test("the server comes back when its main process is killed, busy backends and all", async () => {
  await using directory = await temporaryDirectory();
  const dataDir = `${directory.path}/data`;
  await using database = await openDatabase(dataDir);
  await database.run((sql) => sql`create table mark as select 1 as n`);
  const started = Promise.withResolvers<void>();
  const lost = database.run(async (sql) => {
    // Computes without ever looking whether its server still lives.
    const busy = sql`select count(*) from generate_series(1, 1e12::bigint)`
      .execute();
    started.resolve();
    await busy;
  }, { signal: AbortSignal.timeout(2_000) });
  lost.catch(() => {});
  await started.promise;
  const before = mainProcess(dataDir);
  Deno.kill(before, "SIGKILL");
  assert.deepEqual(await marks(database), [1]);
  assert.notEqual(mainProcess(dataDir), before);
  await assert.rejects(lost);
});

Deno.test("the server is guarded again when its guard is killed", async () => {
  await using directory = await temporaryDirectory();
  const dataDir = `${directory.path}/data`;
  {
    await using database = await openDatabase(dataDir);
    await database.run((sql) => sql`create table mark as select 1 as n`);
    const guards = guardProcesses(dataDir);
    assert.ok(guards.length >= 2, "a shell and its watcher");
    for (const pid of guards) Deno.kill(pid, "SIGKILL");
    while (guardProcesses(dataDir).length < 2) await marks(database);
    assert.deepEqual(await marks(database), [1]);
  }
  assert.deepEqual(clusterProcesses(dataDir), []);
});

Deno.test("a path that is too long for a socket gets one elsewhere", async () => {
  await using directory = await temporaryDirectory();
  const dataDir = `${directory.path}/${"long/".repeat(20)}data`;
  const { sockets } = dataDirectory(dataDir);
  assert.ok(sockets.startsWith("/tmp/bigbrotr-"));
  await using cleanUp = new AsyncDisposableStack();
  cleanUp.defer(() => Deno.remove(sockets, { recursive: true }));
  await using database = await openDatabase(dataDir);
  await using guest = await openDatabase(dataDir);
  assert.equal((await guest.health()).ok, true);
  assert.equal((await database.health()).ok, true);
});

Deno.test("with a port roles can reach it by password over TCP, and the superuser cannot", async () => {
  await using directory = await temporaryDirectory();
  const dataDir = `${directory.path}/data`;
  const port = freePort();
  await using _server = await openServer(dataDir, { port });
  await using superuser = await connectUrl(await embeddedUrl({ dataDir }));
  await migrate(superuser);
  const urlOf = async (...args: string[]) => {
    const line = ["db", "url", "--data-dir", dataDir, ...args];
    const { code, stdout, stderr } = await runProgram(SOURCE, line, {
      cwd: directory.path,
    });
    assert.equal(code, 0, stderr);
    return stdout.trim();
  };
  for (const tcp of [false, true]) {
    const url = await urlOf(...(tcp ? ["--tcp"] : []));
    assert.equal(new URL(url).hostname, tcp ? "127.0.0.1" : "");
    await using reader = await connectUrl(url);
    await reader.run((sql) => sql`select * from event`);
    const [row] = await reader.run((sql) => sql`select current_user as name`);
    assert.equal(row?.name, "bigbrotr_reader");
    await assert.rejects(
      reader.run((sql) => sql`delete from event`),
      { code: "25006" },
    );
  }
  // The first URL goes on to work when it is asked for again.
  const writer = await urlOf("--tcp", "--role", "writer");
  assert.equal(await urlOf("--tcp", "--role", "writer"), writer);
  await using database = await connectUrl(writer);
  await database.run((sql) => sql`delete from event`);
  const open = `postgresql://bigbrotr@127.0.0.1:${port}/bigbrotr`;
  await assert.rejects(connectUrl(open), { fault: "refused" });
  const line = ["db", "url", "--tcp", "--role", "superuser"];
  const refused = await runProgram(
    SOURCE,
    [...line, "--data-dir", dataDir],
    { cwd: directory.path },
  );
  assert.equal(refused.code, 2);
});

async function marks(database: Database): Promise<unknown[]> {
  const rows = await database.run((sql) => sql`select n from mark`);
  return rows.map(({ n }) => n);
}

function connectUrl(url: string): Promise<Database> {
  return connectDatabase(
    brotrConfig.parse({ database: { url }, retry: { maxAttempts: 1 } }),
    { log: silentLogger(), signal: new AbortController().signal },
  );
}
