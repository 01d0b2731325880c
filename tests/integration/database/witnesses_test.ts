import assert from "node:assert/strict";
import { storeBatch } from "../../../src/archive/events.ts";
import { recordListing } from "../../../src/archive/sync/relay_listing.ts";
import {
  relayAuthors,
  relaySightings,
  sightingsNear,
  type WitnessQuery,
} from "../../../src/archive/sync/witnesses.ts";
import { encodeKeys } from "../../../src/models/encoded_events.ts";
import type { NostrEvent } from "../../../src/models/event.ts";
import { type Filter, filterHash } from "../../../src/models/filter.ts";
import type { TestArchive } from "../../support/archive.ts";
import { testOnEachServer } from "../../support/each_server.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { newRelay, syncBatch } from "../../support/sync_batch.ts";

const factory = eventFactory("witnesses");
const AT = 1_700_000_000;
/** Two a second, of the kinds 1, 4 and 7 in turns. */
const EVENTS = Array.from({ length: 30 }, (_, i) =>
  factory.sign({
    createdAt: AT + Math.floor(i / 2),
    kind: [1, 4, 7][i % 3]!,
    author: i % 2,
    tags: [["t", i % 5 === 0 ? "five" : "other"]],
  }));

async function relayWith(
  archive: TestArchive,
  events: readonly NostrEvent[],
): Promise<number> {
  const relayId = await newRelay(archive);
  await storeBatch(archive.database, syncBatch(relayId, events));
  return relayId;
}

async function witnesses(
  { database }: TestArchive,
  relayId: number,
  { filter = {}, ...rest }: Partial<WitnessQuery> = {},
): Promise<string[] | null> {
  const keys = await sightingsNear(database, {
    relayId,
    filter,
    filterHash: filterHash(filter),
    at: AT + 7,
    below: 3,
    above: 2,
    ...rest,
  });
  return keys === null ? null : Array.from(
    keys.createdAt,
    (at, i) =>
      keys.stable[i] === 1
        ? `${at} ${keys.ids.subarray(32 * i, 32 * i + 32).toHex()}`
        : null,
  ).filter((key) => key !== null);
}

/** The newest `below` at `at` or before it and the oldest `above` after it, ascending. */
function expected(
  events: readonly NostrEvent[],
  { at = AT + 7, below = 3, above = 2 } = {},
): string[] {
  const text = events.map(({ created_at, id }) => `${created_at} ${id}`).sort();
  const secondOf = (key: string) => Number(key.split(" ")[0]);
  return [
    ...text.filter((key) => secondOf(key) <= at).slice(-below || text.length),
    ...text.filter((key) => secondOf(key) > at).slice(0, above),
  ];
}

testOnEachServer(
  "sightingsNear() gives what a relay was seen to hold next to a moment, ascending",
  async (archive) => {
    const relayId = await relayWith(archive, EVENTS);
    assert.deepEqual(await witnesses(archive, relayId), expected(EVENTS));
    for (
      const near of [
        { at: AT - 1, below: 5, above: 5 },
        { at: AT, below: 9, above: 1 },
        { at: Number.MAX_SAFE_INTEGER, below: 4, above: 4 },
        { at: AT + 3, below: 0, above: 3 },
        { at: AT, below: 0, above: 0 },
      ]
    ) {
      assert.deepEqual(
        await witnesses(archive, relayId, near),
        expected(EVENTS, near),
        JSON.stringify(near),
      );
    }
    assert.deepEqual(await witnesses(archive, 999), []);
  },
);

const FILTERS: readonly [Filter, (event: NostrEvent, i: number) => boolean][] =
  [
    [{ kinds: [4, 7] }, ({ kind }) => kind !== 1],
    [{ authors: [factory.pubkey(1)] }, (_, i) => i % 2 === 1],
    [{ kinds: [1], authors: [factory.pubkey(0)] }, (_, i) => i % 6 === 0],
    [{ "#t": ["five"] }, (_, i) => i % 5 === 0],
    [{ kinds: [9] }, () => false],
  ];

testOnEachServer(
  "witnesses and sightings are of what a filter selects",
  async (archive) => {
    const { database } = archive;
    const relayId = await relayWith(archive, EVENTS);
    const window = { since: AT + 2, until: AT + 11 };
    for (const [filter, matches] of FILTERS) {
      const text = JSON.stringify(filter);
      const matching = EVENTS.filter(matches);
      assert.deepEqual(
        await witnesses(archive, relayId, { filter }),
        expected(matching),
        text,
      );
      const listing = { relayId, filterHash: filterHash(filter), filter };
      assert.equal(
        await relaySightings(database, { ...listing, window }),
        matching.filter(({ created_at: at }) =>
          at >= window.since && at <= window.until
        ).length,
        text,
      );
    }
  },
);

testOnEachServer(
  "what an honest relay drops is no witness, but counts as seen",
  async (archive) => {
    const { database } = archive;
    const sign = (kind: number, tags: string[][] = [], author = 0) =>
      factory.sign({ createdAt: AT, kind, tags, author });
    const dropped = [0, 3, 5, 62, 10_002, 19_999, 20_001, 30_023, 39_999]
      .map((kind) => sign(kind, [], kind === 62 ? 8 : 9));
    const expiring = sign(1, [["t", "x"], ["expiration", "1999999999"]]);
    const deleted = sign(1, [["e", "00"]], 3);
    const [kept, keptToo] = [sign(1, [], 3), sign(7)];
    const vanished = sign(1, [], 4);
    const after = [
      factory.sign({
        createdAt: AT + 50,
        kind: 5,
        author: 3,
        tags: [["k", "1"], ["e", deleted.id, "wss://x.example"]],
      }),
      // A stranger cannot delete it.
      factory.sign({
        createdAt: AT + 50,
        kind: 5,
        author: 5,
        tags: [["e", kept.id]],
      }),
      factory.sign({ createdAt: AT + 50, kind: 62, author: 4 }),
    ];
    const events = [
      ...dropped,
      expiring,
      deleted,
      kept,
      keptToo,
      vanished,
      ...after,
    ];
    const relayId = await relayWith(archive, events);
    const near = { below: 50, above: 50 };
    assert.deepEqual(
      await witnesses(archive, relayId, near),
      expected([kept, keptToo], near),
    );
    const window = { since: 0, until: AT + 100 };
    const all = { relayId, filterHash: filterHash({}), filter: {}, window };
    assert.equal(await relaySightings(database, all), events.length);
  },
);

testOnEachServer(
  "what is gone is neither a witness nor seen, for its own filter or another",
  async (archive) => {
    const { database } = archive;
    const relayId = await relayWith(archive, EVENTS);
    const hash = filterHash({});
    await storeBatch(
      database,
      syncBatch(relayId, [], {
        coverage: [{
          filterHash: hash,
          filter: {},
          since: 0,
          until: 9,
          method: "negentropy",
          strength: "reconciled",
        }],
      }),
    );
    const gone = EVENTS.slice(13, 16);
    await recordListing(database, { relayId, filterHash: hash }, {
      state: "gone",
      keys: encodeKeys(gone),
    });
    const left = EVENTS.filter((event) => !gone.includes(event));
    assert.deepEqual(await witnesses(archive, relayId), expected(left));
    const kinds = [1, 4];
    assert.deepEqual(
      await witnesses(archive, relayId, { filter: { kinds } }),
      expected(left.filter(({ kind }) => kinds.includes(kind))),
    );
    const window = { since: AT, until: AT + 99 };
    assert.equal(
      await relaySightings(database, {
        relayId,
        filterHash: hash,
        filter: {},
        window,
      }),
      left.length,
    );
  },
);

testOnEachServer(
  "the archive says where it cannot tell what a filter selects",
  async (archive) => {
    const relayId = await relayWith(archive, EVENTS);
    const window = { since: 0, until: AT + 99 };
    for (const filter of [{ "#t": ["five"] }, { search: "x" }, { ids: [] }]) {
      const listing = { relayId, filterHash: filterHash(filter), filter };
      assert.equal(await witnesses(archive, relayId, { filter }), null);
      assert.equal(
        await relaySightings(archive.database, { ...listing, window }),
        null,
      );
    }
    const filter = { kinds: [4] };
    assert.deepEqual(
      await witnesses(archive, relayId, { filter }),
      expected(EVENTS.filter(({ kind }) => kind === 4)),
    );
    // Without tags nobody knows what was deleted: an author who deleted anything since is no witness.
    const deletion = factory.sign({ createdAt: AT + 60, kind: 5, author: 1 });
    await storeBatch(archive.database, syncBatch(relayId, [deletion]));
    const others = EVENTS.filter((_, i) => i % 2 === 0).map(({ id }) => id);
    // They are given all the same, as no witnesses.
    assert.deepEqual(
      await witnesses(archive, relayId),
      expected(EVENTS).filter((key) => others.includes(key.split(" ")[1]!)),
    );
  },
  { edition: "lite" },
);

testOnEachServer(
  "relayAuthors() names the authors of a window, the most frequent first",
  async (archive) => {
    const { database } = archive;
    const made = [0, 1, 1, 2, 2, 2, 3].map((author, i) =>
      factory.sign({ createdAt: AT, kind: i % 2, author })
    );
    const later = factory.sign({ createdAt: AT + 1, author: 7 });
    const relayId = await relayWith(archive, [...made, later]);
    const window = { since: AT, until: AT };
    const all = { relayId, window, kind: null };
    const authors = await relayAuthors(database, { ...all, limit: 10 });
    const [first, second] = [factory.pubkey(2), factory.pubkey(1)];
    assert.deepEqual(authors.slice(0, 2), [first, second]);
    assert.deepEqual(authors.length, 4);
    assert.deepEqual(await relayAuthors(database, { ...all, limit: 1 }), [
      first,
    ]);
    // Of the kind 1: the second, fourth and sixth.
    assert.deepEqual(
      await relayAuthors(database, { ...all, kind: 1, limit: 9 }),
      [factory.pubkey(2), factory.pubkey(1)],
    );
    const nobody = { ...all, relayId: 999, limit: 9 };
    assert.deepEqual(await relayAuthors(database, nobody), []);
  },
);
