import assert from "node:assert/strict";
import {
  consumeFacts,
  type Fact,
  factStatus,
  factTail,
  followFacts,
} from "../../../src/archive/facts.ts";
import { insertEvents, storeBatch } from "../../../src/archive/events.ts";
import { deleteOrphanEvents } from "../../../src/archive/maintenance.ts";
import { removeRelay } from "../../../src/archive/relay_admin.ts";
import type { Database } from "../../../src/core/database/connection/database.ts";
import {
  encodeEvents,
  encodeKeys,
} from "../../../src/models/encoded_events.ts";
import type { NostrEvent } from "../../../src/models/event.ts";
import type { TestArchive } from "../../support/archive.ts";
import { testOnEachServer } from "../../support/each_server.ts";
import { eventFactory } from "../../support/event_factory.ts";
import {
  addToLedger,
  ledgerFaults,
  openLedger,
} from "../../support/fact_ledger.ts";
import { missing, unless } from "../../support/installed.ts";
import { backendOf, untilWaitedFor } from "../../support/lock_waits.ts";
import { pgBouncer } from "../../support/pgbouncer.ts";
import { scratchCluster } from "../../support/postgres.ts";
import { startScript } from "../../support/script_process.ts";
import { newRelay, syncBatch } from "../../support/sync_batch.ts";
import { testArchive } from "../../support/archive.ts";
import { brotrConfig } from "../../../src/core/config/brotr_config.ts";
import { connectDatabase } from "../../../src/core/database/connect.ts";
import { silentLogger } from "../../support/silent_logger.ts";
import { until } from "../../support/until.ts";

const factory = eventFactory("facts_test");
const { signal } = new AbortController();

testOnEachServer(
  "each writer leaves what it changed, and no more",
  async (archive) => {
    const { database } = archive;
    const relayId = await newRelay(archive);
    const [first, second, third] = manyEvents(3);
    const imported = encodeEvents([first!, second!]);
    await insertEvents(database, imported);
    assert.deepEqual(await takeAll(database), [events(1, [first!, second!])]);
    await insertEvents(database, imported);
    assert.deepEqual(await takeAll(database), []);

    const known = encodeKeys([first!]);
    const batch = syncBatch(relayId, [second!, third!], { known });
    await storeBatch(database, batch);
    const seen = [second!, third!, first!];
    assert.deepEqual(await takeAll(database), [
      events(1, [third!]),
      sightings(relayId, 1, seen),
    ]);
    await storeBatch(database, batch);
    assert.deepEqual(await takeAll(database), []);

    await removeRelay(database, "wss://relay.example.com", {
      sightings: true,
      signal,
    });
    assert.deepEqual(await takeAll(database), [sightings(relayId, -1, seen)]);
    await deleteOrphanEvents(database, { batchSize: 100, signal });
    assert.deepEqual(await takeAll(database), [events(-1, seen)]);
  },
);

testOnEachServer(
  "a fold that fails takes nothing, and a second consumer waits for the first",
  async (archive) => {
    const { database } = archive;
    await insertEvents(database, encodeEvents(manyEvents(5)));
    const failed = consumeFacts(database, { limit: 10, signal }, () => {
      return Promise.reject(new Error("no"));
    });
    await assert.rejects(failed, /no/);
    const folding = Promise.withResolvers<number>();
    const mayEnd = Promise.withResolvers<void>();
    const first = consumeFacts(database, { limit: 10, signal }, async (sql) => {
      folding.resolve(await backendOf(sql));
      await mayEnd.promise;
    });
    const holder = await folding.promise;
    const second = consumeFacts(
      database,
      { limit: 10, signal },
      async () => {},
    );
    await untilWaitedFor("the second", { sql: archive.sql, holder });
    mayEnd.resolve();
    assert.deepEqual(await Promise.all([first, second]), [1, 0]);
  },
);

testOnEachServer(
  "what 8 writers leave is folded once each, whatever is killed or late, and however clocks run",
  async (archive) => {
    const { database, sql } = archive;
    await openLedger(archive);
    const pool = manyEvents(400);
    const relays: number[] = [];
    for (let n = 0; n < 8; n++) {
      relays.push(await newRelay(archive, `wss://r${n}.example.com`));
    }
    let writing = true;
    const writers = relays.map((relayId) => write(archive, relayId, pool));
    const all = Promise.all(writers).then(() => writing = false);
    const consume = async () => {
      while (writing || (await factStatus(database)).rows > 0) {
        await consumeFacts(database, { limit: 7, signal }, addToLedger);
      }
    };
    const nuisance = async () => {
      let round = 0;
      let killed = 0;
      while (writing) {
        round++;
        // Sessions of the pool die wherever they are; their work is done again.
        const ended = await sql`
          select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and application_name like 'bigbrotr%'
            and pid % 3 = ${round % 3}`;
        killed += ended.length;
        await sql.unsafe(`
          create or replace function unix_now() returns int8 language sql volatile
          as 'select floor(extract(epoch from clock_timestamp()))::int8 - ${
          3_600 * (round % 2)
        }'`);
        await deleteOrphanEvents(database, { batchSize: 50, signal });
      }
      return killed;
    };
    const [killed] = await Promise.all([
      nuisance(),
      all,
      consume(),
      consume(),
    ]);
    assert.ok(killed > 0);
    // The last cleanup may have come after the consumers.
    while (await consumeFacts(database, { limit: 99, signal }, addToLedger));
    assert.deepEqual(await ledgerFaults(archive), []);
    const [counted] = await sql`
      select (select count(*) from event) + (select count(*) from event_relay) as rows,
        (select sum(amount) from ledger) as folded`;
    assert.ok(Number(counted!["rows"]) > 400);
    assert.equal(counted!["folded"], counted!["rows"]);
  },
);

testOnEachServer(
  "kill -9 of a consumer in the middle of a fold loses and doubles nothing",
  async (archive) => {
    const { database } = archive;
    await openLedger(archive);
    for (const event of manyEvents(30)) {
      await insertEvents(database, encodeEvents([event]));
    }
    const script = new URL("../../support/dying_consumer.ts", import.meta.url);
    for (let death = 0; death < 3; death++) {
      await using consumer = startScript(script, [archive.url]);
      // It kills itself when its fold is written and not committed.
      assert.equal(await consumer.next(), "folded 5");
    }
    assert.equal((await factStatus(database)).rows, 30);
    while (await consumeFacts(database, { limit: 9, signal }, addToLedger));
    assert.deepEqual(await ledgerFaults(archive), []);
  },
);

testOnEachServer(
  "kill -9 of a writer leaves facts of what it committed, and of nothing else",
  async (archive) => {
    await openLedger(archive);
    const script = new URL("../../support/dying_writer.ts", import.meta.url);
    for (let death = 0; death < 2; death++) {
      const relayId = await newRelay(archive, `wss://r${death}.example.com`);
      await using writer = startScript(script, [archive.url, relayId, death]);
      assert.equal(await writer.next(), "stored 5");
    }
    const consume = { limit: 9, signal };
    while (await consumeFacts(archive.database, consume, addToLedger));
    assert.deepEqual(await ledgerFaults(archive), []);
    assert.equal(await archive.count("event"), 500);
    assert.equal(await archive.count("ledger"), 1_000);
  },
);

testOnEachServer(
  "above its bound the queue drops the oldest, and remembers days and relays, each once",
  async (archive) => {
    const { database, sql } = archive;
    await sql.unsafe(`
      create or replace function fact_bound(out rows int4, out bytes int8)
      language sql immutable as 'select 10, 1000000::int8'`);
    await openLedger(archive);
    const relayId = await newRelay(archive);
    const drafts = Array.from(
      { length: 200 },
      (_, n) => factory.sign({ createdAt: 86_400 * (20_000 + n % 5) + n }),
    );
    const far = factory.sign({ createdAt: 2 ** 50 });
    await storeBatch(database, syncBatch(relayId, [far]));
    for (const event of drafts) {
      await storeBatch(database, syncBatch(relayId, [event]));
    }
    const status = await factStatus(database);
    assert.ok(status.rows >= 10 && status.rows < 74, String(status.rows));
    assert.equal(status.droppedDays, 6);
    assert.equal(status.droppedRelays, 1);
    assert.equal(await archive.count("fact_dropped"), 7);
    assert.equal(await archive.count("fact_dropped where day = 36525"), 1);
    while (await consumeFacts(database, { limit: 99, signal }, addToLedger));
    // What is not folded is of days and relays that are remembered.
    const faults = await sql`
      select 1 from event e where not exists (
        select from ledger where item like '% ' || encode(e.id, 'hex') || ' %')
      and not exists (select from fact_dropped where day = least(created_at / 86400, 36525))`;
    assert.deepEqual([...faults], []);
  },
);

testOnEachServer(
  "what somebody is making again when a fact of it is dropped is remembered anew, and nobody waits",
  async (archive) => {
    const { database, sql } = archive;
    const event = factory.sign({ createdAt: 86_400 * 20_000 });
    await sql`insert into fact_dropped (dropped_at, day) values (1, 20000)`;
    await insertEvents(database, encodeEvents([event]));
    await sql.unsafe(`
      create or replace function fact_bound(out rows int4, out bytes int8)
      language sql immutable as 'select 0, 0::int8'`);
    const dropped = await database.transaction(async (maker) => {
      await maker`delete from fact_dropped where day = 20000`;
      const [row] = await sql`select fact_trim() as dropped`;
      return row!["dropped"];
    });
    assert.equal(dropped, 1);
    assert.equal(await archive.count("fact_dropped where day = 20000"), 1);
  },
);

testOnEachServer(
  "what a consumer has in hand is not dropped",
  async (archive) => {
    const { database, sql } = archive;
    await insertEvents(database, encodeEvents(manyEvents(3)));
    await sql.unsafe(`
      create or replace function fact_bound(out rows int4, out bytes int8)
      language sql immutable as 'select 0, 0::int8'`);
    let dropped: unknown;
    await consumeFacts(database, { limit: 9, signal }, async () => {
      const [row] = await sql`select fact_trim() as dropped`;
      dropped = row!["dropped"];
    });
    assert.equal(dropped, 0);
    assert.equal(await archive.count("fact_dropped"), 0);
  },
);

testOnEachServer(
  "a follower sees each fact once: those that commit late, and those a consumer took before it looked",
  async (archive) => {
    const { database } = archive;
    const [early, late, last] = manyEvents(3);
    let { position } = await factTail(database, null, 100);
    const look = async () => {
      const tail = await factTail(database, position, 100);
      position = tail.position;
      assert.ok(tail.isWhole);
      return tail.facts;
    };
    await database.transaction(async (sql) => {
      await insertEvents(sql, encodeEvents([late!]));
      await insertEvents(database, encodeEvents([early!]));
      assert.deepEqual(await look(), [events(1, [early!])]);
    });
    await takeAll(database);
    assert.deepEqual(await look(), [events(1, [late!])]);
    assert.deepEqual(await look(), []);
    await insertEvents(database, encodeEvents([last!]));
    assert.deepEqual(await look(), [events(1, [last!])]);
    // More than it asked for, or too late, is said.
    await insertEvents(database, encodeEvents(manyEvents(1)));
    await insertEvents(database, encodeEvents(manyEvents(1)));
    const short = await factTail(database, position, 1);
    assert.deepEqual([short.facts.length, short.isWhole], [1, false]);
    const slow = { ...short.position, seenAt: short.position.seenAt - 40 };
    assert.equal((await factTail(database, slow, 1)).isWhole, false);
  },
);

testOnEachServer(
  "followFacts() is notified where it can be",
  async ({ database, sql }) => {
    await followsOne(database, database);
    await until("its connection is closed", async () => {
      const heard = await sql`
        select 1 from pg_stat_activity where query ilike 'listen%'
          and datname = current_database()`;
      return heard.length === 0;
    });
  },
);

const NO_PGBOUNCER = await missing("/usr/sbin/pgbouncer");

Deno.test({
  ...unless(NO_PGBOUNCER, "followFacts() looks by itself behind PgBouncer"),
  async fn() {
    await using archive = await testArchive();
    await using bouncer = await pgBouncer(await scratchCluster());
    const name = new URL(archive.url).pathname.slice(1);
    await using database = await connectDatabase(
      brotrConfig.parse({
        database: {
          host: "127.0.0.1",
          port: bouncer.port,
          database: name,
          pgbouncer: true,
        },
      }),
      { log: silentLogger(), signal },
    );
    await followsOne(database, archive.database);
  },
});

/** Follows through one connection what is written through another. */
async function followsOne(follower: Database, writer: Database): Promise<void> {
  const stop = new AbortController();
  const [event] = manyEvents(1);
  const following = (async () => {
    for await (const { facts } of followFacts(follower, stop.signal)) {
      return facts;
    }
    return [];
  })();
  await until("somebody follows", async () => {
    const [row] = await writer.run((sql) =>
      sql`select count(*)::int as followers from fact_follower`
    );
    return row!["followers"] === 1;
  });
  await insertEvents(writer, encodeEvents([event!]));
  assert.deepEqual(await following, [events(1, [event!])]);
  stop.abort();
}

/** Stores what it draws from the pool in small batches, as its own relay has it; some transactions commit late. */
async function write(
  { database }: TestArchive,
  relayId: number,
  pool: readonly NostrEvent[],
): Promise<void> {
  for (let batch = 0; batch < 12; batch++) {
    const drawn = Array.from({ length: 20 }, () => factory.pick(pool));
    await database.transaction(async (sql) => {
      if (factory.number(4) === 0) await insertEvents(sql, encodeEvents(drawn));
      else await storeBatch(sql, syncBatch(relayId, drawn));
      if (factory.number(3) === 0) await sql`select pg_sleep(0.05)`;
    }, { kind: "batch" });
  }
}

async function takeAll(database: Database): Promise<Fact[]> {
  const taken: Fact[] = [];
  await consumeFacts(database, { limit: 1_000, signal }, (_, facts) => {
    taken.push(...facts);
    return Promise.resolve();
  });
  return taken.map(sorted);
}

function events(sign: 1 | -1, list: readonly NostrEvent[]): Fact {
  return sorted({
    type: "events",
    sign,
    createdAt: list.map((event) => event.created_at),
    kinds: list.map((event) => event.kind),
    keys: bytes(list.map(({ id, pubkey }) => id + pubkey)),
  });
}

function sightings(
  relayId: number,
  sign: 1 | -1,
  list: readonly NostrEvent[],
): Fact {
  const createdAt = list.map((event) => event.created_at);
  const ids = bytes(list.map(({ id }) => id));
  return sorted({ type: "sightings", sign, relayId, createdAt, ids });
}

function bytes(hex: readonly string[]): Uint8Array {
  return Uint8Array.fromHex(hex.join(""));
}

/** The order within a fact means nothing. */
function sorted(fact: Fact): Fact {
  const order = fact.createdAt.map((_, i) => i).toSorted((a, b) =>
    fact.createdAt[a]! - fact.createdAt[b]!
  );
  const createdAt = order.map((i) => fact.createdAt[i]!);
  if (fact.type === "events") {
    const kinds = order.map((i) => fact.kinds[i]!);
    return { ...fact, createdAt, kinds, keys: inOrder(fact.keys, 64, order) };
  }
  return { ...fact, createdAt, ids: inOrder(fact.ids, 32, order) };
}

function inOrder(
  packed: Uint8Array,
  stride: number,
  order: readonly number[],
): Uint8Array {
  const parts = order.map((i) => packed.subarray(i * stride, (i + 1) * stride));
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function manyEvents(count: number): NostrEvent[] {
  return Array.from(
    { length: count },
    (_, n) => factory.sign({ author: n % 5, kind: n % 3 }),
  );
}
