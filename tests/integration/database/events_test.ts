import assert from "node:assert/strict";
import {
  insertEvents,
  knownEvents,
  storeBatch,
  type StoredBatch,
} from "../../../src/archive/events.ts";
import {
  encodeEvents,
  encodeKeys,
  splitEncoded,
} from "../../../src/models/encoded_events.ts";
import type { NostrEvent } from "../../../src/models/event.ts";
import { filterHash } from "../../../src/models/filter.ts";
import { relayCoverage } from "../../support/archive_reads.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { testOnEachServer } from "../../support/each_server.ts";
import { newRelay, syncBatch } from "../../support/sync_batch.ts";

const factory = eventFactory("events_test");
const HASH = filterHash({});

testOnEachServer(
  "insertEvents() stores an event once and says how many were new",
  async ({ database, sql }) => {
    const [first, second, third] = signMany(3);
    assert.equal(await insertEvents(database, encodeEvents([])), 0);
    assert.equal(
      await insertEvents(database, encodeEvents([first!, second!])),
      2,
    );
    const again = encodeEvents([third!, second!, third!, first!]);
    assert.equal(await insertEvents(database, again), 1);

    const [row] = await sql`select count(*)::int as events from event`;
    assert.equal(row!.events, 3);
  },
);

testOnEachServer(
  "knownEvents() tells archived from unknown in the order asked",
  async ({ database }) => {
    const events = signMany(5);
    const stored = [events[1]!, events[4]!];
    await insertEvents(database, encodeEvents(stored));

    assert.deepEqual([...await knownEvents(database, encodeKeys(events))], [
      0,
      1,
      0,
      0,
      1,
    ]);
    assert.equal((await knownEvents(database, encodeKeys([]))).length, 0);
    // An id commits to its created_at: with another one it is another event.
    const moved = encodeKeys([{ ...events[1]!, created_at: 1 }]);
    assert.deepEqual([...await knownEvents(database, moved)], [0]);
  },
);

testOnEachServer(
  "storeBatch() records sightings of archived events once, and refuses those of events that are not",
  async (archive) => {
    const { database } = archive;
    const [stored, missing] = signMany(2);
    const relayId = await newRelay(archive);
    await insertEvents(database, encodeEvents([stored!]));
    const sightings = (events: readonly NostrEvent[]) =>
      storeBatch(
        database,
        syncBatch(relayId, [], { known: encodeKeys(events) }),
      );

    assert.deepEqual(countsOf(await sightings([stored!])), [0, 1]);
    assert.deepEqual(countsOf(await sightings([stored!])), [0, 1]);
    await assert.rejects(
      sightings([stored!, missing!]),
      /1 of 2 events are not archived/,
    );
    assert.equal(await archive.count("event_relay"), 1);
  },
);

testOnEachServer(
  "storeBatch() stores events, sightings and everything with them in one go",
  async (archive) => {
    const { database, sql } = archive;
    const [known, ...fresh] = signMany(4);
    const relayId = await newRelay(archive);
    await insertEvents(database, encodeEvents([known!]));

    const stored = await storeBatch(
      database,
      syncBatch(relayId, fresh, {
        known: encodeKeys([known!]),
        hints: [{
          url: "wss://hinted.example.org",
          network: "clearnet",
          host: "hinted.example.org",
          domain: "example.org",
          source: "r-tag",
          author: factory.pubkey(0),
        }],
        rejected: [{ reason: "signature", detail: "does not verify" }],
        coverage: [{
          filterHash: HASH,
          filter: {},
          since: 10,
          until: 20,
          method: "finish",
          strength: "paged",
        }],
        gaps: [{ filterHash: HASH, since: 15, until: 30, reason: "closed" }],
      }),
    );

    assert.deepEqual(countsOf(stored), [3, 1]);
    const [counts] = await sql`
    select (select count(*)::int from event) as events,
      (select count(*)::int from event_relay) as sightings,
      (select count(*)::int from candidate) as candidates,
      (select count(*)::int from rejected_event) as rejected,
      (select int8multirange(int8range(since, until, '[]'))::text from sync_gap)
        as gap`;
    assert.deepEqual({ ...counts }, {
      events: 4,
      sightings: 4,
      candidates: 1,
      rejected: 1,
      gap: "{[21,31)}",
    });
    assert.deepEqual(await relayCoverage(database, relayId, HASH), [
      { since: 10, until: 20 },
    ]);
  },
);

testOnEachServer(
  "storeBatch() stores nothing at all when one row is refused",
  async (archive) => {
    const { database, sql } = archive;
    const relayId = await newRelay(archive);
    const events = signMany(3);
    const [, unknown] = signMany(2);
    const coverage = [{
      filterHash: HASH,
      filter: {},
      since: 0,
      until: 1,
      method: "finish" as const,
      strength: "paged" as const,
    }];
    const refused = [
      syncBatch(relayId, events, { known: encodeKeys([unknown!]), coverage }),
      syncBatch(relayId, [...events, { ...events[0]!, created_at: 2 ** 64 }], {
        coverage,
      }),
    ];

    for (const batch of refused) {
      await assert.rejects(storeBatch(database, batch));
    }
    const [row] = await sql`select (select count(*)::int from event)
    + (select count(*)::int from sync_coverage) as rows`;
    assert.equal(row!.rows, 0);
  },
);

testOnEachServer(
  "splitEncoded() isolates an event that the database refuses",
  async ({ database }) => {
    const events = signMany(7);
    const poison = { ...events[3]!, created_at: 2 ** 64 };
    const refused: NostrEvent[] = [];
    await insertOrSplit(encodeEvents(events.with(3, poison)));

    assert.equal(refused.length, 1);
    const flags = await knownEvents(database, encodeKeys(events));
    assert.deepEqual([...flags], [1, 1, 1, 0, 1, 1, 1]);

    async function insertOrSplit(
      batch: ReturnType<typeof encodeEvents>,
    ): Promise<void> {
      try {
        await insertEvents(database, batch);
      } catch {
        if (batch.count === 1) return void refused.push(poison);
        for (const half of splitEncoded(batch)) await insertOrSplit(half);
      }
    }
  },
);

testOnEachServer(
  "storeBatch() on several connections stores overlapping batches without deadlock",
  async (archive) => {
    const { database, sql } = archive;
    const events = signMany(300);
    const relays = await Promise.all(
      [1, 2, 3, 4].map((n) => newRelay(archive, `wss://relay${n}.example.com`)),
    );
    // Each writer has another order and another part in common with its neighbours.
    const stored = await Promise.all(relays.map((relayId, n) => {
      const part = events.slice(n * 50, n * 50 + 150);
      return storeBatch(
        database,
        syncBatch(relayId, n % 2 === 0 ? part : part.toReversed()),
      );
    }));

    const news = stored.reduce((sum, batch) => sum + batch.stored, 0);
    assert.equal(news, 300);
    const [row] = await sql`select count(*)::int as sightings from event_relay`;
    assert.equal(row!.sightings, 600);
  },
);

function signMany(count: number): NostrEvent[] {
  return Array.from({ length: count }, () => factory.sign());
}

/** Events that were new, and those that were known. */
function countsOf({ stored, known }: StoredBatch): [number, number] {
  return [stored, known];
}
