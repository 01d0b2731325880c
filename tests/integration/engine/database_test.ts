import assert from "node:assert/strict";
import type { Sql } from "../../../src/core/database/connection/database.ts";
import { DatabaseError } from "../../../src/core/database/connection/database_error.ts";
import {
  type ScratchDatabase,
  scratchDatabase,
  serverVersions,
} from "../../support/postgres.ts";

for (const version of await serverVersions()) {
  Deno.test(`transaction() on ${version} commits everything or nothing`, async () => {
    await using scratch = await scratchDatabase({ version });
    await scratch.sql`create table word (word text primary key)`;
    await using database = await scratch.open();
    const insert = (...words: string[]) =>
      database.transaction(async (sql) => {
        for (const word of words) await sql`insert into word values (${word})`;
        return words.length;
      });
    assert.equal(await insert("one", "two"), 2);
    await assert.rejects(insert("three", "two"), { code: "23505" });
    const rows = await scratch.sql`select word from word order by word`;
    assert.deepEqual(rows.map(({ word }) => word), ["one", "two"]);
  });

  Deno.test(`work on ${version} is tried again when its backend is killed`, async () => {
    await using scratch = await scratchDatabase({ version });
    await using database = await scratch.open({ retry: { initialDelayMs: 1 } });
    for (const way of ["run", "transaction"] as const) {
      let tries = 0;
      const answer = await database[way](async (sql) => {
        if (++tries < 3) await killBackend(scratch, await pidOf(sql));
        const [row] = await sql<{ n: number }[]>`select 42 as n`;
        return row?.n;
      });
      assert.deepEqual({ way, answer, tries }, { way, answer: 42, tries: 3 });
    }
  });

  Deno.test(`a deadline on ${version} cancels the statement on the server`, async () => {
    await using scratch = await scratchDatabase({ version });
    await using database = await scratch.open({
      timeouts: { queryMs: 200, batchMs: 300, cleanupMs: 400, refreshMs: 500 },
    });
    for (const kind of ["query", "batch", "cleanup", "refresh"] as const) {
      for (const way of ["run", "transaction"] as const) {
        let pid = 0;
        await assert.rejects(
          database[way](async (sql) => {
            pid = await pidOf(sql);
            await sql`select pg_sleep(60)`;
          }, { kind }),
          (error) =>
            error instanceof DatabaseError && error.fault === "timeout",
        );
        assert.equal(
          await isSleeping(scratch, pid),
          false,
          `${way} of ${kind}`,
        );
      }
    }
  });
}

Deno.test("a deadline also ends work that waits for something else than the server", async () => {
  await using scratch = await scratchDatabase();
  await using database = await scratch.open({ timeouts: { queryMs: 100 } });
  let pid = 0;
  await assert.rejects(
    database.transaction(async (sql) => {
      pid = await pidOf(sql);
      await new Promise(() => {});
    }),
    /within 100 ms \(timeouts\.queryMs\)/,
  );
  // The server notices the closed socket in its own time.
  while (await isConnected(scratch, pid));
});

Deno.test("work without a deadline may take its time", async () => {
  await using scratch = await scratchDatabase();
  await using database = await scratch.open({
    timeouts: { queryMs: 100, refreshMs: null },
  });
  const [row] = await database.transaction(
    (sql) =>
      sql`select pg_sleep(0.3), current_setting('statement_timeout') as t`,
    { kind: "refresh" },
  );
  assert.equal(row?.t, "0");
});

Deno.test("an aborted signal cancels the statement and is the reason", async () => {
  await using scratch = await scratchDatabase();
  await using database = await scratch.open();
  const stop = new AbortController();
  const reason = new Error("enough");
  let pid = 0;
  const work = database.run(async (sql) => {
    pid = await pidOf(sql);
    const sleeping = sql`select pg_sleep(60)`.execute();
    while (!await isSleeping(scratch, pid));
    stop.abort(reason);
    await sleeping;
  }, { signal: stop.signal });
  await assert.rejects(work, reason);
  assert.equal(await isSleeping(scratch, pid), false);
  await assert.rejects(
    database.run((sql) => sql`select 1`, { signal: stop.signal }),
    reason,
  );
});

Deno.test("a serialisation failure is tried again, a unique violation is not", async () => {
  await using scratch = await scratchDatabase();
  await using database = await scratch.open({
    retry: { maxAttempts: 4, initialDelayMs: 1 },
  });
  const failing = async (code: string) => {
    let tries = 0;
    const work = database.transaction(async (sql) => {
      tries++;
      await sql.unsafe(
        `do $$ begin raise exception using errcode = '${code}'; end $$`,
      );
    });
    await assert.rejects(work, { code });
    return tries;
  };
  assert.equal(await failing("40001"), 4);
  assert.equal(await failing("40P01"), 4);
  assert.equal(await failing("53300"), 4);
  assert.equal(await failing("23505"), 1);
  assert.equal(await failing("P0001"), 1);
});

Deno.test("two transactions that deadlock both succeed in the end", async () => {
  await using scratch = await scratchDatabase();
  await scratch.sql`create table tally (id int primary key, n int not null)`;
  await scratch.sql`insert into tally values (1, 0), (2, 0)`;
  await scratch.sql.unsafe(
    `alter database ${scratch.name} set deadlock_timeout = '10ms'`,
  );
  await using database = await scratch.open({ retry: { initialDelayMs: 1 } });
  const met = Promise.withResolvers<void>();
  let first = 0;
  const add = (a: number, b: number) =>
    database.transaction(async (sql) => {
      await sql`update tally set n = n + 1 where id = ${a}`;
      if (++first === 2) met.resolve();
      await met.promise;
      await sql`update tally set n = n + 1 where id = ${b}`;
    });
  await Promise.all([add(1, 2), add(2, 1)]);
  const rows = await scratch.sql`select n from tally`;
  assert.deepEqual(rows.map(({ n }) => n), [2, 2]);
  assert.ok(first > 2, "there was no deadlock");
});

Deno.test("a failed statement that the work does not mention fails the commit", async () => {
  await using scratch = await scratchDatabase();
  await using database = await scratch.open();
  await assert.rejects(
    database.transaction(async (sql) => {
      await sql`select 1 / 0`.catch(() => {});
    }),
    /Cannot commit the transaction.*ROLLBACK/,
  );
});

Deno.test("disposal finishes the work in hand and takes no more", async () => {
  await using scratch = await scratchDatabase();
  await scratch.sql`create table done (n int)`;
  const database = await scratch.open();
  const started = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  const work = database.transaction(async (sql) => {
    await sql`insert into done values (1)`;
    started.resolve();
    await go.promise;
    await sql`insert into done values (2)`;
  });
  await started.promise;
  const closed = database[Symbol.asyncDispose]();
  await assert.rejects(database.run((sql) => sql`select 1`), {
    name: "DatabaseError",
    fault: "closed",
  });
  go.resolve();
  await Promise.all([work, closed]);
  const [row] = await scratch.sql`select sum(n)::int as sum from done`;
  assert.equal(row?.sum, 3);
});

Deno.test("health() tells whether the server answers, and how long it took", async () => {
  await using scratch = await scratchDatabase();
  await using database = await scratch.open({
    pool: { maxConnections: 1 },
  });
  const idle = await database.health();
  assert.ok(idle.ok && idle.ms >= 0);
  const go = Promise.withResolvers<void>();
  const busy = database.run(() => go.promise);
  assert.equal((await database.health()).ok, true, "while all are busy");
  go.resolve();
  await busy;
});

Deno.test("settings of the server reach every connection", async () => {
  await using scratch = await scratchDatabase();
  await using database = await scratch.open({
    serverSettings: {
      applicationName: "archive",
      timezone: "Europe/Rome",
      statementTimeoutMs: 4_000,
      lockTimeoutMs: 3_000,
    },
    timeouts: { queryMs: 9_000, batchMs: 2_000 },
  });
  const settings = (sql: Sql) =>
    sql`select current_setting('application_name') as name,
      current_setting('timezone') as zone,
      current_setting('statement_timeout') as statement,
      current_setting('lock_timeout') as lock`;
  const common = { name: "archive", zone: "Europe/Rome", lock: "3s" };
  const [plain] = await database.run(settings);
  assert.deepEqual({ ...plain }, { ...common, statement: "4s" });
  const [query] = await database.transaction(settings);
  assert.deepEqual({ ...query }, { ...common, statement: "4s" });
  const [batch] = await database.transaction(settings, { kind: "batch" });
  assert.deepEqual({ ...batch }, { ...common, statement: "2s" });
});

async function pidOf(sql: Sql): Promise<number> {
  const [row] = await sql<{ pid: number }[]>`select pg_backend_pid() as pid`;
  return row?.pid ?? 0;
}

async function killBackend(
  { sql }: ScratchDatabase,
  pid: number,
): Promise<void> {
  // With a timeout the function waits until the backend is gone.
  await sql`select pg_terminate_backend(${pid}, 5000)`;
}

async function isSleeping(
  { sql }: ScratchDatabase,
  pid: number,
): Promise<boolean> {
  const rows = await sql`select 1 from pg_stat_activity
    where pid = ${pid} and wait_event = 'PgSleep'`;
  return rows.length > 0;
}

async function isConnected(
  { sql }: ScratchDatabase,
  pid: number,
): Promise<boolean> {
  const rows = await sql`select 1 from pg_stat_activity where pid = ${pid}`;
  return rows.length > 0;
}
