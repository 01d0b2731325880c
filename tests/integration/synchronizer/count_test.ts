/**
 * NIP-45: what came of a relay, held against what it says it has.
 *
 * @module
 */
import assert from "node:assert/strict";
import { matchesFilter } from "../../../src/models/filter.ts";
import { testArchive } from "../../support/archive.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { assertTruthful, syncOnce } from "../../support/sync.ts";
import type { TestReq } from "../../support/test_relay_script.ts";
import { testRelay } from "../../support/test_relay.ts";

const factory = eventFactory("count");
const FIRST = 1_700_000_000;
const EVENTS = Array.from(
  { length: 200 },
  (_, i) => factory.sign({ createdAt: FIRST + i * 60, kind: [1, 7][i % 2]! }),
);

Deno.test("syncRelay() takes an exact count for a stronger proof, once", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay({
    events: EVENTS,
    maxLimit: 50,
    countable: true,
  });
  const first = await syncOnce({ archive, relay: relay.relay });
  assert.deepEqual([first.stored, first.complete], [200, true]);
  assert.equal(relay.count("COUNT"), 1);
  // COUNT makes proofs of other methods stronger.
  const last = EVENTS.at(-1)!.created_at;
  const [counted] = await archive.sql<{ held: boolean }[]>`
    select range_agg(one) @> int8range(${FIRST}, ${last}, '[]') as held
    from sync_proof, unnest(covered) as one where strength = 'counted'`;
  assert.equal(counted?.held, true);
  const again = await syncOnce({ archive, relay: relay.relay });
  assert.equal(again.complete, true);
  assert.equal(relay.count("COUNT"), 1, "a relay that was caught up with");
  await assertTruthful(archive, { relay: relay.relay, events: EVENTS });
});

Deno.test("syncRelay() claims nothing where the relay counts more than it gives", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay({
    events: EVENTS,
    maxLimit: 50,
    countable: true,
    onReq: hideOlderThan(FIRST + 3_000),
  });
  const result = await syncOnce({ archive, relay: relay.relay });
  assert.deepEqual([result.stored, result.complete], [150, false]);
  const reasons = new Set(result.gaps.map(({ reason }) => reason));
  assert.deepEqual([...reasons], ["count-mismatch"]);
  assert.ok(result.requests <= 45, `${result.requests} requests`);
  await assertTruthful(archive, { relay: relay.relay, events: EVENTS });
  const again = await syncOnce({ archive, relay: relay.relay });
  assert.equal(again.stored, 0);
  assert.ok(again.requests <= 3, "it is left alone for a while");
});

Deno.test("syncRelay() does not mind private messages that a relay counts", async () => {
  const hidden = EVENTS.slice(0, 20).map(({ created_at: createdAt }) =>
    factory.sign({ kind: 4, createdAt: createdAt + 1 })
  );
  await using archive = await testArchive();
  await using relay = await testRelay({
    events: [...EVENTS, ...hidden],
    withheldKinds: [4],
    countable: true,
  });
  const result = await syncOnce({ archive, relay: relay.relay });
  assert.deepEqual([result.stored, result.complete], [200, true]);
  assert.equal(relay.count("COUNT"), 2);
});

for (const countable of ["approximate", "silent", false] as const) {
  Deno.test(`syncRelay() asks once a relay whose COUNT is no evidence: ${countable}`, async () => {
    await using archive = await testArchive();
    await using relay = await testRelay({
      events: EVENTS,
      maxLimit: 50,
      countable,
    });
    const config = {
      filters: [{ kinds: [1] }, { kinds: [7] }],
      requests: { idleTimeoutMs: 500 },
    };
    const result = await syncOnce({ archive, relay: relay.relay, config });
    assert.deepEqual([result.stored, result.complete], [200, true]);
    assert.equal(relay.count("COUNT"), 1);
  });
}

function hideOlderThan(since: number) {
  return async (req: TestReq) => {
    const held = EVENTS.toReversed()
      .filter(({ created_at: at }) => at >= since);
    for (const filter of req.filters) {
      const page = held.filter((event) => matchesFilter(filter, event));
      await req.events(page.slice(0, Math.min(filter.limit ?? 50, 50)));
    }
    req.eose();
  };
}
