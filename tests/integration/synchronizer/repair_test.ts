/**
 * The rolling repair: the proven past compared again by NIP-77, a slice a sync.
 *
 * @module
 */
import assert from "node:assert/strict";
import { relayProofs } from "../../../src/archive/sync/sync_coverage.ts";
import type { NostrEvent } from "../../../src/models/event.ts";
import { filterHash } from "../../../src/models/filter.ts";
import { relayCoverage } from "../../support/archive_reads.ts";
import { type TestArchive, testArchive } from "../../support/archive.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { assertTruthful, idOf, syncOnce } from "../../support/sync.ts";
import { type TestRelay, testRelay } from "../../support/test_relay.ts";

const factory = eventFactory("repair");
const NOW = Math.floor(Date.now() / 1_000);
const DAY = 86_400;
const WEEK = 7 * DAY;

/** One a day for three years. */
const EVENTS: readonly NostrEvent[] = Array.from(
  { length: 1_000 },
  (_, i) => factory.sign({ createdAt: NOW - 1_000 * DAY + i * DAY }),
);

/** Published long after the day it bears. */
function late(daysAgo: number): NostrEvent {
  return factory.sign({ createdAt: NOW - daysAgo * DAY + 99 });
}

/** As if the last sync had been so much earlier. */
async function pass(archive: TestArchive, seconds: number): Promise<void> {
  await archive.sql`
    update service_state set state_value = jsonb_set(state_value,
      '{negentropy,repair,at}', to_jsonb((state_value #>> '{negentropy,repair,at}')::int8 - ${seconds}))
    where state_type = 'relay-memory'`;
}

async function opensOf(
  relay: TestRelay,
  sync: () => Promise<unknown>,
): Promise<number> {
  const before = relay.count("NEG-OPEN");
  await sync();
  return relay.count("NEG-OPEN") - before;
}

Deno.test("events that were published late are found within repairSeconds, at one comparison more a sync", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay({ events: EVENTS, negentropy: {} });
  const sync = () => syncOnce({ archive, relay: relay.relay });
  await sync();
  await sync();
  const added = [late(3), late(200), late(550), late(999)];
  relay.add(added);
  const found: number[] = [];
  for (let step = 0; step < 8; step++) {
    await pass(archive, WEEK / 7);
    // One more where the audit has met an event that was published late; one less where a slow machine takes so long for
    // a step that the next one is not due yet.
    const opens = await opensOf(relay, sync);
    assert.ok(opens >= 1 && opens <= 3, `${opens} NEG-OPEN`);
    const counts = await Promise.all(
      added.map(({ id }) => archive.count(`event where id = '\\x${id}'`)),
    );
    found.push(counts.reduce((sum, count) => sum + count));
  }
  assert.equal(found.at(-1), 4, `found by step: ${found}`);
  assert.ok(found[0]! < 4, "one step is not the whole past");
  const truth = { relay: relay.relay, events: [...EVENTS, ...added] };
  assert.equal(await assertTruthful(archive, truth), 1_004);
});

Deno.test("a repair leaves what is proven as it is", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay({ events: EVENTS, negentropy: {} });
  const sync = () => syncOnce({ archive, relay: relay.relay });
  await sync();
  await sync();
  const relayId = await idOf(archive, relay.relay);
  const covered = async () =>
    (await relayCoverage(archive.database, relayId, filterHash({})))
      .map(({ since }) => since);
  const before = await covered();
  await pass(archive, WEEK);
  const result = await sync();
  assert.deepEqual([result.stored, result.complete], [0, true]);
  // The answer to an audit question.
  assert.ok(result.received <= 40, `${result.received} received`);
  assert.deepEqual(await covered(), before);
  const proofs = await relayProofs(archive.database, relayId, filterHash({}));
  assert.deepEqual(proofs.map(({ method }) => method), ["negentropy"]);
});

Deno.test("what a repair finds and cannot have is claimed no longer", async () => {
  await using archive = await testArchive();
  let refuses = false;
  await using relay = await testRelay({
    events: EVENTS,
    negentropy: {},
    onReq: (req) => refuses ? req.disconnect() : req.serve(),
  });
  const sync = () => syncOnce({ archive, relay: relay.relay });
  await sync();
  await sync();
  relay.add([late(300)]);
  refuses = true;
  await pass(archive, WEEK);
  const broken = await sync();
  assert.equal(broken.complete, false);
  refuses = false;
  const mended = await sync();
  assert.deepEqual([mended.stored, mended.complete], [1, true]);
});

Deno.test("nothing is repaired where that is switched off, or NIP-77 is not known", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay({ events: EVENTS, negentropy: {} });
  const config = { negentropy: { repairSeconds: 0 } };
  const sync = () => syncOnce({ archive, relay: relay.relay, config });
  await sync();
  assert.equal(await opensOf(relay, sync), 1);
  await using other = await testRelay({ events: EVENTS });
  const page = () => syncOnce({ archive, relay: other.relay });
  await page();
  await page();
  assert.equal(await opensOf(other, page), 0);
});
