import assert from "node:assert/strict";
import { insertEvents, storeBatch } from "../../../src/archive/events.ts";
import {
  findListed,
  type Listing,
  recordListing,
  relayVector,
  type Vector,
  type VectorQuery,
  withheldEvents,
} from "../../../src/archive/sync/relay_listing.ts";
import {
  encodeEvents,
  encodeKeys,
  type EventKeys,
} from "../../../src/models/encoded_events.ts";
import type { NostrEvent } from "../../../src/models/event.ts";
import { type Filter, filterHash } from "../../../src/models/filter.ts";
import { subtractWindows } from "../../../src/models/window.ts";
import { relayCoverage, relayGaps } from "../../support/archive_reads.ts";
import type { TestArchive } from "../../support/archive.ts";
import { testOnEachServer } from "../../support/each_server.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { newRelay, syncBatch } from "../../support/sync_batch.ts";

const factory = eventFactory("relay_listing");
const events = Array.from({ length: 30 }, (_, i) =>
  factory.sign({
    // Three share a second.
    createdAt: 1_700_000_000 + Math.floor(i / 3),
    kind: i % 4,
    author: i % 2,
    tags: [["t", i % 5 === 0 ? "five" : "other"], ["e", "x"]],
  }));
const OPEN_END = Number.MAX_SAFE_INTEGER;

async function archiveWith(
  archive: TestArchive,
  held: readonly NostrEvent[],
): Promise<Listing> {
  const relayId = await newRelay(archive);
  await storeBatch(archive.database, syncBatch(relayId, held));
  return { relayId, filterHash: filterHash({}) };
}

async function vectorOf(
  { database }: TestArchive,
  query: Listing & Partial<VectorQuery>,
): Promise<string[]> {
  const found: string[] = [];
  let before: VectorQuery["before"] = null;
  do {
    const vector: Vector | null = await relayVector(database, {
      filter: {},
      window: { since: 0, until: OPEN_END },
      before,
      limit: 1_000,
      withheldSince: 0,
      ...query,
    });
    assert(vector !== null);
    found.unshift(...textOf(vector.keys));
    before = vector.next;
  } while (before !== null);
  return found;
}

function textOf({ ids, createdAt }: EventKeys): string[] {
  return Array.from(
    createdAt,
    (at, i) => `${at} ${ids.subarray(32 * i, 32 * i + 32).toHex()}`,
  );
}

/** The keys in the order of negentropy. */
function sortedText(list: readonly NostrEvent[]): string[] {
  return list.toSorted((a, b) =>
    a.created_at - b.created_at || (a.id < b.id ? -1 : 1)
  ).map(({ id, created_at }) => `${created_at} ${id}`);
}

testOnEachServer(
  "relayVector() gives the keys of a relay's sightings, ascending, newest chunk first",
  async (archive) => {
    const listing = await archiveWith(archive, events);
    const all = sortedText(events);
    for (const limit of [1, 8, 10, 30, 100]) {
      assert.deepEqual(await vectorOf(archive, { ...listing, limit }), all);
    }
    const window = { since: 1_700_000_002, until: 1_700_000_004 };
    assert.deepEqual(
      await vectorOf(archive, { ...listing, window }),
      all.slice(6, 15),
    );
    const nobody = { ...listing, relayId: 999 };
    assert.deepEqual(await vectorOf(archive, nobody), []);
  },
);

const filters: readonly [Filter, (event: NostrEvent, i: number) => boolean][] =
  [
    [{ kinds: [1, 3] }, ({ kind }) => kind % 2 === 1],
    [{ authors: [factory.pubkey(1)] }, (_, i) => i % 2 === 1],
    [{ "#t": ["five", "six"] }, (_, i) => i % 5 === 0],
    [
      { kinds: [0, 1, 2], "#t": ["other"], "#e": ["x"] },
      ({ kind }, i) => kind < 3 && i % 5 > 0,
    ],
    [{ "#e": ["y"] }, () => false],
  ];

testOnEachServer(
  "relayVector() gives what a filter selects",
  async (archive) => {
    const listing = await archiveWith(archive, events);
    for (const [filter, matches] of filters) {
      for (const limit of [7, 100]) {
        assert.deepEqual(
          await vectorOf(archive, { ...listing, filter, limit }),
          sortedText(events.filter(matches)),
          JSON.stringify(filter),
        );
      }
    }
  },
);

testOnEachServer(
  "relayVector() says so where the archive cannot tell what a filter selects",
  async (archive) => {
    const listing = await archiveWith(archive, events);
    const query: VectorQuery = {
      ...listing,
      filter: {},
      window: { since: 0, until: OPEN_END },
      before: null,
      limit: 10,
      withheldSince: 0,
    };
    for (const filter of [{ "#t": ["five"] }, { search: "x" }, { ids: [] }]) {
      assert.equal(
        await relayVector(archive.database, { ...query, filter }),
        null,
      );
    }
    const kinds = [1];
    assert.ok(
      await relayVector(archive.database, { ...query, filter: { kinds } }),
    );
  },
  { edition: "lite" },
);

testOnEachServer(
  "findListed() gives the second of what is archived, whoever held it",
  async (archive) => {
    const listing = await archiveWith(archive, events.slice(0, 5));
    await insertEvents(archive.database, encodeEvents(events.slice(10, 12)));
    const asked = [events[11]!, events[20]!, events[0]!];
    const { ids } = encodeKeys(asked);
    const times = await findListed(archive.database, listing, ids);
    assert.deepEqual([...times], [
      events[11]!.created_at,
      NaN,
      events[0]!.created_at,
    ]);
    const none = await findListed(archive.database, listing, new Uint8Array());
    assert.equal(none.length, 0);
  },
);

testOnEachServer(
  "what a relay withholds is listed, for the filter it was found with, until it is gone",
  async (archive) => {
    const listing = await archiveWith(archive, events.slice(0, 10));
    const withheld = encodeKeys(events.slice(10, 13));
    const note = (state: "withheld" | "gone", keys: EventKeys) =>
      recordListing(archive.database, listing, { state, keys });
    await note("withheld", withheld);
    await note("withheld", withheld);
    const expected = sortedText(events.slice(0, 13));
    for (const limit of [1, 3, 100]) {
      const query = { ...listing, limit };
      assert.deepEqual(await vectorOf(archive, query), expected);
    }
    const later = { ...listing, withheldSince: Date.now() };
    assert.equal((await vectorOf(archive, later)).length, 10);
    const other = { ...listing, filterHash: filterHash({ kinds: [1] }) };
    assert.equal((await vectorOf(archive, other)).length, 10);

    await note("gone", encodeKeys(events.slice(10, 11)));
    assert.deepEqual(
      await vectorOf(archive, listing),
      sortedText([...events.slice(0, 10), ...events.slice(11, 13)]),
    );
    assert.equal(await archive.count("relay_listing"), 2);

    // Once the relay gives one, it is a sighting, and still in the list once.
    const given = syncBatch(listing.relayId, [events[11]!]);
    await storeBatch(archive.database, given);
    assert.equal((await vectorOf(archive, listing)).length, 12);
  },
);

testOnEachServer(
  "what is gone is not listed, until the relay lists it again",
  async (archive) => {
    const listing = await archiveWith(archive, events);
    const gone = encodeKeys(events.slice(3, 6));
    await recordListing(archive.database, listing, {
      state: "gone",
      keys: gone,
    });
    const rest = events.filter((_, i) => i < 3 || i >= 6);
    assert.deepEqual(await vectorOf(archive, listing), sortedText(rest));
    assert.equal(await archive.count("event_relay"), 30);

    const { ids } = encodeKeys([events[4]!]);
    await findListed(archive.database, listing, ids);
    assert.deepEqual(
      await vectorOf(archive, listing),
      sortedText([...rest, events[4]!]),
    );
  },
);

testOnEachServer(
  "withheld events are gaps that nothing covers, until the relay gives them or lists them no more",
  async (archive) => {
    const { database } = archive;
    const listing = await archiveWith(archive, events.slice(0, 10));
    const { relayId, filterHash: hash } = listing;
    const window = { since: 1_699_999_990, until: 1_700_000_020 };
    const prove = () =>
      storeBatch(
        database,
        syncBatch(relayId, [], {
          coverage: [{
            ...window,
            filterHash: hash,
            filter: {},
            method: "negentropy",
            strength: "reconciled",
          }],
        }),
      );
    await prove();
    // In the seconds 4, 5 and 5.
    const [one, two, three] = [events[12]!, events[15]!, events[16]!];
    await recordListing(database, listing, {
      state: "withheld",
      keys: encodeKeys([one, two, three]),
    });
    const expect = async (...ranges: [number, number][]) => {
      const found = await relayGaps(database, relayId, hash);
      assert.deepEqual(
        found.map(({ since, until, reason }) => [
          since - 1_700_000_000,
          until - 1_700_000_000,
          reason,
        ]),
        ranges.map(([since, until]) => [since, until, "withheld"]),
      );
      const windows = found.map(({ since, until }) => ({ since, until }));
      assert.deepEqual(
        await relayCoverage(database, relayId, hash),
        subtractWindows(window, windows),
      );
    };
    await expect([4, 5]);
    // Whatever proves it next: the events are still not there.
    await prove();
    await expect([4, 5]);

    await storeBatch(database, syncBatch(relayId, [two]));
    await expect([4, 5]);
    await recordListing(database, listing, {
      state: "gone",
      keys: encodeKeys([one]),
    });
    // What is withheld no more is wanted again.
    const [gap] = await relayGaps(database, relayId, hash);
    assert.equal(gap?.since, 1_700_000_005);
    await prove();
    await expect([5, 5]);
    const url = "wss://relay.example.com";
    const withheld = await withheldEvents(database, url);
    assert.deepEqual(
      withheld.map(({ notedAt: _notedAt, ...event }) => event),
      [{ eventId: three.id, createdAt: three.created_at, filter: {} }],
    );

    await storeBatch(database, syncBatch(relayId, [three]));
    await prove();
    await expect();
    assert.deepEqual(await withheldEvents(database, url), []);
    assert.equal(await archive.count("sync_withheld"), 0);
    assert.equal(await archive.count("relay_listing"), 0);
  },
);

testOnEachServer(
  "thousands of withheld events are 200 gaps, cut at the longest silences",
  async (archive) => {
    const { database, sql } = archive;
    const { relayId, filterHash: hash } = await archiveWith(archive, []);
    const seconds: number[] = [];
    let at = 1_700_000_000;
    for (let i = 0; i < 5_000; i++) {
      // Every twentieth silence is a long one: 249 of them, each longer than those before.
      at += i % 20 === 0 ? 10_000 + i : 1 + (i * 7) % 50;
      seconds.push(at);
    }
    const keys = (createdAt: readonly number[]): EventKeys => ({
      createdAt: Float64Array.from(createdAt),
      ids: crypto.getRandomValues(new Uint8Array(32 * createdAt.length)),
    });
    for (let i = 0; i < seconds.length; i += 1_000) {
      await recordListing(database, { relayId, filterHash: hash }, {
        state: "withheld",
        keys: keys(seconds.slice(i, i + 1_000)),
      });
    }
    const gaps = await relayGaps(database, relayId, hash);
    assert.equal(gaps.length, 200);
    for (const at of seconds) {
      assert.ok(gaps.some(({ since, until }) => at >= since && at <= until));
    }
    const silences = gaps.slice(1).map(({ since }, i) =>
      since - gaps[i]!.until
    );
    assert.ok(Math.min(...silences) > 10_000, `${Math.min(...silences)}`);
    const [row] = await sql<{ same: boolean }[]>`
      select sync_ranges_coalesce(withheld) = withheld as same
      from sync_withheld`;
    assert.ok(row!.same);
  },
);
