/**
 * Archives of before sightings were in pages: they are moved in place, in steps, and nothing is lost when one is killed.
 *
 * @module
 */
import assert from "node:assert/strict";
import type postgres from "postgres";
import {
  migrate,
  requireCurrentSchema,
  schemaState,
} from "../../../src/core/database/migrate.ts";
import { type Fact, followFacts } from "../../../src/archive/facts.ts";
import { verifyIntegrity } from "../../../src/core/database/integrity.ts";
import { readSchema, type Schema } from "../../../src/core/database/schema.ts";
import { verifySchema } from "../../../src/core/database/verify.ts";
import {
  type ScratchDatabase,
  scratchDatabase,
  serverVersions,
} from "../../support/postgres.ts";
import { SOURCE, startProgram } from "../../support/program.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";
import { until } from "../../support/until.ts";
import { backendOf, untilWaitedFor } from "../../support/lock_waits.ts";

const own = await readSchema();

/** The schema as it was; functions only as far as migrating needs them. */
const BEFORE: Schema = {
  migrations: own.migrations.filter(({ version }) => version < 35),
  functions: own.functions.filter(({ name }) =>
    ["10_archive.sql", "11_clock.sql"].includes(name)
  ),
};

const EVENTS = 60_000;

/** Three relays: all events, every other one, and ten of one second. As many sightings. */
const SIGHTINGS = EVENTS + EVENTS / 2 + 10;

async function fill({ sql }: ScratchDatabase): Promise<void> {
  await sql.unsafe(`
    insert into relay (url, network, domain, discovered_at)
    select format('wss://r%s.example', i), 'clearnet', format('r%s.example', i), 0
    from generate_series(1, 3) as i;
    insert into event (created_at, seen_at, kind, id, pubkey, sig, tags, content)
    select 1700000000 + i / 10, 0, 1, sha256(int4send(i)), sha256('author'),
      decode(repeat('00', 64), 'hex'), '[]', ''
    from generate_series(0, ${EVENTS} - 1) as i;
    insert into event_relay (seen_at, created_at, relay_id, event_id)
    select 1800000000 - created_at / 1000, created_at, relay, id
    from generate_series(1, 3) as relay, event
    where relay = 1 or relay = 2 and get_byte(id, 0) >= 0 and created_at % 2 = 0
      or relay = 3 and created_at = 1700000000;
    create table expected as select * from event_relay;`);
}

/** Sightings that are not where they were, and those recorded at no time that their page knows of. */
async function assertMoved(sql: postgres.Sql): Promise<void> {
  const [row] = await sql`
    with moved as (
      select relay_id, sighting_time(key) as created_at, substr(key, 9) as event_id,
        first_seen_at, last_seen_at
      from sighting_page cross join sighting_keys(keys) as key)
    select count(*)::int as sightings,
      count(*) filter (where e.event_id is null or m.event_id is null)::int
        as lost,
      count(*) filter (where e.seen_at < m.first_seen_at
        or e.seen_at > m.last_seen_at)::int as undated
    from moved m
    full join expected e using (relay_id, created_at, event_id)`;
  assert.deepEqual({ ...row }, {
    sightings: SIGHTINGS,
    lost: 0,
    undated: 0,
  });
}

for (const version of await serverVersions()) {
  Deno.test(`an older archive's sightings are moved into pages, in spite of a kill -9 and a stop [${version}]`, async () => {
    await using directory = await temporaryDirectory();
    await using scratch = await scratchDatabase({ version });
    const { sql, url } = scratch;
    await using database = await scratch.open();
    await migrate(database, { schema: BEFORE });
    await fill(scratch);
    const migration = () =>
      startProgram(SOURCE, ["db", "migrate", "--database", url], {
        cwd: directory.path,
      });

    // It waits for the second relay, as a writer would have it wait, when the first is moved.
    await sql.begin(async (holding) => {
      await holding`
        select pg_advisory_xact_lock(hashtextextended('bigbrotr sync', 2))`;
      await using killed = migration();
      const holder = await backendOf(holding);
      await untilWaitedFor("the move of the second relay", { sql, holder });
      await killed.stop("SIGKILL");
    });
    const [halfway] = await sql`select moved::int from sighting_move`;
    assert.equal(halfway!.moved, EVENTS);
    const { state, pending } = await schemaState(database);
    assert.deepEqual([state, pending], ["behind", [
      "33_sighting_move.sql (sightings are left to move)",
    ]]);
    await assert.rejects(requireCurrentSchema(database), /db migrate/);

    // Somebody writes where nothing is moved yet: what is there, and what is not.
    await sql`
      select event_relay_insert(2, 1798299990, array_agg(created_at),
        string_agg(event_id, ''))
      from (select * from expected where relay_id = 2
        and get_byte(event_id, 1) = 7) as part`;
    // A stop ends it between two steps, and the next run goes on there.
    const stop = new AbortController();
    const steps: string[] = [];
    await assert.rejects(migrate(database, {
      signal: stop.signal,
      onStep: (step) => {
        steps.push(step);
        stop.abort();
      },
    }));
    assert.match(steps.join(), /^moving sightings into pages: \d+ %$/);
    await using resumed = migration();
    assert.equal((await resumed.end()).code, 0);

    await assertMoved(sql);
    const { signal } = new AbortController();
    assert.deepEqual(
      await verifyIntegrity(database, { batchSize: 20_000, signal }),
      [],
    );
    assert.deepEqual((await verifySchema(database)).problems, []);
    await requireCurrentSchema(database);
    const [row] = await sql`select max(pages)::int from (
      select count(*) as pages from sighting_page where relay_id = 1) as p`;
    assert.equal(row!.max, EVENTS / 96);
  });

  Deno.test(`a follower of facts hears nothing of what is moved, and all that is written meanwhile [${version}]`, async () => {
    await using scratch = await scratchDatabase({ version });
    const { sql } = scratch;
    await using database = await scratch.open();
    await migrate(database, { schema: BEFORE });
    await fill(scratch);
    const stop = new AbortController();
    // Ends after the first step, when the tables are new and most sightings are still rows.
    await assert.rejects(migrate(database, {
      signal: stop.signal,
      onStep: () => stop.abort(),
    }));
    const heard: Fact[] = [];
    const enough = new AbortController();
    await using follower = await scratch.open();
    const following = (async () => {
      for await (
        const { facts, isWhole } of followFacts(follower, enough.signal)
      ) {
        assert.ok(isWhole);
        heard.push(...facts);
        if (heard.length === 2) return;
      }
    })();
    await until("somebody follows", async () => {
      const [row] = await sql`
        select count(*)::int as followers from fact_follower`;
      return row!.followers === 1;
    });
    const write = (relayId: number, createdAt: number) =>
      sql`select event_relay_insert(${relayId}, 1798299990,
        array_agg(created_at), string_agg(id, ''))
      from (select created_at, id from event where created_at = ${createdAt}
        order by id) as batch`;
    // The third relay's rows are moved last: of one second ten are there and not moved, of the other none.
    await write(3, 1_700_000_001);
    await migrate(database);
    await write(3, 1_700_000_000);
    await write(3, 1_700_000_001);
    await write(3, 1_700_000_002);
    await following.finally(() => enough.abort());
    assert.deepEqual(
      heard.map((fact) => ({
        relayId: fact.type === "sightings" ? fact.relayId : null,
        sign: fact.sign,
        times: fact.createdAt,
      })),
      [1_700_000_001, 1_700_000_002].map((at) => ({
        relayId: 3,
        sign: 1,
        times: Array.from({ length: 10 }, () => at),
      })),
    );
    const [row] = await sql`select count(*)::int as waiting from fact`;
    assert.equal(row!.waiting, 2);
  });

  Deno.test(`a disk that cannot hold what is to be moved is refused before anything is changed [${version}]`, async () => {
    await using scratch = await scratchDatabase({ version });
    await using database = await scratch.open();
    await migrate(database, { schema: BEFORE });
    await fill(scratch);
    const asked: string[] = [];
    const free = (path: string) => {
      asked.push(path);
      return Promise.resolve(1024 ** 2);
    };
    await assert.rejects(migrate(database, { free }), {
      name: "SchemaError",
      message: /takes \d+ MiB beside what is there, and \/.* has 1 MiB free/,
    });
    assert.equal(asked.length, 1);
    const [row] = await scratch.sql`
      select count(*)::int as rows, to_regclass('sighting_page') as pages
      from event_relay`;
    assert.deepEqual({ ...row }, { rows: SIGHTINGS, pages: null });
    await migrate(database);
    await assertMoved(scratch.sql);
  });
}
