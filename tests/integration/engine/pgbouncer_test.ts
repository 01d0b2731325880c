import assert from "node:assert/strict";
import { brotrConfig } from "../../../src/core/config/brotr_config.ts";
import { connectDatabase } from "../../../src/core/database/connect.ts";
import type { Database } from "../../../src/core/database/connection/database.ts";
import { until } from "../../support/until.ts";
import { silentLogger } from "../../support/silent_logger.ts";
import { missing, unless } from "../../support/installed.ts";
import { pgBouncer } from "../../support/pgbouncer.ts";
import { scratchDatabase } from "../../support/postgres.ts";

const NO_PGBOUNCER = await missing("/usr/sbin/pgbouncer");

Deno.test({
  ...unless(NO_PGBOUNCER, "work goes through PgBouncer in transaction mode"),
  async fn() {
    await using scratch = await scratchDatabase();
    await scratch.sql`create table word (word text primary key)`;
    await using bouncer = await pgBouncer(scratch.cluster);
    await using database = await connect(scratch.name, bouncer.port);
    // More at once than PgBouncer has connections, the same statement on each: prepared ones would collide.
    const words = Array.from({ length: 40 }, (_, n) => `word ${n}`);
    await Promise.all(words.map((word) =>
      database.transaction(async (sql) => {
        await sql`insert into word values (${word})`;
        const [row] = await sql`select word from word where word = ${word}`;
        assert.equal(row?.word, word);
      })
    ));
    const found = await database.run((sql) => sql`select word from word`);
    assert.equal(found.length, words.length);
  },
});

Deno.test({
  ...unless(
    NO_PGBOUNCER,
    "behind PgBouncer a server that loses commits is refused by those who write",
  ),
  async fn() {
    // The scratch cluster is one.
    await using scratch = await scratchDatabase();
    await using bouncer = await pgBouncer(scratch.cluster);
    const options = {
      log: silentLogger(),
      signal: new AbortController().signal,
      mustWrite: true,
    };
    const config = brotrConfig.parse({
      database: {
        host: "127.0.0.1",
        port: bouncer.port,
        database: scratch.name,
        pgbouncer: true,
      },
    });
    await assert.rejects(connectDatabase(config, options), {
      fault: "refused",
      message: /synchronous_commit is off.*alter role bigbrotr set/,
    });
    await scratch.sql.unsafe(
      `alter database ${scratch.name} set synchronous_commit = on`,
    );
    await using fresh = await pgBouncer(scratch.cluster);
    await using database = await connectDatabase({
      ...config,
      database: { ...config.database, port: fresh.port },
    }, options);
    assert.equal((await database.health()).ok, true);
  },
});

Deno.test({
  ...unless(
    NO_PGBOUNCER,
    "behind PgBouncer nothing is left on the connection for the next client",
  ),
  async fn() {
    await using scratch = await scratchDatabase();
    await using bouncer = await pgBouncer(scratch.cluster);
    await using database = await connect(scratch.name, bouncer.port, {
      serverSettings: { statementTimeoutMs: 9_000, lockTimeoutMs: 8_000 },
    });
    const settings = (database: Database) =>
      database.transaction((sql) =>
        sql`select current_setting('statement_timeout') as statement,
          current_setting('lock_timeout') as lock,
          current_setting('application_name') as name`
      );
    const [inside] = await settings(database);
    const expected = { statement: "9s", lock: "8s", name: "bigbrotr" };
    assert.deepEqual({ ...inside }, expected);
    const left = await Promise.all(
      Array.from(
        { length: 8 },
        () =>
          database.run((sql) =>
            sql`select current_setting('statement_timeout') as t, (select count(*)::int from pg_prepared_statements) as n`
          ),
      ),
    );
    for (const [row] of left) assert.deepEqual({ ...row }, { t: "0", n: 0 });
  },
});

Deno.test({
  ...unless(
    NO_PGBOUNCER,
    "behind PgBouncer a deadline cancels the statement on the server",
  ),
  async fn() {
    await using scratch = await scratchDatabase();
    await using bouncer = await pgBouncer(scratch.cluster);
    await using database = await connect(scratch.name, bouncer.port, {
      timeouts: { queryMs: 300 },
    });
    for (const way of ["run", "transaction"] as const) {
      await assert.rejects(database[way]((sql) => sql`select pg_sleep(60)`), {
        fault: "timeout",
      });
      await until(`${way}: nothing of it is left`, async () => {
        const left = await scratch.sql`select 1 from pg_stat_activity
          where state = 'active' and query like '%pg_sleep(60)%'
            and datname = current_database() and pid <> pg_backend_pid()`;
        return left.length === 0;
      }, 30_000);
    }
    assert.equal((await database.health()).ok, true);
  },
});

Deno.test({
  ...unless(
    NO_PGBOUNCER,
    "behind PgBouncer work is tried again when its backend is killed",
  ),
  async fn() {
    await using scratch = await scratchDatabase();
    await using bouncer = await pgBouncer(scratch.cluster);
    await using database = await connect(scratch.name, bouncer.port);
    let tries = 0;
    const [row] = await database.transaction(async (sql) => {
      const [{ pid } = { pid: 0 }] = await sql<
        { pid: number }[]
      >`select pg_backend_pid() as pid`;
      if (++tries < 3) {
        await scratch.sql`select pg_terminate_backend(${pid}, 5000)`;
      }
      return await sql`select 42 as n`;
    });
    assert.deepEqual({ n: row?.n, tries }, { n: 42, tries: 3 });
  },
});

function connect(
  database: string,
  port: number,
  config: Record<string, unknown> = {},
): Promise<Database> {
  return connectDatabase(
    brotrConfig.parse({
      retry: { initialDelayMs: 10 },
      ...config,
      database: { host: "127.0.0.1", port, database, pgbouncer: true },
    }),
    { log: silentLogger(), signal: new AbortController().signal },
  );
}
