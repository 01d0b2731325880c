/**
 * What happens to the embedded server when its owner dies at a bad moment. The owners are real processes, which run
 * with the program's own permissions.
 */
import assert from "node:assert/strict";
import { embeddedUrl } from "../../../src/core/database/embedded/embedded_url.ts";
import {
  clusterProcesses,
  guardProcesses,
  mainProcess,
  openDatabase,
  serve,
  startServe,
  untilEnded,
} from "../../support/embedded.ts";
import { NOBODY } from "../../support/postgres_cluster.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";

Deno.test("db serve prints the URL, serves who attaches, and SIGTERM ends it cleanly", async () => {
  await using directory = await temporaryDirectory();
  const dataDir = `${directory.path}/data`;
  await using owner = await serve(dataDir);
  {
    await using database = await openDatabase(dataDir);
    assert.equal((await database.health()).ok, true);
    const url = await embeddedUrl({ dataDir });
    const { code, stdout } = await owner.stop("SIGTERM");
    assert.deepEqual({ code, stdout }, { code: 0, stdout: `${url}\n` });
  }
  assert.deepEqual(clusterProcesses(dataDir), []);
  await assert.rejects(
    embeddedUrl({ dataDir }),
    /it is not running. Start it: bigbrotr db serve/,
  );
});

Deno.test("a second db serve on the same directory is told who runs it", async () => {
  await using directory = await temporaryDirectory();
  const dataDir = `${directory.path}/data`;
  await using owner = await serve(dataDir);
  await using second = startServe(dataDir);
  const { code, stderr } = await second.end();
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`process ${owner.pid} already does`));
  await owner.stop("SIGTERM");
});

Deno.test("the server does not outlive a killed owner", async () => {
  await using directory = await temporaryDirectory();
  const dataDir = `${directory.path}/data`;
  await using owner = await serve(dataDir);
  assert.ok(clusterProcesses(dataDir).length > 3);
  await owner.stop("SIGKILL");
  await untilEnded(dataDir);
});

Deno.test("killed owner after killed owner, nothing that was committed is lost", async () => {
  await using directory = await temporaryDirectory();
  const dataDir = `${directory.path}/data`;
  const rounds = 8;
  for (let round = 0; round < rounds; round++) {
    // The server of the round before may still run or shut down at this moment.
    await using owner = await serve(dataDir);
    {
      await using database = await openDatabase(dataDir);
      await database.transaction(async (sql) => {
        await sql`create table if not exists round (n int primary key)`;
        await sql`insert into round values (${round})`;
      });
      // Killed while attached: the guest's end must not make it the owner.
      await owner.stop("SIGKILL");
    }
  }
  await using database = await openDatabase(dataDir);
  const rows = await database.run((sql) => sql`select n from round order by n`);
  assert.deepEqual(rows.map(({ n }) => n), [...Array(rounds).keys()]);
});

Deno.test("a server that nobody guards any more is taken over", async () => {
  await using directory = await temporaryDirectory();
  const dataDir = `${directory.path}/data`;
  let orphan: number;
  {
    await using owner = await serve(dataDir);
    orphan = mainProcess(dataDir);
    for (const pid of guardProcesses(dataDir)) Deno.kill(pid, "SIGSTOP");
    await owner.stop("SIGKILL");
    for (const pid of guardProcesses(dataDir)) Deno.kill(pid, "SIGKILL");
  }
  assert.ok(clusterProcesses(dataDir).includes(orphan), "it runs on");
  await using next = await serve(dataDir);
  assert.notEqual(mainProcess(dataDir), orphan);
  assert.ok(!clusterProcesses(dataDir).includes(orphan));
  await next.stop("SIGTERM");
  assert.deepEqual(clusterProcesses(dataDir), []);
});

Deno.test("a pid file that names somebody else's process does not stop the start", async () => {
  await using directory = await temporaryDirectory();
  const dataDir = `${directory.path}/data`;
  {
    await using owner = await serve(dataDir);
    await owner.stop("SIGKILL");
    await untilEnded(dataDir);
  }
  // A living process of the very user that PostgreSQL runs as, which PostgreSQL itself would take for its own; and
  // like an administrator's shell it is in the directory.
  const stranger = new Deno.Command("/bin/sleep", {
    ...(Deno.uid() === 0 ? NOBODY : {}),
    args: ["600"],
    cwd: `${dataDir}/postgres`,
  }).spawn();
  try {
    const lines =
      `${stranger.pid}\n${dataDir}/postgres\n1\n5432\n${dataDir}/run\n\n`;
    await Deno.writeTextFile(`${dataDir}/postgres/postmaster.pid`, lines);
    await Deno.writeTextFile(`${dataDir}/run/.s.PGSQL.5432.lock`, lines);
    await using owner = await serve(dataDir);
    assert.equal((await owner.stop("SIGTERM")).code, 0);
  } finally {
    stranger.kill("SIGKILL");
    const { signal } = await stranger.status;
    assert.equal(signal, "SIGKILL", "it was left alone until now");
  }
});

Deno.test("an owner killed at any moment of its first start leaves nothing in the way", async () => {
  for (const afterMs of [200, 600, 1_000]) {
    await using directory = await temporaryDirectory();
    const dataDir = `${directory.path}/data`;
    {
      await using owner = startServe(dataDir);
      const timer = setTimeout(() => owner.stop("SIGKILL"), afterMs);
      await owner.end();
      clearTimeout(timer);
    }
    await using next = await serve(dataDir);
    assert.equal((await next.stop("SIGTERM")).code, 0);
    assert.deepEqual(clusterProcesses(dataDir), []);
  }
});
