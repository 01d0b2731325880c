import assert from "node:assert/strict";
import { consumeFacts } from "../../../src/archive/facts.ts";
import {
  finishForgetting,
  forget,
  type Forgettable,
  forgetVanished,
} from "../../../src/archive/visibility/forget.ts";
import {
  insertEvents,
  knownEvents,
  storeBatch,
} from "../../../src/archive/events.ts";
import { insertRejected } from "../../../src/archive/rejected_events.ts";
import { findListed } from "../../../src/archive/sync/relay_listing.ts";
import {
  encodeEvents,
  encodeKeys,
} from "../../../src/models/encoded_events.ts";
import type { NostrEvent } from "../../../src/models/event.ts";
import { filterHash } from "../../../src/models/filter.ts";
import type { TestArchive } from "../../support/archive.ts";
import { testOnEachServer } from "../../support/each_server.ts";
import { eventFactory } from "../../support/event_factory.ts";
import {
  addToLedger,
  ledgerFaults,
  openLedger,
} from "../../support/fact_ledger.ts";
import { backendOf, untilWaitedFor } from "../../support/lock_waits.ts";
import { newRelay, syncBatch } from "../../support/sync_batch.ts";

const factory = eventFactory("forget_test");
const { signal } = new AbortController();

testOnEachServer(
  "forget() deletes an author and an event with all that hangs on them, and tells the facts",
  async (archive) => {
    const { database, sql } = archive;
    await openLedger(archive);
    const events = await filled(archive);
    const [author, event] = targetsAmong(events);
    const gone = events.filter(({ id, pubkey }) =>
      pubkey === author.key || id === event.key
    );
    await insertRejected(database, null, [
      { reason: "x", detail: "x", eventId: event.key, raw: "{}" },
      { reason: "x", detail: "x", raw: `{"pubkey":"${author.key}"` },
      { reason: "x", detail: "x", raw: "of others" },
    ]);
    const deleted = await forget(database, [author, event], signal);
    assert.deepEqual(deleted, {
      events: gone.length,
      sightings: 2 * gone.length,
    });
    assert.equal(await archive.count("event"), events.length - gone.length);
    assert.equal(
      await archive.count("event_relay"),
      2 * (events.length - gone.length),
    );
    assert.equal(await archive.count("rejected_event"), 1);
    assert.equal(
      await archive.count(
        "event_raw r where not exists (select from event e where e.id = r.id)",
      ),
      0,
    );
    const [left] = await sql`
      select count(*)::int as rows from event_deletion where pubkey = decode(${author.key}, 'hex')`;
    assert.equal(left!["rows"], 0);
    while (await consumeFacts(database, { limit: 99, signal }, addToLedger));
    assert.deepEqual(await ledgerFaults(archive), []);
    // They come again, and something new of the author, each twice in one batch.
    const again = [
      ...gone,
      {
        ...gone.find(({ pubkey }) => pubkey === author.key)!,
        id: "ab".repeat(32),
      },
    ];
    const inserted = await insertEvents(
      database,
      encodeEvents([...again, ...again]),
    );
    assert.equal(inserted, 0);
  },
);

testOnEachServer(
  "what is forgotten is refused by every writer, which goes on with the rest",
  async (archive) => {
    const { database } = archive;
    const events = await filled(archive);
    const [author, event] = targetsAmong(events);
    await forget(database, [author, event], signal);
    const later = Array.from(
      { length: 9 },
      (_, n) => factory.sign({ author: n % 3, content: n % 2 ? "a\0b" : "" }),
    );
    const all = [...events, ...later];
    const left = all.filter(({ id, pubkey }) =>
      pubkey !== author.key && id !== event.key
    );
    const relayId = await newRelay(archive, "wss://other.example.com");
    const known = encodeKeys(all.slice(0, 30));
    const stored = await storeBatch(
      database,
      syncBatch(relayId, all.slice(20), { known }),
    );
    assert.equal(stored.stored, left.length - (await archived(events, left)));
    await insertEvents(database, encodeEvents(all));
    assert.equal(await archive.count("event"), left.length);
    assert.equal(
      await archive.count(`event_relay where relay_id = ${relayId}`),
      left.length,
    );
    assert.equal(
      await archive.count(
        "event_relay r where not exists (select from event e where e.id = r.event_id)",
      ),
      0,
    );
    // The exact text stays with the event it belongs to.
    assert.equal(
      await archive.count(`event_raw r join event e using (id)
        where strpos(r.raw, encode(e.id, 'hex')) > 0`),
      left.filter(({ content }) => content.includes("\0")).length,
    );
    const flags = await knownEvents(database, encodeKeys(all));
    assert.equal(flags.filter((flag) => flag === 1).length, left.length);
    // Nor are they fetched from a list.
    const filter = { relayId, filterHash: filterHash({}) };
    const listed = await findListed(database, filter, encodeKeys(all).ids);
    assert.ok(!listed.some(Number.isNaN));
  },
);

testOnEachServer(
  "an event that is being stored when its author is forgotten does not stay",
  async (archive) => {
    const { database } = archive;
    const relayId = await newRelay(archive);
    const writers = {
      sync: syncBatch(relayId, [factory.sign({ author: 7 })]),
      import: encodeEvents([factory.sign({ author: 7 })]),
    };
    const stored = Promise.withResolvers<number>();
    const commit = Promise.withResolvers<void>();
    const writing = database.transaction(async (sql) => {
      await storeBatch(sql, writers.sync);
      await insertEvents(sql, writers.import);
      stored.resolve(await backendOf(sql));
      await commit.promise;
    });
    const holder = await stored.promise;
    const target = { type: "author", key: factory.pubkey(7) } as const;
    const forgetting = forget(database, [target], signal);
    await untilWaitedFor("forgetting", { sql: archive.sql, holder });
    commit.resolve();
    await writing;
    assert.deepEqual(await forgetting, { events: 2, sightings: 1 });
    assert.equal(await archive.count("event"), 0);
  },
);

testOnEachServer(
  "an interrupted forget() is finished by the next",
  async (archive) => {
    const { database, sql } = archive;
    const events = Array.from(
      { length: 1_200 },
      () => factory.sign({ author: 8 }),
    );
    await insertEvents(database, encodeEvents(events));
    await sql`select forget_begin(decode(${
      factory.pubkey(8)
    }, 'hex'), '', 9223372036854775807, 'operator')`;
    await sql`select forget_page(decode(${
      factory.pubkey(8)
    }, 'hex'), null, 500)`;
    assert.equal(await archive.count("event"), 700);
    assert.equal((await finishForgetting(database, signal)).events, 700);
    assert.equal((await finishForgetting(database, signal)).events, 0);
    assert.equal(await archive.count("event"), 0);
  },
);

testOnEachServer(
  "forgetVanished() forgets up to the request those who name all relays or us, and keeps the request",
  async (archive) => {
    const { database, sql } = archive;
    const at = 1_760_000_000;
    const notes = [0, 1, 2].flatMap((author) =>
      [-10, 0, 10].map((offset) =>
        factory.sign({ author, createdAt: at + offset })
      )
    );
    const requests = [
      "ALL_RELAYS",
      "wss://us.example.com/",
      "wss://x.example.com",
    ]
      .map((relay, author) =>
        factory.sign({
          author,
          kind: 62,
          createdAt: at,
          tags: [["relay", relay]],
        })
      );
    await insertEvents(database, encodeEvents([...notes, ...requests]));
    const vanish = () =>
      forgetVanished(database, "wss://us.example.com", signal);
    assert.deepEqual(await vanish(), { authors: 2, events: 4, sightings: 0 });
    assert.deepEqual(await vanish(), { authors: 0, events: 0, sightings: 0 });
    await insertEvents(database, encodeEvents([...notes, ...requests]));
    const rows = await sql`
      select kind, count(*)::int as events from event group by kind order by kind`;
    assert.deepEqual([...rows], [
      { kind: 1, events: 5 },
      { kind: 62, events: 3 },
    ]);
    const [first] = notes;
    const again = factory.sign({
      kind: 62,
      createdAt: at + 20,
      tags: [["relay", "ALL_RELAYS"]],
    });
    assert.equal(again.pubkey, first!.pubkey);
    await insertEvents(database, encodeEvents([again]));
    assert.deepEqual(await vanish(), { authors: 1, events: 1, sightings: 0 });
  },
);

/** Events of three authors on two relays: deletion requests among them, and texts that are kept apart. */
async function filled(archive: TestArchive): Promise<NostrEvent[]> {
  const events = Array.from(
    { length: 40 },
    (_, n) => factory.sign({ author: n % 3, content: n % 5 ? "x" : "a\0b" }),
  );
  events.push(
    factory.sign({ author: 1, kind: 5, tags: [["e", events[1]!.id]] }),
  );
  for (const url of ["wss://a.example.com", "wss://b.example.com"]) {
    const relayId = await newRelay(archive, url);
    await storeBatch(archive.database, syncBatch(relayId, events));
  }
  return events;
}

function targetsAmong(
  events: readonly NostrEvent[],
): [Forgettable, Forgettable] {
  return [
    { type: "author", key: factory.pubkey(1) },
    { type: "event", key: events[2]!.id },
  ];
}

function archived(
  events: readonly NostrEvent[],
  left: readonly NostrEvent[],
): number {
  return events.filter((event) => left.includes(event)).length;
}
