import assert from "node:assert/strict";
import * as z from "zod";
import { relayProofs } from "../../../src/archive/sync_coverage.ts";
import { filterHash, matchesFilter } from "../../../src/models/filter.ts";
import { testArchive } from "../../support/archive.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { assertTruthful, idOf, syncOnce } from "../../support/sync.ts";
import type { TestReq } from "../../support/test_relay_script.ts";
import { testRelay } from "../../support/test_relay.ts";

const factory = eventFactory("spot check");
const FIRST = 1_700_000_000;
const CAP = 100;
/** Newest first. */
const EVENTS = Array.from(
  { length: 3_000 },
  (_, i) => factory.sign({ createdAt: FIRST + i * 30, author: i % 10 }),
).reverse();

/** What it shows where it is asked for more than it looks through with care. */
const SHOWN = EVENTS.filter((_, i) => i < 20 || i % 5 !== 0);

/** Wide windows are answered with a hole here and there, narrow ones as they should be. */
async function hideFromWideWindows(req: TestReq): Promise<void> {
  const { since = 0, until = Infinity } = req.filters[0]!;
  const span = Math.min(until, EVENTS[0]!.created_at) - Math.max(since, FIRST);
  await give(req, span > 2_500 ? SHOWN : EVENTS);
}

async function give(req: TestReq, events: typeof EVENTS): Promise<void> {
  const { limit = CAP, ...filter } = req.filters[0]!;
  const found = events.filter((event) => matchesFilter(filter, event));
  await req.events(found.slice(0, Math.min(limit, CAP)));
  req.eose();
}

/** Keeps the order for so long, and shows no more than `SHOWN`; then neither. */
function loseOrderAfter(requests: number) {
  return async (req: TestReq) => {
    if (req.nth <= requests) return await give(req, SHOWN);
    const { limit = CAP, ...filter } = req.filters[0]!;
    const found = EVENTS.filter((event) => matchesFilter(filter, event));
    await req.events(found.slice(0, Math.min(limit, CAP)).reverse());
    req.eose();
  };
}

for (
  const { what, onReq } of [
    { what: "hides events from wide windows", onReq: hideFromWideWindows },
    { what: "loses its order in the midst", onReq: loseOrderAfter(15) },
  ]
) {
  Deno.test(`syncRelay() takes back what paging proved of a relay that ${what}, and mends it next time`, async () => {
    await using archive = await testArchive();
    await using relay = await testRelay({ onReq });
    const first = await syncOnce({ archive, relay: relay.relay });
    assert.equal(first.complete, false);
    assert.equal(first.method, "split", "it is not believed any more");
    assert.ok(first.stored < EVENTS.length, `${first.stored} stored`);
    assert.ok(first.gaps.every(({ reason }) => reason === "hidden"));
    const truth = { relay: relay.relay, events: EVENTS };
    await assertTruthful(archive, truth);
    const relayId = await idOf(archive, relay.relay);
    const proofs = await relayProofs(archive.database, relayId, filterHash({}));
    const believed = proofs.map(({ method }) => method);
    assert.ok(!believed.includes("paging"), `${believed}`);
    assert.ok(!believed.includes("empty-page"), `${believed}`);

    const second = await syncOnce({ archive, relay: relay.relay });
    assert.equal(second.complete, true);
    assert.equal(await assertTruthful(archive, truth), EVENTS.length);
  });
}

Deno.test("syncRelay() looks once more at a part of a page of a long walk, and believes an honest relay", async () => {
  await using archive = await testArchive();
  const events = EVENTS.slice(0, 1_500);
  await using relay = await testRelay({ events, maxLimit: CAP });
  const result = await syncOnce({ archive, relay: relay.relay });
  assert.equal(result.complete, true);
  assert.equal(result.method, "paging");
  const asked = relay.log.filter(({ message }) => message[0] === "REQ");
  const [{ since, until }] = z.tuple([
    z.object({ since: z.int(), until: z.int() }),
  ]).parse(asked.at(-1)?.message.slice(2));
  assert.ok(until - since < CAP / 2 * 30, `${since}–${until}`);
  const again = await syncOnce({ archive, relay: relay.relay });
  assert.ok(again.requests <= 2, "one that is caught up is not asked for more");
});
