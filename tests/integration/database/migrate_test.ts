import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { Database } from "../../../src/core/database/connection/database.ts";
import {
  migrate,
  requireCurrentSchema,
  schemaState,
} from "../../../src/core/database/migrate.ts";
import {
  type Migration,
  readSchema,
  type Schema,
} from "../../../src/core/database/schema.ts";
import { EventReader } from "../../../src/archive/reading/event_reader.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { scratchDatabase, serverVersions } from "../../support/postgres.ts";
import { testOnEachServer } from "../../support/each_server.ts";

const own = await readSchema();

for (const version of await serverVersions()) {
  Deno.test(`migrate() by several at once applies each file once [${version}]`, async () => {
    await using scratch = await scratchDatabase({ version });
    await using first = await scratch.open();
    await using second = await scratch.open();
    assert.equal((await schemaState(first)).state, "empty");
    await assert.rejects(requireCurrentSchema(first), {
      name: "SchemaError",
      message: /db init/,
    });

    const reports = await Promise.all(
      [first, second, first, second].map((database) => migrate(database)),
    );
    const applied = reports.flatMap((report) => report.applied).toSorted();
    const files = [...own.migrations, ...own.functions];
    assert.deepEqual(applied, files.map(({ name }) => name).toSorted());
    assert.deepEqual(await schemaState(first), {
      state: "current",
      pending: [],
    });
    await requireCurrentSchema(second);
  });
}

for (const version of await serverVersions()) {
  Deno.test(`migrate() takes proofs without a strength for weak, and keeps what relays let one do [${version}]`, async () => {
    await using scratch = await scratchDatabase({ version });
    await using database = await scratch.open();
    const before: Schema = {
      migrations: own.migrations.filter(({ version }) => version < 16),
      functions: own.functions.filter(({ name }) => name === "10_archive.sql"),
    };
    await migrate(database, { schema: before });
    const { sql } = scratch;
    await sql`insert into sync_proof values (1, '\\x00', 'paging', '{[0,9)}')`;
    await sql`insert into relay_ability values (5, 1, true, 'read', 'read')`;
    await migrate(database);
    const [proof] = await sql<{ strength: string }[]>`
      select strength from sync_proof`;
    assert.equal(proof!.strength, "weak");
    const [row] = await sql<{ capability: string }[]>`
      select capability from relay_capability`;
    assert.equal(row!.capability, "read");
  });
}

for (const version of await serverVersions()) {
  Deno.test(`migrate() builds the tag index of an archive again, by time [${version}]`, async () => {
    await using scratch = await scratchDatabase({ version });
    await using database = await scratch.open();
    const before: Schema = {
      migrations: own.migrations.filter(({ version }) => version < 30),
      functions: own.functions.filter(({ name }) => name === "10_archive.sql"),
    };
    await migrate(database, { schema: before, edition: "full" });
    const factory = eventFactory("migrate_test");
    const events = [0, 1_600_000_000, 1_700_000_000, 3_000_000_000].map(
      (createdAt) => factory.sign({ createdAt, tags: [["t", "old"]] }),
    );
    for (const { id, pubkey, kind, created_at, ...event } of events) {
      await scratch.sql`
        insert into event values (${created_at}, 1, ${kind},
          decode(${id}, 'hex'), decode(${pubkey}, 'hex'),
          decode(${event.sig}, 'hex'), ${
        JSON.stringify(event.tags)
      }::text::jsonb,
          ${event.content})`;
    }
    await migrate(database);
    const { signal } = new AbortController();
    const found = new EventReader(database).events([{ "#t": ["old"] }], signal);
    assert.deepEqual(
      (await Array.fromAsync(found)).flat(),
      events.toReversed(),
    );
  });
}

testOnEachServer(
  "migrate() refuses a database newer than the program, and so does everything else",
  async ({ database, sql }) => {
    await sql`insert into schema_migration values (9999, '9999_future.sql', '', 0)`;
    const newer = {
      name: "SchemaError",
      message: /newer than this program.*9999_future/,
    };
    await assert.rejects(migrate(database), newer);
    await assert.rejects(schemaState(database), newer);
    await assert.rejects(requireCurrentSchema(database), newer);
  },
);

testOnEachServer(
  "migrate() refuses a database whose migration reads otherwise",
  async ({ database, sql }) => {
    await sql`update schema_migration set checksum = 'other' where version = 3`;
    await assert.rejects(migrate(database), {
      name: "SchemaError",
      message: /0003_event\.sql is not the one of this program/,
    });
  },
);

testOnEachServer(
  "migrate() applies a changed file of functions again, and only that",
  async ({ database, sql }) => {
    const changed = own.functions.map((file) =>
      file.name === "10_archive.sql"
        ? sqlFile(file.name, `${file.text}\n-- changed\n`)
        : file
    );
    await sql`drop function archive_edition()`;
    const schema: Schema = { ...own, functions: changed };
    const { applied } = await migrate(database, { schema });
    assert.deepEqual(applied, ["10_archive.sql"]);
    assert.deepEqual((await migrate(database, { schema })).applied, []);
    const [row] = await sql`select archive_edition() as edition`;
    assert.equal(row!.edition, "full");
    const { state, pending } = await schemaState(database);
    assert.deepEqual([state, pending], ["behind", ["10_archive.sql"]]);
    await assert.rejects(requireCurrentSchema(database), /db migrate/);
  },
);

testOnEachServer(
  "a migration that fails leaves nothing behind and names itself",
  async ({ database, sql }) => {
    const text = "create table half_made (); select 1 / 0";
    await assert.rejects(
      migrate(database, { schema: withMigration(text) }),
      /division by zero \(in 9000_test\.sql\)/,
    );
    const [row] = await sql`select to_regclass('half_made') as made`;
    assert.equal(row!.made, null);
    const good = withMigration("create table whole ()");
    assert.deepEqual((await migrate(database, { schema: good })).applied, [
      "9000_test.sql",
    ]);
  },
);

testOnEachServer("the edition is chosen once", async ({ database }) => {
  await assertEdition(database, undefined, "lite");
  await assertEdition(database, "lite", "lite");
  await assert.rejects(
    migrate(database, { edition: "full" }),
    /Cannot make this archive full as it is lite/,
  );
}, { edition: "lite" });

async function assertEdition(
  database: Database,
  asked: "full" | "lite" | undefined,
  wanted: string,
): Promise<void> {
  assert.equal((await migrate(database, { edition: asked })).edition, wanted);
}

function withMigration(text: string): Schema {
  const migration: Migration = {
    ...sqlFile("9000_test.sql", text),
    version: 9000,
  };
  return { ...own, migrations: [...own.migrations, migration] };
}

function sqlFile(name: string, text: string) {
  const checksum = createHash("sha256").update(text).digest("hex");
  return { name, text, checksum };
}
