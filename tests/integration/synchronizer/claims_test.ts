/**
 * What is claimed of honest relays: how strongly, up to when, and what is asked for again.
 *
 * @module
 */
import assert from "node:assert/strict";
import { storeBatch } from "../../../src/archive/events.ts";
import { retractCoverage } from "../../../src/archive/sync/sync_coverage.ts";
import { relayCoverage } from "../../support/archive_reads.ts";
import { filterHash } from "../../../src/models/filter.ts";
import { OPEN_END } from "../../../src/models/window.ts";
import { testArchive } from "../../support/archive.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { shiftClock } from "../../support/shifted_clock.ts";
import { assertTruthful, idOf, syncOnce } from "../../support/sync.ts";
import { syncBatch } from "../../support/sync_batch.ts";
import { testRelay } from "../../support/test_relay.ts";

const factory = eventFactory("claims");
const DAY = 86_400;
const NOW = Math.floor(Date.now() / 1_000);
const EVENTS = Array.from(
  { length: 400 },
  (_, i) => factory.sign({ createdAt: NOW - 300 * DAY + i * 3_600 }),
);
const HASH = filterHash({});

for (
  const [strength, script] of [
    ["paged", {}],
    ["counted", { countable: true }],
    ["reconciled", { negentropy: {} }],
  ] as const
) {
  Deno.test(`syncRelay() claims what an honest relay gave as ${strength}`, async () => {
    await using archive = await testArchive();
    await using relay = await testRelay({
      events: EVENTS,
      maxLimit: 50,
      ...script,
    });
    const result = await syncOnce({ archive, relay: relay.relay });
    assert.equal(result.complete, true);
    const none = { reconciled: 0, counted: 0, paged: 0, weak: 0 };
    assert.deepEqual(result.proof, { ...none, [strength]: 1 });
    const rows = await archive.sql<{ strength: string }[]>`
      select distinct strength from sync_proof`;
    assert.deepEqual(rows.map((row) => row.strength), [strength]);
    const events = EVENTS;
    assert.equal(
      await assertTruthful(archive, { relay: relay.relay, events }),
      events.length,
    );
  });
}

Deno.test("syncRelay() holds a count against what two sessions have brought", async () => {
  for (const hidden of [0, 30]) {
    await using archive = await testArchive();
    const shown = EVENTS.slice(hidden);
    const stop = new AbortController();
    await using relay = await testRelay({
      events: shown,
      maxLimit: 50,
      countable: true,
      onCount: () => ({ count: EVENTS.length }),
      onReq: (req) => {
        if (req.nth === 6) stop.abort();
        return req.serve();
      },
    });
    const first = await syncOnce({
      archive,
      relay: relay.relay,
      signal: stop.signal,
    });
    assert.equal(first.complete, false);
    const second = await syncOnce({ archive, relay: relay.relay });
    assert.equal(second.complete, hidden === 0, `${hidden} hidden`);
    await assertTruthful(archive, { relay: relay.relay, events: EVENTS });
    const reasons = new Set(second.gaps.map(({ reason }) => reason));
    assert.deepEqual([...reasons], hidden === 0 ? [] : ["count-mismatch"]);
  }
});

Deno.test("syncRelay() looks back from where the last claim ends, however long ago that was", async () => {
  await using archive = await testArchive();
  const events = EVENTS.slice();
  await using relay = await testRelay({ events, maxLimit: 100 });
  const sync = () => syncOnce({ archive, relay: relay.relay });
  assert.equal((await sync()).complete, true);
  // As if the first sync had been eight days ago.
  const edge = NOW - 8 * DAY;
  const relayId = await idOf(archive, relay.relay);
  await retractCoverage(archive.database, {
    relayId,
    filterHash: HASH,
    windows: [{ since: edge + 1, until: OPEN_END }],
  });
  const late = [3_600, DAY - 600].map((before) =>
    factory.sign({ createdAt: edge - before })
  );
  relay.add(late);
  const second = await sync();
  assert.deepEqual([second.stored, second.complete], [2, true]);
  await assertTruthful(archive, {
    relay: relay.relay,
    events: [...events, ...late],
  });
});

Deno.test("syncRelay() takes back what was claimed of the future, and says so", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay({ events: EVENTS, maxLimit: 100 });
  const relayId = await idOf(archive, relay.relay);
  const claim = { filter: {}, filterHash: HASH, since: 0, until: NOW + 5_000 };
  await storeBatch(
    archive.database,
    syncBatch(relayId, [], {
      coverage: [{ ...claim, method: "paging", strength: "paged" }],
    }),
  );
  const said: number[] = [];
  const fresh = factory.sign({ createdAt: NOW - 300 });
  relay.add([fresh]);
  await syncOnce({
    archive,
    relay: relay.relay,
    onFutureRetracted: (seconds) => said.push(seconds),
  });
  assert.equal(said.length, 1);
  assert.ok(said[0]! > 4_900 && said[0]! <= 5_000, `${said}`);
  assert.equal(await archive.count(`event where id = '\\x${fresh.id}'`), 1);
  const covered = await relayCoverage(archive.database, relayId, HASH);
  assert.ok(covered.every(({ until }) => until <= NOW + 60));
});

for (const days of [1, -1]) {
  Deno.test(`syncRelay() claims nothing where our clock and the database's are ${days} days apart, and archives all`, async () => {
    await using archive = await testArchive();
    await using relay = await testRelay({ events: EVENTS, maxLimit: 100 });
    const sync = () => syncOnce({ archive, relay: relay.relay });
    {
      using _clock = shiftClock(days * DAY);
      const wrong = await sync();
      assert.deepEqual([wrong.stored, wrong.complete], [EVENTS.length, false]);
      assert.ok(wrong.gaps.length > 0);
      assert.ok(wrong.gaps.every(({ reason }) => reason === "clock"));
    }
    const relayId = await idOf(archive, relay.relay);
    assert.deepEqual(await relayCoverage(archive.database, relayId, HASH), []);
    const right = await sync();
    assert.deepEqual([right.stored, right.complete], [0, true]);
    await assertTruthful(archive, { relay: relay.relay, events: EVENTS });
  });
}

Deno.test("syncRelay() finds in later syncs what a relay with a frozen NIP-77 index shows to REQ", async () => {
  await using archive = await testArchive();
  const frozen = EVENTS.slice();
  await using relay = await testRelay({
    events: frozen,
    negentropy: { lists: () => frozen },
  });
  const sync = () => syncOnce({ archive, relay: relay.relay });
  assert.equal((await sync()).method, "negentropy");
  const added = Array.from(
    { length: 5 },
    (_, i) => factory.sign({ createdAt: NOW - 1_000 + i * 100 }),
  );
  relay.add(added);
  let stored = 0;
  for (let n = 0; n < 3 && stored < added.length; n++) {
    stored += (await sync()).stored;
  }
  assert.equal(stored, added.length);
  await assertTruthful(archive, {
    relay: relay.relay,
    events: [...frozen, ...added],
  });
});
