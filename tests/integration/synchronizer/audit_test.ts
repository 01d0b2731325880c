/**
 * Relays that mislead, and the questions by which that is found out: what is claimed afterwards is true, and an honest
 * relay is believed.
 *
 * @module
 */
import assert from "node:assert/strict";
import * as z from "zod";
import { relayProofs } from "../../../src/archive/sync/sync_coverage.ts";
import { filterHash, matchesFilter } from "../../../src/models/filter.ts";
import { testArchive } from "../../support/archive.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { assertTruthful, idOf, syncOnce } from "../../support/sync.ts";
import type { TestReq } from "../../support/test_relay_script.ts";
import { testRelay } from "../../support/test_relay.ts";

const factory = eventFactory("audit");
const FIRST = 1_700_000_000;
const CAP = 100;
/** Newest first. */
const EVENTS = Array.from(
  { length: 3_000 },
  (_, i) => factory.sign({ createdAt: FIRST + i * 30, author: i % 10 }),
).reverse();
const FEW = EVENTS.slice(0, 400);

/** What it shows where it is asked for more than it looks through with care. */
const SHOWN = EVENTS.filter((_, i) => i < 20 || i % 5 !== 0);

/** Wide windows are answered with a hole here and there, narrow ones as they should be. */
async function hideFromWideWindows(req: TestReq): Promise<void> {
  const { since = 0, until = Infinity } = req.filters[0]!;
  const span = Math.min(until, EVENTS[0]!.created_at) - Math.max(since, FIRST);
  await give(req, span > 2_500 ? SHOWN : EVENTS);
}

/** Keeps the order for so long, and shows no more than `SHOWN`; then neither. */
function loseOrderAfter(requests: number) {
  return async (req: TestReq) => {
    if (req.nth <= requests) return await give(req, SHOWN);
    await req.events(pageOf(req, EVENTS, CAP).reverse());
    req.eose();
  };
}

for (
  const { what, onReq } of [
    { what: "hides events from wide windows", onReq: hideFromWideWindows },
    { what: "loses its order in the midst", onReq: loseOrderAfter(15) },
  ]
) {
  Deno.test(`syncRelay() takes back all that was claimed of a relay that ${what}, and mends it next time`, async () => {
    await using archive = await testArchive();
    await using relay = await testRelay({ onReq });
    const first = await syncOnce({ archive, relay: relay.relay });
    assert.deepEqual([first.complete, first.method], [false, "split"]);
    assert.ok(first.stored < EVENTS.length, `${first.stored} stored`);
    const reasons = new Set(first.gaps.map(({ reason }) => reason));
    assert.deepEqual([...reasons], ["contradicted"]);
    const truth = { relay: relay.relay, events: EVENTS };
    await assertTruthful(archive, truth);
    const relayId = await idOf(archive, relay.relay);
    const proofs = await relayProofs(archive.database, relayId, filterHash({}));
    assert.deepEqual(proofs, []);

    const second = await syncOnce({ archive, relay: relay.relay });
    assert.equal(second.complete, true, JSON.stringify(second));
    assert.equal(await assertTruthful(archive, truth), EVENTS.length);
  });
}

Deno.test("syncRelay() believes an honest relay after a dozen narrow questions over two connections", async () => {
  await using archive = await testArchive();
  const events = EVENTS.slice(0, 1_500);
  await using relay = await testRelay({ events, maxLimit: CAP });
  const result = await syncOnce({ archive, relay: relay.relay });
  assert.deepEqual([result.complete, result.method], [true, "paging"]);
  const { asked, confirmed, contradicted } = result.audit;
  assert.equal(contradicted, 0);
  assert.ok(asked >= 9 && asked <= 12, `${asked} questions`);
  assert.ok(confirmed > 0);
  const questions = relay.log.filter(({ connection, message }) =>
    connection === 2 && message[0] === "REQ"
  );
  assert.ok(questions.length >= 4, `${questions.length} on the second`);
  for (const { message } of questions) {
    const [{ limit }] = z.tuple([z.object({ limit: z.int() })])
      .parse(message.slice(2));
    assert.ok(limit <= 140, `${limit} events asked for`);
  }
  const again = await syncOnce({ archive, relay: relay.relay });
  assert.ok(again.requests <= 4, "one that is caught up is not asked for more");
});

Deno.test("syncRelay() claims nothing untrue of two stores behind one name", async () => {
  await using archive = await testArchive();
  const stores = [0, 1].map((side) => FEW.filter((_, i) => i % 2 === side));
  await using relay = await testRelay({
    onReq: (req) => give(req, stores[req.connection % 2]!),
  });
  for (let sync = 1; sync <= 3; sync++) {
    const result = await syncOnce({ archive, relay: relay.relay });
    assert.equal(result.complete, false, `sync ${sync}`);
    await assertTruthful(archive, { relay: relay.relay, events: FEW });
  }
});

Deno.test("syncRelay() claims nothing untrue of a relay that adds its oldest event to every answer", async () => {
  await using archive = await testArchive();
  const pinned = FEW.at(-1)!;
  await using relay = await testRelay({
    onReq: async (req) => {
      const page = pageOf(req, FEW, CAP).filter((event) => event !== pinned);
      await req.events([...page, pinned]);
      req.eose();
    },
  });
  for (let sync = 1; sync <= 3; sync++) {
    const result = await syncOnce({ archive, relay: relay.relay });
    const truth = { relay: relay.relay, events: FEW };
    const sighted = await assertTruthful(archive, truth);
    if (result.complete) assert.equal(sighted, FEW.length, `sync ${sync}`);
  }
});

for (
  const [what, seconds] of [["is exclusive", 1], [
    "is an hour off",
    3_600,
  ]] as const
) {
  Deno.test(`syncRelay() gets everything from a relay whose until ${what}`, async () => {
    await using archive = await testArchive();
    await using relay = await testRelay({
      onReq: async (req) => {
        const filters = req.filters.map(({ until, ...filter }) =>
          until === undefined ? filter : { ...filter, until: until - seconds }
        );
        await give({ ...req, filters }, FEW);
      },
    });
    const result = await syncOnce({ archive, relay: relay.relay });
    assert.equal(result.complete, true, JSON.stringify(result));
    const truth = { relay: relay.relay, events: FEW };
    assert.equal(await assertTruthful(archive, truth), FEW.length);
  });
}

Deno.test("syncRelay() gets everything from a relay that is empty after forty requests of a connection", async () => {
  await using archive = await testArchive();
  const asked = new Map<number, number>();
  await using relay = await testRelay({
    onReq: async (req) => {
      const count = (asked.get(req.connection) ?? 0) + 1;
      asked.set(req.connection, count);
      await give(req, count <= 40 ? FEW : [], 5);
    },
  });
  const result = await syncOnce({ archive, relay: relay.relay });
  const truth = { relay: relay.relay, events: FEW };
  assert.equal(await assertTruthful(archive, truth), FEW.length);
  assert.equal(result.complete, true, JSON.stringify(result));
  assert.ok(asked.size <= 12, `${asked.size} connections`);
});

async function give(
  req: TestReq,
  events: typeof EVENTS,
  cap = CAP,
): Promise<void> {
  await req.events(pageOf(req, events, cap));
  req.eose();
}

/** What an honest relay with these events would give: all filters of the REQ, newest first. */
function pageOf(
  { filters }: Pick<TestReq, "filters">,
  events: typeof EVENTS,
  cap: number,
): typeof EVENTS {
  const chosen = new Set(
    filters.flatMap(({ limit = cap, ...filter }) =>
      events.filter((event) => matchesFilter(filter, event))
        .slice(0, Math.min(limit, cap))
    ),
  );
  return events.filter((event) => chosen.has(event));
}
