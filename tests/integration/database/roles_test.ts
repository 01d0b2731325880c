import assert from "node:assert/strict";
import postgres from "postgres";
import { brotrConfig } from "../../../src/core/config/brotr_config.ts";
import { insertCandidates } from "../../../src/archive/candidates.ts";
import { insertChecks } from "../../../src/archive/checks.ts";
import { connectDatabase } from "../../../src/core/database/connect.ts";
import type { Database } from "../../../src/core/database/connection/database.ts";
import { storeBatch } from "../../../src/archive/events.ts";
import { leaseRelays } from "../../../src/archive/leases.ts";
import { cleanup } from "../../../src/archive/maintenance.ts";
import {
  migrate,
  requireCurrentSchema,
} from "../../../src/core/database/migrate.ts";
import { insertRelayMetadata } from "../../../src/archive/metadata.ts";
import {
  addToOutbox,
  claimOutbox,
  expireOutbox,
  settleOutbox,
} from "../../../src/archive/outbox.ts";
import { pipelineCounts } from "../../../src/archive/pipeline.ts";
import { createRoles } from "../../../src/core/database/roles.ts";
import { type Role, roleName, ROLES } from "../../../src/core/database/role.ts";
import { readSchema, type Schema } from "../../../src/core/database/schema.ts";
import { recordListing } from "../../../src/archive/sync/relay_listing.ts";
import { recordAudit } from "../../../src/archive/sync/sync_audit.ts";
import { wantWalks } from "../../../src/archive/sync/sync_coverage.ts";
import { encodeKeys } from "../../../src/models/encoded_events.ts";
import { filterHash } from "../../../src/models/filter.ts";
import { upsertState } from "../../../src/archive/service_state.ts";
import { verifySchema } from "../../../src/core/database/verify.ts";
import { privatePostgres } from "../../support/private_postgres.ts";
import { silentLogger } from "../../support/silent_logger.ts";
import { type TestArchive, testArchive } from "../../support/archive.ts";
import { testOnEachServer } from "../../support/each_server.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { scratchDatabase, serverVersions } from "../../support/postgres.ts";
import { runProgram, SOURCE } from "../../support/program.ts";
import { newRelay, syncBatch } from "../../support/sync_batch.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";

const factory = eventFactory("roles_test");
const DENIED = { code: "42501" };

testOnEachServer(
  "createRoles() can be run again, and stores no password in the clear",
  async ({ database, sql }) => {
    await createRoles(database, {});
    const again = await createRoles(database, { reader: "correct horse" });
    assert.deepEqual(again, { created: [], withPassword: ["reader"] });
    const [row] = await sql`
    select rolpassword, rolcanlogin from pg_authid
    where rolname = 'bigbrotr_reader'`;
    assert.match(row!.rolpassword, /^SCRAM-SHA-256\$4096:[^$]+\$[^:]+:.+$/);
    assert.equal(row!.rolcanlogin, true);
  },
);

testOnEachServer(
  "the writer runs every service's functions, but changes no schema and no edition",
  async (archive) => {
    await using writer = await connectAs(archive, "writer");
    const { database } = writer;
    const relayId = await newRelay({ ...archive, database });
    await storeBatch(
      database,
      syncBatch(relayId, [factory.sign({ content: "a\0b" })], {
        rejected: [{ reason: "id", detail: "wrong" }],
        hints: [{
          url: "wss://a.example",
          network: "clearnet",
          host: "a.example",
          domain: "a.example",
          source: "e-tag",
        }],
      }),
    );
    await syncAsWriter(database, relayId);
    await leaseRelays(database, {
      service: "synchronizer",
      holder: "a",
      networks: ["clearnet"],
      limit: 1,
      leaseSeconds: 60,
    });
    await insertRelayMetadata(database, [
      { relayId, type: "nip11_info", generatedAt: 1, data: { a: 1 } },
    ]);
    await insertChecks(database, [
      { relayId, checkedAt: 1, online: true },
      { relayId, checkedAt: 900_000, online: false },
      { relayId, checkedAt: 900_001, online: true },
    ]);
    await cleanup(database, {
      batchSize: 10,
      signal: new AbortController().signal,
      checkDays: 1,
      hourDays: 1,
      metadataDays: 1,
      rejectedDays: 1,
      maxCandidateFailures: 1,
      orphanEvents: true,
    });
    const sender = "ab".repeat(32);
    const event = factory.sign();
    await addToOutbox(database, sender, [{
      event,
      d: event.id,
      createdAt: 1,
      expiresAt: 4_000_000_000,
      fingerprint: event.id,
      relays: ["wss://a.example"],
    }]);
    const round = { holder: "a", leaseSeconds: 60, limit: 1 };
    const claimed = await claimOutbox(database, sender, round);
    await settleOutbox(database, {
      targetId: claimed?.targetId ?? 0,
      holder: "a",
      failures: 0,
      nextTryInSeconds: 0,
      results: [],
    });
    await expireOutbox(database, { olderThanSeconds: 86_400, limit: 1 });
    await requireCurrentSchema(database);
    await assert.rejects(writer.sql`create table mine ()`, DENIED);
    await assert.rejects(writer.sql`drop table event`, DENIED);
    await assert.rejects(
      writer.sql`update archive set edition = 'lite'`,
      DENIED,
    );
    await assert.rejects(writer.sql`update event set kind = 0`, DENIED);
    await assert.rejects(writer.sql`delete from relay`, DENIED);
  },
);

testOnEachServer(
  "the reader reads everything and writes nothing",
  async (archive) => {
    const relayId = await newRelay(archive);
    await using reader = await connectAs(archive, "reader");
    const counts = await pipelineCounts(reader.database);
    assert.equal(counts.relays.clearnet.total, 1);
    assert.deepEqual((await verifySchema(reader.database)).problems, []);
    await reader.sql`select * from relay_metadata_latest`;

    const writes = [
      () => storeBatch(reader.database, syncBatch(relayId, [factory.sign()])),
      () => upsertState(reader.database, [STATE]),
      () =>
        insertCandidates(reader.database, [{
          url: "wss://a.example",
          network: "clearnet",
          host: "a.example",
          domain: "a.example",
          source: "e-tag",
        }], { maxPerHost: 0, maxPerDomain: 0, maxPerAuthor: 0 }),
    ];
    for (const write of writes) {
      await assert.rejects(
        write(),
        /read-only|denied/,
      );
    }
    // Also when it lifts its own read-only default.
    await reader.sql`set default_transaction_read_only = off`;
    await assert.rejects(reader.sql`delete from event`, DENIED);
    await assert.rejects(
      reader
        .sql`select relay_insert('[{"url":"wss://a.b","network":"clearnet"}]')`,
      DENIED,
    );
  },
);

testOnEachServer(
  "the refresher reads everything and keeps its own state",
  async (archive) => {
    await using refresher = await connectAs(archive, "refresher");
    await pipelineCounts(refresher.database);
    await upsertState(refresher.database, [STATE]);
    await assert.rejects(refresher.sql`delete from event`, DENIED);
  },
);

testOnEachServer(
  "the admin migrates, and the others get their rights to what is new",
  async (archive) => {
    await using admin = await connectAs(archive, "admin");
    const own = await readSchema();
    const schema: Schema = {
      ...own,
      migrations: [...own.migrations, {
        name: "9000_test.sql",
        version: 9000,
        checksum: "test",
        text: "create table relay_capability (id int4)",
      }],
    };
    await using reader = await connectAs(archive, "reader");
    await admin.sql`drop table relay_capability`;
    const { applied } = await migrate(admin.database, { schema });
    assert.deepEqual(applied, ["9000_test.sql"]);
    await reader.sql`select * from relay_capability`;
  },
);

testOnEachServer(
  "createRoles() refuses a schema that another application uses, and touches nothing there",
  async ({ database, sql }) => {
    const stranger = `stranger_${crypto.randomUUID().slice(0, 8)}`;
    await sql.unsafe(`
      create role ${stranger};
      grant create on schema public to ${stranger};
      set role ${stranger};
      create table other_secret (token text);
      create function other_function() returns int language sql as 'select 1';
      reset role`);
    try {
      await assert.rejects(createRoles(database, {}), {
        name: "SchemaError",
        message: new RegExp(`other_function.* belongs to "${stranger}", and 1`),
      });
      const [owner] = await sql`
        select tableowner from pg_tables where tablename = 'other_secret'`;
      assert.equal(owner!.tableowner, stranger);
      const rights = await sql`
        select grantee from information_schema.role_table_grants
        where table_name = 'event' and grantee like 'bigbrotr\\_%'`;
      assert.equal(rights.count, 0);
    } finally {
      await sql.unsafe(`drop owned by ${stranger}; drop role ${stranger}`);
    }
  },
);

testOnEachServer(
  "createRoles() gives no rights to what the owner of the archive keeps beside it",
  async (archive) => {
    await archive.sql.unsafe(`
      create table my_notes (note text);
      create view my_view as select count(*) from event`);
    await using reader = await connectAs(archive, "reader");
    await reader.sql`select * from event`;
    await assert.rejects(reader.sql`select * from my_notes`, DENIED);
    await assert.rejects(reader.sql`select * from my_view`, DENIED);
    const owners = await archive.sql`
      select relname, relowner::regrole::text as owner from pg_class
      where relname in ('my_notes', 'my_view', 'event') order by 1`;
    assert.deepEqual(owners.map(({ relname, owner }) => [relname, owner]), [
      ["event", "bigbrotr_admin"],
      ["my_notes", "bigbrotr"],
      ["my_view", "bigbrotr"],
    ]);
  },
);

/** What is taken from the roles, and how it is named. */
const TAKEN: readonly (readonly [statement: string, problem: string])[] = [
  [
    "revoke insert, update on candidate from bigbrotr_writer",
    "missing grant insert, update on table candidate to bigbrotr_writer",
  ],
  [
    "revoke all on event from bigbrotr_admin",
    "missing grant select, insert, update, delete on table event to bigbrotr_admin",
  ],
  [
    "revoke select on relay_metadata_latest from bigbrotr_reader",
    "missing grant select on view relay_metadata_latest to bigbrotr_reader",
  ],
  [
    "revoke execute on function unix_now() from public",
    "missing grant execute on function unix_now() to bigbrotr_refresher",
  ],
  [
    "revoke usage on schema public from public, bigbrotr_writer",
    "missing grant usage on schema public to bigbrotr_writer",
  ],
  [
    "revoke create on schema public from bigbrotr_admin",
    "missing grant create on schema public to bigbrotr_admin",
  ],
  [
    `do $$ begin
       execute format('revoke connect on database %I from public, bigbrotr_reader', current_database());
     end $$`,
    "missing grant connect on database .* to bigbrotr_reader",
  ],
  ["alter table relay owner to current_user", "altered owner table relay"],
  [
    "alter function unix_now() owner to current_user",
    "altered owner function unix_now()",
  ],
];

for (const [statement, problem] of TAKEN) {
  testOnEachServer(
    `db verify names what a role lacks, and db migrate gives it: ${problem}`,
    async ({ database, sql }) => {
      await createRoles(database, {});
      assert.deepEqual(await problemsOf(database), []);
      await sql.unsafe(statement);
      const pattern = new RegExp(
        `^${problem.replaceAll(/[()]/g, "\\$&")}$`,
        "m",
      );
      assert.match((await problemsOf(database)).join("\n"), pattern);
      const { left } = await migrate(database, { repair: true });
      assert.deepEqual(left, []);
      assert.deepEqual(await problemsOf(database), []);
    },
  );
}

testOnEachServer(
  "db migrate says which rights somebody else must give, and exits 1",
  async (archive) => {
    await using admin = await connectAs(archive, "admin");
    await archive
      .sql`revoke usage on schema public from public, bigbrotr_reader`;
    await archive.sql`revoke select on event from bigbrotr_reader`;
    const url = new URL(archive.url);
    url.searchParams.set("user", "bigbrotr_admin");
    await using folder = await temporaryDirectory();
    const args = ["db", "migrate", "--database", url.href];
    const { code, stdout, stderr } = await runProgram(SOURCE, args, {
      cwd: folder.path,
    });
    assert.equal(code, 1, stderr);
    assert.equal(stderr, "");
    assert.match(stdout, /Put back grant select on table event to bigbrotr_re/);
    assert.match(
      stdout,
      /Left .*: grant usage on schema public to bigbrotr_re/,
    );
    assert.deepEqual(await problemsOf(admin.database), [
      "missing grant usage on schema public to bigbrotr_reader",
    ]);
  },
);

for (const version of await serverVersions()) {
  Deno.test(`roles have their rights on a server that gives nothing to everybody [${version}]`, async () => {
    await using scratch = await scratchDatabase({ version });
    await using database = await scratch.open();
    await scratch.sql.unsafe(`
      alter default privileges revoke execute on functions from public;
      revoke all on schema public from public;
      revoke all on database ${scratch.name} from public`);
    await migrate(database);
    await createRoles(database, {});
    assert.deepEqual(await problemsOf(database), []);
    for (const role of ROLES) {
      await scratch.sql.begin(async (sql) => {
        await sql.unsafe(`set local role ${roleName(role)}`);
        await sql`select unix_now(), count(*) from event`;
      });
    }
  });
}

for (const version of await serverVersions()) {
  Deno.test(`a user who may create roles and owns the database hands it over, as on servers where nobody is superuser [${version}]`, async () => {
    await using server = await privatePostgres({ version });
    await server.sql`create role tenant login createrole`;
    await server.sql`create database tenancy owner tenant`;
    const url = new URL(server.url);
    url.pathname = "/tenancy";
    url.searchParams.set("user", "tenant");
    await using database = await connectUrl(url.href);
    await migrate(database);
    await createRoles(database, {});
    assert.deepEqual(await problemsOf(database), []);
    assert.deepEqual((await createRoles(database, {})).created, []);
    const { left } = await migrate(database, { repair: true });
    assert.deepEqual(left, []);
  });
}

Deno.test("createRoles() hands nothing over that is somebody else's, and says what", async () => {
  await using server = await privatePostgres();
  await server.sql`create role tenant login createrole`;
  await server.sql`create database tenancy`;
  const url = new URL(server.url);
  url.pathname = "/tenancy";
  await using owner = await connectUrl(url.href);
  await migrate(owner);
  url.searchParams.set("user", "tenant");
  await using database = await connectUrl(url.href);
  await assert.rejects(createRoles(database, {}), {
    name: "SchemaError",
    message:
      /^Cannot hand the archive over .*: grant .*, and \d+ more\. Run db init --roles as the owner/,
  });
  const [row] = await server.sql`
    select count(*)::int as n from pg_roles where rolname like 'bigbrotr\\_%'`;
  assert.equal(row?.n, 0, "all or nothing");
});

function connectUrl(url: string): Promise<Database> {
  return connectDatabase(brotrConfig.parse({ database: { url } }), {
    log: silentLogger(),
    signal: new AbortController().signal,
  });
}

async function problemsOf(database: Database): Promise<string[]> {
  const { problems } = await verifySchema(database);
  return problems.map(({ kind, name, problem }) =>
    `${problem} ${kind} ${name}`
  );
}

Deno.test("a role logs in with its password and no other", async () => {
  await using archive = await testArchive();
  await createRoles(archive.database, { reader: "p\u00e4ssword \u2168" });
  const { host, port, name } = await demandPassword(archive);
  const login = async (password: string) => {
    const sql = postgres({
      path: `${host}/.s.PGSQL.${port}`,
      database: name,
      password,
      user: "bigbrotr_reader",
      max: 1,
      onnotice: () => {},
    });
    try {
      await sql`select 1`;
      return "in";
    } catch (error) {
      return error instanceof postgres.PostgresError ? error.code : error;
    } finally {
      await sql.end({ timeout: 5 });
    }
  };
  // The server reads its configuration again when it comes to it.
  while (await login("wrong") === "in");
  assert.equal(await login("wrong"), "28P01");
  // U+2168 is the Roman numeral nine, which SASLprep takes apart (postgres.js does not, so it must be told).
  assert.equal(await login("p\u00e4ssword IX"), "in");
});

/** Makes the scratch cluster, which trusts everybody, ask for the password of roles on this database. */
async function demandPassword({ sql, url }: TestArchive) {
  const { pathname, searchParams } = new URL(url);
  const [host, port] = [searchParams.get("host"), searchParams.get("port")];
  const name = pathname.slice(1);
  const file = `${host}/data/pg_hba.conf`;
  const rules = await Deno.readTextFile(file);
  const rule = `local ${name} bigbrotr_reader scram-sha-256\n`;
  await Deno.writeTextFile(file, rule + rules);
  await sql`select pg_reload_conf()`;
  return { host, port, name };
}

Deno.test("db init --roles says which roles may log in, and no password", async () => {
  await using scratch = await scratchDatabase();
  const { code, stdout, stderr } = await initRoles(scratch.url, {
    BIGBROTR_READER_PASSWORD: "hunter2",
  });
  assert.equal(code, 0, stderr);
  assert.match(stdout, /bigbrotr_reader: .*may log in/);
  assert.match(stdout, /bigbrotr_writer: .*BIGBROTR_WRITER_PASSWORD/);
  assert.doesNotMatch(stdout + stderr, /hunter2/);

  const empty = await initRoles(scratch.url, {
    BIGBROTR_READER_PASSWORD: "",
  });
  assert.equal(empty.code, 2);
  assert.match(empty.stderr, /BIGBROTR_READER_PASSWORD is empty/);
});

const STATE = {
  serviceName: "refresher",
  stateType: "cursor",
  stateKey: "seen_at",
  value: 1,
} as const;

interface RoleConnection extends AsyncDisposable {
  readonly database: Database;
  readonly sql: postgres.Sql;
}

/** A pool and a bare connection that log in as one of the roles. */
async function connectAs(
  { database, url }: TestArchive,
  role: Role,
): Promise<RoleConnection> {
  await createRoles(
    database,
    Object.fromEntries(ROLES.map((role) => [role, "correct horse"])),
  );
  const own = new URL(url);
  own.searchParams.set("user", roleName(role));
  await using stack = new AsyncDisposableStack();
  const config = brotrConfig.parse({ database: { url: own.href } });
  const pool = stack.use(
    await connectDatabase(config, {
      log: silentLogger(),
      signal: new AbortController().signal,
    }),
  );
  const sql = stack.adopt(
    postgres({
      path: `${own.searchParams.get("host")}/.s.PGSQL.${
        own.searchParams.get("port")
      }`,
      database: own.pathname.slice(1),
      user: roleName(role),
      max: 1,
      max_lifetime: null,
      onnotice: () => {},
    }),
    (sql) => sql.end({ timeout: 5 }),
  );
  const owned = stack.move();
  return {
    database: pool,
    sql,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function initRoles(url: string, env: Record<string, string>) {
  await using folder = await temporaryDirectory();
  const args = ["db", "init", "--roles", "--database", url];
  return await runProgram(SOURCE, args, { cwd: folder.path, env });
}

/** Everything that a synchronizer writes of what is proven, what is not, and what was wrong. */
async function syncAsWriter(
  database: Database,
  relayId: number,
): Promise<void> {
  const filter = {};
  const window = { filterHash: filterHash(filter), since: 0, until: 99 };
  const listing = { relayId, filterHash: window.filterHash };
  const withheld = factory.sign({ createdAt: 50 });
  await wantWalks(database, relayId, [{ ...window, filter }]);
  await storeBatch(
    database,
    syncBatch(relayId, [], {
      coverage: [{ ...window, filter, method: "paging", strength: "paged" }],
      gaps: [{ ...window, since: 200, until: 300, reason: "timeout" }],
    }),
  );
  const keys = encodeKeys([withheld]);
  await recordListing(database, listing, { state: "withheld", keys });
  await storeBatch(database, syncBatch(relayId, [withheld]));
  const [kind, question] = ["hidden", "page"] as const;
  const cause = { ...window, kind, question, eventIds: [] };
  const audit = { asked: 1, confirmed: 0, contradictions: [cause] };
  const retractions = [{ ...window, cause }];
  await recordAudit(database, { ...listing, audit, retractions });
}

testOnEachServer(
  "the refresher may change whatever stored functions of statistics change",
  async ({ database, sql }) => {
    await createRoles(database, {});
    const { functions } = await readSchema();
    const written = new Set<string>();
    for (const { name, text } of functions) {
      if (!/^(32_fact|3[6-9]_|62_)/.test(name)) continue;
      for (const [, table = ""] of text.matchAll(WRITES)) written.add(table);
    }
    const rows = await sql<{ name: string; may: boolean }[]>`
      select relname as name,
        has_table_privilege('bigbrotr_refresher', oid, 'insert')
          and has_table_privilege('bigbrotr_refresher', oid, 'update')
          and has_table_privilege('bigbrotr_refresher', oid, 'delete') as may
      from pg_class where relkind = 'r' and relname = any (${[...written]})`;
    assert.ok(rows.length > 20, `${rows.length}`);
    assert.deepEqual(rows.filter(({ may }) => !may), []);
  },
);

/** A table that a statement changes. */
const WRITES = /\b(?:insert into|update|delete from) ([a-z_]+)/g;
