/**
 * Sightings in pages: what is put in comes out, whoever writes and in whatever order, and pages stay whole.
 *
 * @module
 */
import assert from "node:assert/strict";
import type postgres from "postgres";
import { storeBatch } from "../../../src/archive/events.ts";
import { listingSums } from "../../../src/archive/sync/listing_sums.ts";
import { countSightings } from "../../../src/archive/sync/live_coverage.ts";
import {
  recordListing,
  relayVector,
} from "../../../src/archive/sync/relay_listing.ts";
import { verifyIntegrity } from "../../../src/core/database/integrity.ts";
import {
  encodeKeys,
  type EventKeys,
} from "../../../src/models/encoded_events.ts";
import { filterHash } from "../../../src/models/filter.ts";
import { fingerprintOf, IdSum } from "../../../src/nips/negentropy/id_sum.ts";
import { SortedKeys } from "../../../src/nips/negentropy/sorted_keys.ts";
import type { TestArchive } from "../../support/archive.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { testOnEachServer } from "../../support/each_server.ts";
import { newRelay, syncBatch } from "../../support/sync_batch.ts";

const START = 1_700_000_000;
const DAY = 86_400;
const HASH = filterHash({});

/** A key for each number: the same each time. */
async function keyOf(number: number, span: number) {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, number);
  const id = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return {
    created_at: START + new DataView(id.buffer).getUint32(4) % span,
    id: id.toHex(),
  };
}

type Key = Awaited<ReturnType<typeof keyOf>>;

async function record(
  sql: postgres.Sql,
  relayId: number,
  keys: readonly Key[],
): Promise<number> {
  const { ids, createdAt } = encodeKeys(keys);
  const [row] = await sql`
    select event_relay_insert(${relayId}, 5, ${`{${createdAt.join()}}`}::text::int8[], ${`\\x${ids.toHex()}`}::text::bytea) as recorded`;
  return row!.recorded;
}

const textOf = ({ created_at, id }: Key) =>
  `${String(created_at).padStart(12, "0")} ${id}`;

/** As the view has them, in the order of pages. */
async function recorded(
  sql: postgres.Sql,
  relayId: number,
): Promise<string[]> {
  const rows = await sql<{ text: string }[]>`
    select lpad(created_at::text, 12, '0') || ' ' || encode(event_id, 'hex')
      as text
    from event_relay where relay_id = ${relayId} order by created_at, event_id`;
  return rows.map(({ text }) => text);
}

/** Rules about pages that are broken. */
async function faultsOf({ database }: TestArchive): Promise<string[]> {
  const { signal } = new AbortController();
  const problems = await verifyIntegrity(database, { batchSize: 999, signal });
  return problems.map(({ rule }) => rule).filter((rule) =>
    /sighting/.test(rule) && !rule.endsWith("→ event")
  );
}

interface Window {
  readonly since: number;
  readonly until: number;
}

function isIn({ since, until }: Window, text: string): boolean {
  const at = Number(text.slice(0, 12));
  return at >= since && at <= until;
}

/** What each function that gives keys says of a window. */
async function readAll(
  database: TestArchive["database"],
  sql: postgres.Sql,
  relayId: number,
  window: Window,
): Promise<Record<string, string[]>> {
  const { since, until } = window;
  const keysOf = async (rows: PromiseLike<readonly postgres.Row[]>) =>
    (await rows).map((row) => textOf({ created_at: row.at, id: row.id }));
  const listed = await keysIn(database, { relayId, filterHash: HASH }, window);
  const vector = listed.select([...Array(listed.size).keys()]);
  const before = await keysOf(sql`
    select sighting_time(key)::int as at, encode(substr(key, 9), 'hex') as id
    from sighting_before(${relayId}, sighting_key(${since}),
      sighting_key(${until + 1}), 100000) as key`);
  const after = await keysOf(sql`
    select sighting_time(key)::int as at, encode(substr(key, 9), 'hex') as id
    from sighting_after(${relayId}, sighting_key(${since}), 100000) as key`);
  return {
    relay_events: await keysOf(sql`
      select created_at::int as at, encode(event_id, 'hex') as id
      from relay_events(${relayId}, ${since}, ${until})`),
    sighting_before: before.toReversed(),
    sighting_after: after.filter((text) => isIn(window, text)),
    event_relay_vector: Array.from(vector.createdAt, (created_at, i) =>
      textOf({
        created_at,
        id: vector.ids.subarray(32 * i, 32 * i + 32).toHex(),
      })),
  };
}

/** How syncs write: runs, few of many, one by one, all again. */
const SIZES = [1, 1, 2, 5, 40, 60, 200, 700];

testOnEachServer(
  "sightings of random batches are those of a set, whatever reads them, and pages stay whole and full",
  async (archive) => {
    const { database, sql } = archive;
    const seed = Math.floor(Math.random() * 2 ** 31);
    const random = sequence(seed);
    const sets = new Map([[1, new Set<string>()], [2, new Set<string>()]]);
    for (let i = 0; i < 150; i++) {
      const relayId = 1 + random(2);
      const set = sets.get(relayId)!;
      const size = SIZES[random(SIZES.length)]!;
      const [first, span] = [random(20_000), [3, 1_000, 1_000_000][random(3)]!];
      const keys = await Promise.all(
        Array.from({ length: size }, (_, n) => keyOf(first + n, span)),
      );
      const fresh = new Set(keys.map(textOf)).difference(set);
      assert.equal(
        await record(sql, relayId, keys),
        fresh.size,
        `seed ${seed}, batch ${i}`,
      );
      for (const text of fresh) set.add(text);
    }
    for (const [relayId, set] of sets) {
      const all = [...set].toSorted();
      assert.deepEqual(await recorded(sql, relayId), all, `seed ${seed}`);
      const waiting = `sighting_log where relay_id = ${relayId}`;
      assert.ok(await archive.count(waiting) > 0, `seed ${seed}`);
      for (let i = 0; i < 20; i++) {
        const since = START + random(1_000_000);
        const window = { since, until: since + random(300_000) };
        const within = all.filter((text) => isIn(window, text));
        const read = await readAll(database, sql, relayId, window);
        for (const [reader, texts] of Object.entries(read)) {
          assert.deepEqual(texts, within, `seed ${seed}, ${reader}`);
        }
        assert.equal(
          await countSightings(database, relayId, [window]),
          within.length,
          `seed ${seed}`,
        );
      }
    }
    assert.deepEqual(await faultsOf(archive), [], `seed ${seed}`);
    const [row] = await sql<{ mean: number }[]>`
      select avg(sightings)::float8 as mean from sighting_page`;
    assert.ok(row!.mean > 48, `seed ${seed}: ${row!.mean} a page`);
  },
);

testOnEachServer(
  "a walk and a live subscription leave full pages",
  async (archive) => {
    const { sql } = archive;
    const keys = await Promise.all(
      Array.from({ length: 3_000 }, (_, n) => keyOf(n, 1_000_000)),
    );
    keys.sort((a, b) => b.created_at - a.created_at);
    for (let i = 0; i < 2_000; i += 500) {
      await record(sql, 1, keys.slice(i, i + 500));
    }
    for (const key of keys.slice(2_000).toReversed()) {
      await record(sql, 2, [key]);
    }
    const pages = await sql`
      select relay_id as relay, count(*)::int as pages from sighting_page
      group by 1 order by 1`;
    assert.deepEqual([...pages], [
      // Two batches left less than half a page to fill up, and one left more.
      { relay: 1, pages: 22 },
      { relay: 2, pages: Math.ceil(1_000 / 96) },
    ]);
  },
);

testOnEachServer(
  "a single sighting between a full page and one that is half empty is stored",
  async ({ sql }) => {
    const keys = await Promise.all(
      Array.from({ length: 130 }, (_, n) => keyOf(n, 1_000_000)),
    );
    keys.sort((a, b) => a.created_at - b.created_at);
    await record(sql, 1, keys.slice(0, 96));
    await record(sql, 1, keys.slice(97));
    assert.equal(await record(sql, 1, [keys[96]!]), 1);
    assert.deepEqual(await recorded(sql, 1), keys.map(textOf));
  },
);

testOnEachServer(
  "eight writers at once, on the same relay and on others, lose nothing and never deadlock",
  async (archive) => {
    const { database, sql } = archive;
    const factory = eventFactory("eight_writers");
    const relays = await Promise.all(
      [1, 2, 3].map((n) => newRelay(archive, `wss://r${n}.example.com`)),
    );
    const events = Array.from(
      { length: 800 },
      (_, i) => factory.sign({ createdAt: START + (i * 7_919) % 500 }),
    );
    await storeBatch(database, syncBatch(relays[0]!, events.slice(0, 100)));
    await Promise.all(Array.from({ length: 8 }, async (_, writer) => {
      // Each has events in common with its neighbours, in another order, and every other writer has all relays in turn.
      const part = events.slice(writer * 90, writer * 90 + 170);
      if (writer % 2 === 1) part.reverse();
      for (let i = 0; i < part.length; i += 30) {
        const some = part.slice(i, i + 30);
        const relayId = relays[(writer % 2) * (i / 30 % 3)]!;
        const isKnown = writer % 4 > 1;
        if (isKnown) {
          await storeBatch(database, syncBatch(relayId, some));
        }
        await storeBatch(
          database,
          syncBatch(relayId, isKnown ? [] : some, {
            known: encodeKeys(isKnown ? some : []),
          }),
        );
        for (const relay of relays) {
          await storeBatch(
            database,
            syncBatch(relay, [], { known: encodeKeys(some) }),
          );
        }
      }
    }));
    const written = events.slice(0, 7 * 90 + 170).map(textOf).toSorted();
    for (const relayId of relays) {
      assert.deepEqual(await recorded(sql, relayId), written);
    }
    assert.deepEqual(await faultsOf(archive), []);
    assert.equal(await archive.count("event"), 800);
  },
);

testOnEachServer(
  "who holds an event, what a relay held in a window, and how much of it",
  async (archive) => {
    const { database, sql } = archive;
    const factory = eventFactory("who_holds");
    const events = Array.from(
      { length: 300 },
      (_, i) => factory.sign({ createdAt: START + i }),
    );
    const relays = await Promise.all(
      Array.from(
        { length: 12 },
        (_, n) => newRelay(archive, `wss://r${n}.example.com`),
      ),
    );
    for (const [n, relayId] of relays.entries()) {
      const held = events.filter((_, i) => n > 0 && i % n === 0);
      await storeBatch(database, syncBatch(relayId, held));
    }
    for (const i of [0, 1, 60, 97, 299]) {
      const rows = await sql<{ relay: number; at: number }[]>`
        select relay_id as relay, created_at::int as at
        from event_relays(decode(${events[i]!.id}, 'hex')) order by relay_id`;
      const holders = relays.filter((_, n) => n > 0 && i % n === 0)
        .toSorted((a, b) => a - b);
      assert.deepEqual(rows.map(({ relay }) => relay), holders);
      assert.ok(rows.every(({ at }) => at === START + i));
    }
    const none = await sql`select from event_relays(sha256('nothing'))`;
    assert.equal(none.length, 0);
    for (const [since, until] of [[-5, 400], [10, 10], [90, 200], [400, 500]]) {
      const window = { since: START + since!, until: START + until! };
      const wanted = events.filter((_, i) =>
        i % 2 === 0 && i >= since! && i <= until!
      );
      const rows = await sql<{ id: string }[]>`
        select encode(event_id, 'hex') as id
        from relay_events(${relays[2]!}, ${window.since}, ${window.until})
        order by created_at`;
      assert.deepEqual(
        rows.map(({ id }) => id),
        wanted.map(({ id }) => id),
      );
      assert.equal(
        await countSightings(database, relays[2]!, [window]),
        wanted.length,
      );
    }
  },
);

testOnEachServer(
  "sums of parts make the fingerprints of NIP-77 that the keys make",
  async (archive) => {
    const { database, sql } = archive;
    const relayId = await newRelay(archive);
    const keys = await Promise.all(
      Array.from({ length: 2_600 }, (_, n) => keyOf(n, 40 * DAY)),
    );
    await record(sql, relayId, keys.slice(100));
    for (const key of keys.slice(0, 100)) await record(sql, relayId, [key]);
    assert.ok(await archive.count("sighting_log") > 0);
    const listing = { relayId, filterHash: HASH };
    const compare = async () => {
      for (const seconds of [DAY, 7_000, 100 * DAY]) {
        const window = { since: START - 5, until: START + 30 * DAY + 77 };
        const parts = await listingSums(database, {
          ...listing,
          window,
          seconds,
          withheldSince: 0,
        });
        let events = 0;
        for (const part of parts) {
          const until = Math.min(part.since + seconds - 1, window.until);
          const listed = await keysIn(database, listing, {
            since: part.since,
            until,
          });
          events += part.events;
          assert.equal(part.events, listed.size);
          assert.deepEqual(
            fingerprintOf(new IdSum().add(part.sum, 0, 1), part.events),
            listed.fingerprint(0, listed.size),
          );
        }
        const all = await keysIn(database, listing, window);
        assert.equal(events, all.size);
      }
    };
    await compare();
    // What is gone and what is withheld belongs to the list, too; some of it in one part, and one that is not there.
    const near = keys.toSorted((a, b) => a.created_at - b.created_at);
    await recordListing(database, listing, {
      state: "gone",
      keys: encodeKeys([...near.slice(100, 140), await keyOf(9_999, DAY)]),
    });
    await recordListing(database, listing, {
      state: "withheld",
      keys: encodeKeys([await keyOf(8_888, DAY), near[300]!]),
    });
    await compare();
  },
);

testOnEachServer(
  "event_relay_delete() takes events out of all relays' pages",
  async (archive) => {
    const { sql } = archive;
    const relays = [
      await newRelay(archive),
      await newRelay(archive, "wss://b.example"),
    ];
    const keys = await Promise.all(
      Array.from({ length: 400 }, (_, n) => keyOf(n, 1_000)),
    );
    await record(sql, relays[0]!, keys);
    // A page each, and what waits for it: some of it is deleted, and some outlives the page.
    await record(sql, relays[1]!, keys.slice(40));
    for (const key of keys.slice(0, 40)) await record(sql, relays[1]!, [key]);
    await record(sql, relays[1]!, [await keyOf(5_000, 5)]);
    assert.ok(await archive.count("sighting_log") > 0);
    const { ids, createdAt } = encodeKeys(
      [...keys.slice(20, 170), await keyOf(7_000, 5), await keyOf(5_000, 5)],
    );
    const deleted = await sql<{ relay: number; sightings: number }[]>`
      select relay_id as relay, octet_length(keys) / 40 as sightings
      from event_relay_delete(${`{${createdAt.join()}}`}::text::int8[],
        ${`\\x${ids.toHex()}`}::text::bytea)`;
    assert.deepEqual([...deleted], [
      { relay: relays[0], sightings: 150 },
      { relay: relays[1], sightings: 151 },
    ]);
    const rest = [...keys.slice(0, 20), ...keys.slice(170)].map(textOf)
      .toSorted();
    for (const relayId of relays) {
      assert.deepEqual(await recorded(sql, relayId), rest);
    }
    assert.deepEqual(await faultsOf(archive), []);
  },
);

testOnEachServer(
  "relay_sighting_delete() takes the oldest pages, each with what waits for it",
  async (archive) => {
    const { sql } = archive;
    const relayId = await newRelay(archive);
    const keys = await Promise.all(
      Array.from({ length: 500 }, (_, n) => keyOf(n, 1_000_000)),
    );
    await record(sql, relayId, keys.slice(60));
    for (const key of keys.slice(0, 60)) await record(sql, relayId, [key]);
    let left = keys.map(textOf).toSorted();
    for (let deleted = 1; deleted > 0;) {
      [{ deleted }] = await sql<[{ deleted: number }]>`
        select relay_sighting_delete(url, 100) as deleted
        from relay where id = ${relayId}`;
      left = left.slice(deleted);
      assert.deepEqual(await recorded(sql, relayId), left);
      assert.deepEqual(await faultsOf(archive), []);
    }
    assert.deepEqual(left, []);
  },
);

async function keysIn(
  database: TestArchive["database"],
  listing: { readonly relayId: number; readonly filterHash: string },
  { since, until }: Window,
): Promise<SortedKeys> {
  const vector = await relayVector(database, {
    ...listing,
    filter: {},
    window: { since, until },
    before: null,
    limit: 100_000,
    withheldSince: 0,
  });
  const keys: EventKeys = vector!.keys;
  return new SortedKeys(keys);
}

/** Numbers below a bound, the same for the same seed. */
function sequence(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor(state / 2 ** 32 * bound);
  };
}
