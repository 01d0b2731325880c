import assert from "node:assert/strict";
import { brotrConfig } from "../../../src/core/config/brotr_config.ts";
import { connectDatabase } from "../../../src/core/database/connect.ts";
import { silentLogger } from "../../support/silent_logger.ts";
import {
  freePort,
  type PrivatePostgres,
  privatePostgres,
} from "../../support/private_postgres.ts";
import { scratchDatabase } from "../../support/postgres.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";

Deno.test("connectDatabase() says when nothing listens there", async () => {
  const port = freePort();
  await assert.rejects(connect({ host: "127.0.0.1", port }), {
    fault: "unreachable",
    message: new RegExp(
      `Cannot reach PostgreSQL at 127\\.0\\.0\\.1:${port}, database "bigbrotr", user "bigbrotr": nothing listens there`,
    ),
  });
  await assert.rejects(connect({ host: "no.such.host.invalid" }), {
    fault: "unreachable",
    message: /at no\.such\.host\.invalid:5432.*the name does not resolve/,
  });
  await assert.rejects(connect({ host: "/nowhere" }), {
    fault: "unreachable",
    message: /at \/nowhere\/\.s\.PGSQL\.5432.*there is no such socket/,
  });
});

Deno.test("connectDatabase() says when what answers is not PostgreSQL, or nothing answers", async () => {
  await using http = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => new Response(),
  );
  const { port } = http.addr;
  await assert.rejects(connect({ host: "127.0.0.1", port }), {
    fault: "unreachable",
    message: /what answers is not PostgreSQL|it hung up/,
  });
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port: quiet } = silent.addr;
  await assert.rejects(
    connect({ host: "127.0.0.1", port: quiet }, {
      timeouts: { connectMs: 300 },
    }),
    { fault: "unreachable", message: /no answer within 300 ms/ },
  );
});

Deno.test("connectDatabase() logs in by password from variable, file and URL, and says when it is wrong", async () => {
  await using server = await passwordServer();
  await using directory = await temporaryDirectory();
  const file = `${directory.path}/password`;
  await Deno.writeTextFile(file, "s3cret&more\n");
  Deno.env.set("ENGINE_TEST_PASSWORD", "s3cret&more");
  const { port } = server;
  const parts = { host: "127.0.0.1", port, database: "postgres" };
  const ways = [
    { ...parts, user: "crawler", passwordEnv: "ENGINE_TEST_PASSWORD" },
    { ...parts, user: "crawler", passwordFile: file },
    { url: `postgres://crawler:s3cret%26more@127.0.0.1:${port}/postgres` },
    { url: `postgres://crawler:s3cret%26more@[::1]:${port}/postgres` },
  ];
  for (const way of ways) {
    await using database = await connect(way);
    const [row] = await database.run((sql) => sql`select current_user as name`);
    assert.equal(row?.name, "crawler");
  }
  const wrong = `postgres://crawler:guess@127.0.0.1:${port}/postgres`;
  await assert.rejects(connect({ url: wrong }), (error) => {
    assert.ok(error instanceof Error);
    assert.match(error.message, /Cannot log in to PostgreSQL .* password/);
    assert.ok(!error.message.includes("guess"), "the password is told");
    return true;
  });
  Deno.env.delete("ENGINE_TEST_PASSWORD");
  await assert.rejects(
    connect({ ...parts, passwordEnv: "ENGINE_TEST_PASSWORD" }),
    /ENGINE_TEST_PASSWORD is not set/,
  );
});

Deno.test("connectDatabase() says when the database does not exist", async () => {
  await using scratch = await scratchDatabase();
  const url = scratch.url.replace(scratch.name, "nonesuch");
  await assert.rejects(connect({ url }), {
    fault: "missing",
    message: /"nonesuch" does not exist.*createdb nonesuch/,
  });
});

Deno.test("connectDatabase() refuses a PostgreSQL that is too old", async () => {
  await using scratch = await scratchDatabase();
  // A server that says of itself that it is older: our question finds this function first.
  await scratch.sql`create function current_setting(text) returns text
    language sql as 'select case $1 when ''server_version_num'' then ''140019''
      else pg_catalog.current_setting($1) end'`;
  await scratch.sql.unsafe(
    `alter database ${scratch.name} set search_path = public, pg_catalog`,
  );
  await assert.rejects(connect({ url: scratch.url }), {
    fault: "version",
    message: /version 15 or newer is needed, this is 14\.19/,
  });
});

for (const encoding of ["WIN1252", "LATIN1", "SQL_ASCII"]) {
  Deno.test(`connectDatabase() refuses a database in ${encoding} before anything is made, and says how to make another`, async () => {
    await using server = await privatePostgres();
    await server.sql.unsafe(`create database other encoding '${encoding}'
      template template0 locale 'C'`);
    const url = server.url.replace("/postgres?", "/other?");
    await assert.rejects(connect({ url }), {
      fault: "encoding",
      message: new RegExp(
        `UTF8 is needed, this one is in ${encoding}.* createdb -E UTF8 .* other`,
      ),
    });
  });
}

Deno.test("sessions mean and print SQL the same, whatever the database and the role are set to", async () => {
  await using scratch = await scratchDatabase();
  const settings = {
    standard_conforming_strings: "off",
    quote_all_identifiers: "on",
    bytea_output: "escape",
    datestyle: "SQL, DMY",
    intervalstyle: "iso_8601",
    extra_float_digits: "0",
    transform_null_equals: "on",
    synchronous_commit: "off",
    default_transaction_isolation: "repeatable read",
    timezone: "Asia/Kolkata",
  };
  for (const [name, value] of Object.entries(settings)) {
    await scratch.sql.unsafe(
      `alter database ${scratch.name} set ${name} = '${value}'`,
    );
  }
  await using database = await connect({ url: scratch.url });
  const shown = await database.transaction((sql) =>
    sql`select name, setting from pg_settings
      where lower(name) in ${sql(Object.keys(settings))} order by lower(name)`
  );
  assert.deepEqual(shown.map(({ name, setting }) => [name, setting]), [
    ["bytea_output", "hex"],
    ["DateStyle", "ISO, MDY"],
    ["default_transaction_isolation", "read committed"],
    ["extra_float_digits", "1"],
    ["IntervalStyle", "postgres"],
    ["quote_all_identifiers", "off"],
    ["standard_conforming_strings", "on"],
    ["synchronous_commit", "on"],
    ["TimeZone", "UTC"],
    ["transform_null_equals", "off"],
  ]);
});

Deno.test("connectDatabase() waits for a server that is only starting", async () => {
  await using server = await privatePostgres();
  // No more connections than the superuser's: 53300, as while a server is coming up or overrun.
  await server.sql`create role guest login`;
  await server.sql`alter role guest connection limit 0`;
  const connecting = connect(
    {
      host: "127.0.0.1",
      port: server.port,
      database: "postgres",
      user: "guest",
    },
    { retry: { maxAttempts: 20, initialDelayMs: 20, maxDelayMs: 100 } },
  );
  await server.sql`alter role guest connection limit 5`;
  await using database = await connecting;
  assert.equal((await database.health()).ok, true);
});

Deno.test("connectDatabase() stops trying when its signal aborts", async () => {
  const stop = new AbortController();
  const connecting = connectDatabase(
    brotrConfig.parse({
      database: { host: "127.0.0.1", port: freePort() },
      retry: { maxAttempts: 20, initialDelayMs: 60_000, maxDelayMs: 60_000 },
    }),
    { log: silentLogger(), signal: stop.signal },
  );
  stop.abort(new Error("never mind"));
  await assert.rejects(connecting, /never mind/);
});

/** Passwords over TCP, for a role that has one. */
async function passwordServer(): Promise<PrivatePostgres> {
  const server = await privatePostgres({
    hba:
      "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\nhost all all ::1/128 scram-sha-256\n",
  });
  await server.sql`create role crawler login password 's3cret&more'`;
  return server;
}

function connect(
  database: Record<string, unknown>,
  config: Record<string, unknown> = {},
) {
  return connectDatabase(
    brotrConfig.parse({
      retry: { maxAttempts: 1 },
      ...config,
      database,
    }),
    { log: silentLogger(), signal: new AbortController().signal },
  );
}
