/**
 * What is forgotten, and given again by relays: it stays away, and no proof suffers from it.
 *
 * @module
 */
import assert from "node:assert/strict";
import {
  forget,
  type Forgettable,
} from "../../../src/archive/visibility/forget.ts";
import { filterHash } from "../../../src/models/filter.ts";
import {
  auditStatus,
  relayCoverage,
  relayGaps,
} from "../../support/archive_reads.ts";
import { type TestArchive, testArchive } from "../../support/archive.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { idOf, syncOnce } from "../../support/sync.ts";
import { type TestRelay, testRelay } from "../../support/test_relay.ts";

const factory = eventFactory("forget");
const FIRST = 1_700_000_000;
const EVENTS = Array.from(
  { length: 400 },
  (_, i) => factory.sign({ createdAt: FIRST + i * 60, author: i % 4 }),
);
const AUTHOR: Forgettable = { type: "author", key: factory.pubkey(1) };
const EVENT: Forgettable = { type: "event", key: EVENTS[200]!.id };
const LEFT = EVENTS.filter(({ pubkey, id }) =>
  pubkey !== AUTHOR.key && id !== EVENT.key
);
const { signal } = new AbortController();

const RELAYS = {
  "by pages": () => testRelay({ events: EVENTS, maxLimit: 50 }),
  "and counts": () =>
    testRelay({ events: EVENTS, maxLimit: 50, countable: true }),
  "by NIP-77": () =>
    testRelay({ events: EVENTS, maxLimit: 50, negentropy: {} }),
};

for (const [how, open] of Object.entries(RELAYS)) {
  Deno.test(`what was forgotten stays away when its relay is synced again (${how})`, async () => {
    await using archive = await testArchive();
    await using relay = await open();
    const first = await syncOnce({ archive, relay: relay.relay });
    assert.deepEqual([first.stored, first.complete], [400, true]);
    const deleted = await forget(archive.database, [AUTHOR, EVENT], signal);
    assert.deepEqual(deleted, { events: 101, sightings: 101 });
    await assertWhole(archive, relay, { syncs: 3 });
  });

  Deno.test(`what was forgotten before stays away from the first sync on (${how})`, async () => {
    await using archive = await testArchive();
    await using relay = await open();
    await forget(archive.database, [AUTHOR, EVENT], signal);
    await assertWhole(archive, relay, { syncs: 1 });
    // Looked at from the beginning, once more: nothing of it is news.
    await archive.sql`delete from sync_proof`;
    await archive.sql`update sync_coverage set covered = '{}'`;
    await assertWhole(archive, relay, { syncs: 2 });
  });
}

async function assertWhole(
  archive: TestArchive,
  relay: TestRelay,
  { syncs }: { readonly syncs: number },
): Promise<void> {
  const { database, sql } = archive;
  for (let sync = 0; sync < syncs; sync++) {
    const result = await syncOnce({ archive, relay: relay.relay });
    assert.equal(result.failure, null);
    assert.deepEqual(result.gaps, []);
    assert.equal(result.complete, true);
  }
  const ids = await sql<{ id: string }[]>`
    select encode(id, 'hex') as id from event order by created_at`;
  assert.deepEqual(ids.map(({ id }) => id), LEFT.map(({ id }) => id));
  assert.equal(await archive.count("event_relay"), LEFT.length);
  const relayId = await idOf(archive, relay.relay);
  const hash = filterHash({});
  assert.deepEqual(await relayGaps(database, relayId, hash), []);
  const covered = await relayCoverage(database, relayId, hash);
  const last = EVENTS.at(-1)!.created_at;
  assert.ok(
    covered.some(({ since, until }) => since <= FIRST && until >= last),
  );
  const { contradicted } = await auditStatus(database);
  assert.equal(contradicted, 0);
}
