import assert from "node:assert/strict";
import {
  type IntegrityProblem,
  verifyIntegrity,
} from "../../../src/core/database/integrity.ts";
import { migrate } from "../../../src/core/database/migrate.ts";
import { createRoles } from "../../../src/core/database/roles.ts";
import { verifySchema } from "../../../src/core/database/verify.ts";
import { insertRelays } from "../../../src/archive/relays.ts";
import { filterHash } from "../../../src/models/filter.ts";
import type { TestArchive } from "../../support/archive.ts";
import { testArchive } from "../../support/archive.ts";
import { testOnEachServer } from "../../support/each_server.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { generateSchema } from "../../support/generated_schema.ts";
import { scratchDatabase, serverVersions } from "../../support/postgres.ts";
import { newRelay, syncBatch } from "../../support/sync_batch.ts";
import { storeBatch } from "../../../src/archive/events.ts";
import { insertRelayMetadata } from "../../../src/archive/metadata.ts";

const factory = eventFactory("verify_test");
const SQL = new URL("../../../sql/", import.meta.url);

for (const version of await serverVersions()) {
  Deno.test(`sql/schema.sql and sql/catalog.json are what the migrations make [${version}]`, async () => {
    await using archive = await testArchive({ version });
    const shown = version === "embedded" ? (text: string) => text : unqualified;
    const generated = await archive.database.run(generateSchema);
    for (const name of ["schema.sql", "catalog.json"] as const) {
      const stale =
        `sql/${name} is stale: deno run -P=test tests/support/generated_schema.ts`;
      const file = await Deno.readTextFile(new URL(name, SQL));
      assert.equal(shown(file), shown(generated[name]), stale);
    }
  });
}

/** From PostgreSQL 16 on, the columns of views of one table are shown without its name before them. */
function unqualified(schema: string): string {
  return schema.replace(/\b[a-z_]+\.(?=[a-z_]+)/g, "");
}

for (const version of await serverVersions()) {
  Deno.test(`sql/schema.sql makes the schema that db verify wants [${version}]`, async () => {
    await using scratch = await scratchDatabase({ version });
    await using database = await scratch.open();
    const text = await Deno.readTextFile(new URL("schema.sql", SQL));
    await scratch.sql.unsafe(text);
    const { problems } = await verifySchema(database);
    assert.deepEqual(problems, []);
  });
}

testOnEachServer(
  "verifySchema() finds nothing wrong with a fresh archive",
  async ({ database }) => {
    const { problems, withoutExtensions, checked } = await verifySchema(
      database,
    );
    assert.deepEqual(problems, []);
    assert.deepEqual(withoutExtensions, []);
    assert.ok(checked > 150);
  },
);

/** What is done to the schema, and what must be named. */
const DAMAGE: readonly (readonly [statement: string, problem: string])[] = [
  ["drop extension btree_gin", "missing extension btree_gin"],
  ["drop extension pgcrypto", "missing extension pgcrypto"],
  ["drop table event_raw", "missing table event_raw"],
  [
    "alter table relay drop column discovered_at cascade",
    "missing column relay.discovered_at",
  ],
  [
    "alter table candidate alter failures type int8",
    "altered column candidate.failures",
  ],
  [
    "alter table event alter pubkey drop not null",
    "altered column event.pubkey",
  ],
  [
    "alter table candidate alter failures drop default",
    "altered column candidate.failures",
  ],
  ["drop index event_kind", "missing index event_kind"],
  [
    "drop index event_kind; create index event_kind on event (kind)",
    "altered index event_kind",
  ],
  [
    "alter table sync_proof drop constraint sync_proof_method_check",
    "missing constraint sync_proof.sync_proof_method_check",
  ],
  ["drop view relay_metadata_latest", "missing view relay_metadata_latest"],
  [
    `create or replace view relay_metadata_latest as
     select id as relay_id, url as relay_url, null::text as metadata_type,
       null::int8 as generated_at, null::bytea as metadata_id,
       null::jsonb as data from relay`,
    "altered view relay_metadata_latest",
  ],
  ["drop function archive_edition()", "missing function archive_edition()"],
  [
    "drop function candidate_fail",
    "missing function candidate_fail(p_failures jsonb, p_initial_seconds integer, p_max_seconds integer)",
  ],
  [
    `create or replace function archive_edition() returns text
     language sql stable parallel safe as $$ select 'full' $$`,
    "altered function archive_edition()",
  ],
  ["alter function unix_now() immutable", "altered function unix_now()"],
];

for (const [statement, problem] of DAMAGE) {
  testOnEachServer(
    `verifySchema() names it: ${problem}`,
    async ({ database, sql }) => {
      await sql.unsafe(statement);
      const { problems } = await verifySchema(database);
      const found = problems.map(({ kind, name, problem }) =>
        `${problem} ${kind} ${name}`
      );
      assert.ok(found.includes(problem), found.join(", "));
    },
  );
}

/** Settings by which PostgreSQL prints its catalogue otherwise, or reads literals otherwise. */
const ODD_SETTINGS = {
  standard_conforming_strings: "off",
  quote_all_identifiers: "on",
  bytea_output: "escape",
  datestyle: "SQL, DMY",
};

for (const version of await serverVersions()) {
  for (const when of ["before", "after"]) {
    Deno.test(`the schema is the same in a database that was set to print otherwise ${when} it was made [${version}]`, async () => {
      await using scratch = await scratchDatabase({ version });
      const set = async () => {
        for (const [name, value] of Object.entries(ODD_SETTINGS)) {
          await scratch.sql.unsafe(
            `alter database ${scratch.name} set ${name} = '${value}'`,
          );
        }
      };
      if (when === "before") await set();
      {
        await using database = await scratch.open();
        await migrate(database);
      }
      if (when === "after") await set();
      await using database = await scratch.open();
      assert.deepEqual((await verifySchema(database)).problems, []);
      const url = "wss://[2606:4700::1]";
      const relay = { url, network: "clearnet" } as const;
      await insertRelays(database, [relay]);
      const [row] = await scratch.sql`select host, domain from relay`;
      assert.deepEqual({ ...row }, {
        host: "[2606:4700::1]",
        domain: "[2606:4700::1]",
      });
    });
  }
}

/** What is done to a schema by hand that migrate puts right again, and what cannot be without loss. */
const REPAIRABLE = DAMAGE.filter(([, problem]) =>
  !/ (table|column) /.test(problem)
);

for (const [statement, problem] of REPAIRABLE) {
  testOnEachServer(
    `migrate() puts it back: ${problem} (${statement.slice(0, 30)})`,
    async ({ database, sql }) => {
      await sql.unsafe(
        statement.replace(/^drop (extension|function) .*/, "$& cascade"),
      );
      const { repaired, applied } = await migrate(database, { repair: true });
      const what = problem.replace(/^\w+ /, "");
      assert.ok(repaired.includes(what), repaired.join());
      assert.deepEqual(applied, []);
      assert.deepEqual((await verifySchema(database)).problems, []);
      const again = await migrate(database, { repair: true });
      assert.deepEqual(again.repaired, []);
    },
  );
}

testOnEachServer(
  "migrate() puts back what it needs itself, an index that was broken off, and a key",
  async ({ database, sql }) => {
    await sql.unsafe(`
      drop function unix_now(), archive_init(text);
      alter table service_state drop constraint service_state_pkey;
      update pg_index set indisvalid = false
        where indexrelid = 'event_pubkey'::regclass`);
    const { repaired } = await migrate(database, { repair: true });
    assert.deepEqual(repaired, [
      "constraint service_state.service_state_pkey",
      "function archive_init(p_edition text)",
      "function unix_now()",
      "index event_pubkey",
      "index service_state_pkey",
    ]);
    assert.deepEqual((await verifySchema(database)).problems, []);
  },
);

testOnEachServer(
  "migrate() gives the roles back the rights that were taken from them",
  async ({ database, sql }) => {
    await createRoles(database, {});
    await sql`revoke all on event, relay_health from bigbrotr_reader`;
    await sql`revoke insert on event from bigbrotr_writer`;
    await migrate(database, { repair: true });
    const [row] = await sql`
      select has_table_privilege('bigbrotr_reader', 'event', 'select')
          and has_table_privilege('bigbrotr_reader', 'relay_health', 'select')
        as reader,
        has_table_privilege('bigbrotr_writer', 'event', 'insert') as writer`;
    assert.deepEqual({ ...row }, { reader: true, writer: true });
  },
);

testOnEachServer(
  "verifySchema() lets an operator add, and a managed server lack statistics",
  async ({ database, sql }) => {
    await sql.unsafe(`
    drop extension pg_stat_statements;
    alter table relay add note text;
    create index mine on event (pubkey);
    create table mine_too ();
    create function mine() returns int language sql as 'select 1'`);
    const { problems, withoutExtensions } = await verifySchema(database);
    assert.deepEqual(problems, []);
    assert.deepEqual(withoutExtensions, ["pg_stat_statements"]);
  },
);

testOnEachServer(
  "verifyIntegrity() holds for what the functions write, page by page",
  async (archive) => {
    await fill(archive);
    for (const batchSize of [1, 3, 1000]) {
      assert.deepEqual(await verifyAll(archive, batchSize), []);
    }
  },
);

/** What is done to the rows, and the rule it breaks. */
const BREAKAGE: readonly (readonly [statement: string, rule: string])[] = [
  [
    `delete from event where id = (select min(id::text) from event)::bytea`,
    "event_relay → event",
  ],
  // The first and the last key change their places.
  [
    `update sighting_page set keys =
       substr(keys, octet_length(keys) - 39) || substr(keys, 41, octet_length(keys) - 80) || substr(keys, 1, 40)`,
    "sightings are in order, none twice",
  ],
  [
    `alter table sighting_page drop constraint sighting_page_shape;
     update sighting_page set keys = substr(keys, 1, 40) || keys, sightings = sightings + 1`,
    "sightings are in order, none twice",
  ],
  // A page within another one of the same relay.
  [
    `insert into sighting_page select first_seen_at, last_seen_at, s.*, relay_id, 1,
       substr(p.keys, 41, 40), substr(p.keys, 41, 40), substr(p.keys, 41, 40)
     from sighting_page p cross join sighting_sums(substr(p.keys, 41, 40)) as s`,
    "sightings are in order, none twice",
  ],
  [
    `alter table sighting_page drop constraint sighting_page_shape;
     update sighting_page set sightings = sightings + 1`,
    "sighting_page = its keys",
  ],
  ["update sighting_page set sum_3 = sum_3 + 1", "sighting_page = its keys"],
  [
    "update sighting_page set first_key = '\\x00'",
    "sighting_page = its keys",
  ],
  [
    "update sighting_page set last_key = first_key",
    "sighting_page = its keys",
  ],
  [
    `insert into sighting_log select 1, relay_id, last_key || '\\x00' from sighting_page`,
    "sighting_log → event",
  ],
  [
    "insert into sighting_log select 1, relay_id, last_key from sighting_page",
    "sightings that wait have a page, and are in none",
  ],
  [
    "insert into sighting_log select 1, relay_id, '\\x00' from sighting_page",
    "sightings that wait have a page, and are in none",
  ],
  ["delete from event", "event_raw → event"],
  ["delete from relay", "event_relay → relay"],
  ["delete from relay", "sync_coverage → relay"],
  ["delete from metadata", "relay_metadata → metadata"],
  ["update sync_proof set covered = '{}'", "sync_coverage = its proofs"],
  ["update sync_gap set since = 0", "no sync_gap is covered"],
  [
    `insert into sync_proof select relay_id, filter_hash, 'paging', '{[3,4)}',
       'weak' from sync_proof`,
    "no two proofs overlap",
  ],
  [
    `insert into sync_gap select relay_id, filter_hash, 25, 40, reason,
       found_at, reported_at, attempts from sync_gap`,
    "no two gaps overlap",
  ],
  [
    `insert into sync_withheld
     select relay_id, filter_hash, true, covered from sync_coverage`,
    "what is withheld is not covered",
  ],
  [
    "insert into forgotten_event (id) select id from event",
    "what is forgotten is gone",
  ],
  [
    `insert into forgotten_author (until, forgotten_at, pubkey, is_done, cause)
     select distinct created_at, 1, pubkey, true, 'operator' from event
     limit 1`,
    "who is forgotten is gone",
  ],
  [
    `update event set kind = 5,
       tags = jsonb_build_array(array['e', encode(id, 'hex')])`,
    "kind 5 → event_deletion",
  ],
  [
    `update event set kind = 62, tags = '[["relay","ALL_RELAYS"]]'`,
    "kind 62 → event_vanish",
  ],
  ["update event set sig = null where kind = 1", "event is whole"],
  [
    "alter table event drop constraint event_shape; update event set pubkey = substr(pubkey, 2)",
    "event is whole",
  ],
];

for (const [statement, rule] of BREAKAGE) {
  testOnEachServer(
    `verifyIntegrity() finds it: ${rule} (${statement})`,
    async (archive) => {
      await fill(archive);
      await archive.sql.unsafe(statement);
      const problems = await verifyAll(archive, 3);
      const found = problems.find((problem) => problem.rule === rule);
      assert.ok(found, JSON.stringify(problems));
      assert.ok(found.rows > 0 && found.example.length > 0);
    },
  );
}

async function fill(archive: TestArchive): Promise<void> {
  const relayId = await newRelay(archive);
  const events = Array.from(
    { length: 10 },
    (_, n) => factory.sign({ content: n === 4 ? "a\0b" : "text" }),
  );
  const walk = { filterHash: filterHash({}), since: 0, until: 9 };
  await storeBatch(
    archive.database,
    syncBatch(relayId, events, {
      coverage: [{ ...walk, filter: {}, method: "finish", strength: "paged" }],
      gaps: [{ ...walk, since: 20, until: 29, reason: "timeout" }],
    }),
  );
  await insertRelayMetadata(archive.database, [
    { relayId, type: "nip11_info", generatedAt: 1, data: { a: 1 } },
  ]);
}

async function verifyAll(
  { database }: TestArchive,
  batchSize: number,
): Promise<IntegrityProblem[]> {
  const { signal } = new AbortController();
  return await verifyIntegrity(database, { batchSize, signal });
}
