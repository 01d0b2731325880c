/**
 * Relays that answer no filter without kinds.
 *
 * @module
 */
import assert from "node:assert/strict";
import { testArchive } from "../../support/archive.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { assertTruthful, syncOnce } from "../../support/sync.ts";
import type { TestReq } from "../../support/test_relay_script.ts";
import { testRelay } from "../../support/test_relay.ts";

const factory = eventFactory("kinds only");
const RECENT = Math.floor(Date.now() / 1_000) - 40_000;
/** Half of them of kinds that nobody expects. */
const EVENTS = Array.from(
  { length: 300 },
  (_, i) =>
    factory.sign({
      createdAt: RECENT + i * 100,
      kind: [1, 7, 7_777, 8_888][i % 4]!,
    }),
);

const REFUSALS: Readonly<Record<string, (req: TestReq) => void>> = {
  "restricted: name the kinds": (req) =>
    req.closed("restricted: name the kinds"),
  "blocked: filter too broad": (req) => req.closed("blocked: filter too broad"),
  "invalid: filters must have kinds": (req) =>
    req.closed("invalid: filters must have kinds"),
  "error: no": (req) => req.closed("error: no"),
  "a NOTICE": (req) => req.notice("ERROR: bad req: filter must name kinds"),
};

for (const [words, refuse] of Object.entries(REFUSALS)) {
  Deno.test(`syncRelay() asks a relay for likely kinds that refuses all others by ${words}`, async () => {
    await using archive = await testArchive();
    await using relay = await testRelay({
      events: EVENTS,
      maxLimit: 60,
      onReq: (req) =>
        req.filters.every(({ kinds, ids }) => kinds ?? ids)
          ? req.serve()
          : refuse(req),
    });
    const sync = () => syncOnce({ archive, relay: relay.relay });
    const first = await sync();
    assert.deepEqual([first.stored, first.complete], [150, false]);
    const reasons = new Set(first.gaps.map(({ reason }) => reason));
    assert.deepEqual([...reasons], ["kinds-only"]);
    assert.ok(first.requests <= 16, `${first.requests} requests`);
    await assertTruthful(archive, { relay: relay.relay, events: EVENTS });
    const [covered] = await archive.sql<{ count: number }[]>`
      select count(*)::int from sync_coverage where not isempty(covered)`;
    assert.equal(covered?.count, 0, "nothing is claimed of all kinds");

    const late = factory.sign({ createdAt: RECENT + 5, kind: 1 });
    relay.addSilently([late]);
    const second = await sync();
    assert.deepEqual([second.stored, second.complete], [1, false]);
    assert.ok(second.requests <= 14, `${second.requests} requests`);
  });
}
