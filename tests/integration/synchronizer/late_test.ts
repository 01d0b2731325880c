import assert from "node:assert/strict";
import { testArchive } from "../../support/archive.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { matchesFilter } from "../../../src/models/filter.ts";
import { assertTruthful, syncOnce } from "../../support/sync.ts";
import { testRelay } from "../../support/test_relay.ts";
import type { TestReq } from "../../support/test_relay_script.ts";

const factory = eventFactory("late");
const EVENTS = Array.from(
  { length: 10 },
  (_, i) => factory.sign({ createdAt: 1_700_000_000 + i * 10 }),
).reverse();

for (const [what, inTime] of [["all", 0], ["the older half of", 5]] as const) {
  Deno.test(`syncRelay() reads a relay whole that sends ${what} its events after EOSE`, async () => {
    await using archive = await testArchive();
    await using relay = await testRelay({
      events: EVENTS,
      onReq: (req) => answerLate(req, inTime, 30),
    });
    const result = await syncOnce({ archive, relay: relay.relay });
    assert.equal(result.stored, 10);
    const truth = { relay: relay.relay, events: EVENTS };
    assert.equal(await assertTruthful(archive, truth), 10);
  });
}

Deno.test("syncRelay() claims nothing of a page whose events come after its EOSE, and archives them", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay({
    events: EVENTS,
    // The first page is as it should be, and the second one is followed by what it lacked before it is believed.
    onReq: async (req) => {
      if (req.nth === 1) {
        await req.events(EVENTS.slice(0, 5));
        req.eose();
      } else await answerLate(req, 0, 0);
    },
  });
  const result = await syncOnce({ archive, relay: relay.relay });
  assert.equal(result.complete, false);
  assert.ok(result.gaps.some(({ reason }) => reason === "late"));
  await assertTruthful(archive, { relay: relay.relay, events: EVENTS });
  assert.equal(result.stored, 10);
});

/** Gives so many events of a page, EOSE, and the others after so many ms. */
async function answerLate(
  req: TestReq,
  inTime: number,
  afterMs: number,
): Promise<void> {
  const page = EVENTS.filter((event) =>
    req.filters.some(({ limit: _limit, ...filter }) =>
      matchesFilter(filter, event)
    )
  );
  await req.events(page.slice(0, inTime));
  req.eose();
  if (afterMs > 0) {
    await new Promise((resolve) => setTimeout(resolve, afterMs));
  }
  await req.events(page.slice(inTime));
}
