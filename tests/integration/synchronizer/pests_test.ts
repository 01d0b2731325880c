/**
 * Relays that cost more than they give, beside honest ones in the same worker.
 *
 * @module
 */
import assert from "node:assert/strict";
import { testArchive } from "../../support/archive.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { faultyPool } from "../../support/faulty_pool.ts";
import { type Pest, PESTS } from "../../support/pests.ts";
import { assertTruthful, syncWith } from "../../support/sync.ts";
import { testRelay } from "../../support/test_relay.ts";

const factory = eventFactory("pests");
const FIRST = 1_700_000_000;
const EVENTS = Array.from(
  { length: 600 },
  (_, i) => factory.sign({ createdAt: FIRST + i * 10 }),
);

const WORKER = new URL(
  "../../../src/workers/worker/entry.ts",
  import.meta.url,
);

Deno.test("a worker that is lost is laid to the relay whose message it read, and to no other", async () => {
  await using archive = await testArchive();
  await using honest = await testRelay({
    events: EVENTS,
    maxLimit: 100,
    // It is there all the time that the other one takes workers down.
    onReq: async (req) => {
      await new Promise((resolve) => setTimeout(resolve, 500));
      await req.serve();
    },
  });
  await using poisonous = await testRelay({
    onReq: (req) => {
      req.notice("poison");
      req.eose();
    },
  });
  const entry = new URL("../../support/poisoned_worker.ts", import.meta.url);
  const losses: string[] = [];
  await using pool = await faultyPool(losses, entry, 1);
  const [good, bad] = await Promise.all(
    [honest, poisonous].map(({ relay }) => syncWith(pool, { archive, relay })),
  );
  assert.equal(losses.length, 3, losses.join());
  assert.equal(bad?.failure?.code, "protocol");
  assert.equal(good?.failure, null);
  assert.equal(good?.complete, true);
  const truth = { relay: honest.relay, events: EVENTS };
  assert.equal(await assertTruthful(archive, truth), EVENTS.length);
});

for (const pest of PESTS) {
  Deno.test(`an honest relay is archived beside one that ${pest.what}, and no worker is lost`, async () => {
    await besidePest(pest);
  });
}

async function besidePest(pest: Pest): Promise<void> {
  await using archive = await testArchive();
  await using honest = await testRelay({ events: EVENTS, maxLimit: 50 });
  await using hostile = await testRelay({ onReq: pest.onReq });
  const losses: string[] = [];
  await using pool = await faultyPool(losses, WORKER, 1);
  const stop = new AbortController();
  const plagued = syncWith(pool, {
    archive,
    relay: hostile.relay,
    signal: stop.signal,
  });
  await hostile.received("REQ");
  const { relay } = honest;
  const result = await syncWith(pool, { archive, relay });
  stop.abort();
  await plagued;
  assert.equal(result.failure, null);
  assert.equal(result.complete, true);
  const truth = { relay, events: EVENTS };
  assert.equal(await assertTruthful(archive, truth), EVENTS.length);
  assert.deepEqual(losses, []);
}
