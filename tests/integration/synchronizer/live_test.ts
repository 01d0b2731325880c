import assert from "node:assert/strict";
import { syncStatus } from "../../../src/archive/pipeline.ts";
import { type TestArchive, testArchive } from "../../support/archive.ts";
import { eventFactory } from "../../support/event_factory.ts";
import {
  archived,
  cameLive,
  endsOf,
  isLive,
  liveEdge,
  liveRelays,
  startLive,
  unixNow,
} from "../../support/live.ts";
import { assertTruthful, idOf } from "../../support/sync.ts";
import { type TestRelay, testRelay } from "../../support/test_relay.ts";
import type { TestReq } from "../../support/test_relay_script.ts";
import { until } from "../../support/until.ts";

const factory = eventFactory("live");
const STORED = Array.from({ length: 200 }, () => factory.sign());

Deno.test("what a live relay gets is archived within seconds, and the upper edge of coverage moves with it", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay({ events: STORED });
  await add(archive, relay);
  await using service = startLive(archive);
  await liveRelays(service, 1);
  const one = eventOfNow();
  relay.add([one]);
  const addedAt = performance.now();
  await archived(archive, [one]);
  const seconds = (performance.now() - addedAt) / 1_000;
  assert.ok(seconds < 15, `archived after ${seconds} s`);

  const late = factory.sign({ createdAt: STORED[0]!.created_at - 1_000 });
  relay.add([late]);
  await archived(archive, [late]);
  const another = eventOfNow();
  relay.add([another]);
  await until(
    "the edge has moved beyond the event",
    async () => await liveEdge(archive, relay.relay) > another.created_at,
  );
  const events = [...STORED, one, late, another];
  const truth = { relay: relay.relay, events };
  assert.equal(await assertTruthful(archive, truth), events.length);
  await until("they are counted", async () => await cameLive(service) === 3);
  const dialled = relay.requests.length;
  assert.ok(dialled <= 2, `${dialled} connections, one of them the audit's`);
  assert.equal((await syncStatus(archive.database)).live, 1);

  await service.stop();
  await relay.idle();
  assert.equal(await archive.count("relay_lease where claimed_until > 0"), 0);
  assert.equal((await syncStatus(archive.database)).live, 0);
  assert.equal(await endsOf(service, "stopped"), 1);
});

Deno.test("what a relay got between the last page and the open subscription is had at once", async () => {
  await using archive = await testArchive();
  const between = eventOfNow();
  await using relay = await testRelay({
    events: STORED,
    onReq: async (req) => {
      if (!isLive(req)) return await req.serve();
      relay.addSilently([between]);
      req.eose();
    },
  });
  await add(archive, relay);
  await using _service = startLive(archive);
  await archived(archive, [between]);
});

Deno.test("each filter is live by itself, and what none of them wants does not come", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay({ events: STORED });
  await add(archive, relay);
  const filters = [{ kinds: [1] }, { kinds: [7] }];
  await using service = startLive(archive, {}, { filters });
  await liveRelays(service, 1);
  const strange = eventOfNow(30_023);
  const wanted = [eventOfNow(1), eventOfNow(7)];
  relay.add([strange, ...wanted]);
  await archived(archive, wanted);
  const [event] = wanted;
  for (const filter of filters) {
    await until(
      `the edge of kind ${filter.kinds} has moved`,
      async () =>
        await liveEdge(archive, relay.relay, filter) > event!.created_at,
    );
    const events = [...STORED, ...wanted];
    await assertTruthful(archive, { relay: relay.relay, events, filter });
  }
  assert.equal(await archive.count("event where kind = 30023"), 0);
});

Deno.test("of more relays than may be live those are that bring most; the others are synced as ever", async () => {
  await using archive = await testArchive();
  await using small = await testRelay({ events: STORED.slice(0, 5) });
  await using middle = await testRelay({ events: STORED.slice(5, 40) });
  await using large = await testRelay({ events: STORED.slice(40) });
  for (const relay of [small, middle, large]) await add(archive, relay);
  await using service = startLive(archive, { maxConnections: 2 });
  const isBusy = ({ log }: TestRelay) => {
    const ends = log.filter(({ message: [type] }) => type === "CLOSE");
    const begins = log.filter(({ message: [type] }) => type === "REQ");
    return begins.length > ends.length;
  };
  await until(
    "the two that bring most are live",
    async () =>
      isBusy(middle) && isBusy(large) && !isBusy(small) &&
      await service.metric("sync_live_connections", CLEARNET) === 2,
  );
  const fresh = [eventOfNow(), eventOfNow(), eventOfNow()];
  for (const [i, relay] of [small, middle, large].entries()) {
    relay.add([fresh[i]!]);
  }
  await archived(archive, fresh);
});

Deno.test("a live relay is looked at again for what it got and told nobody, and is live again", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay({ events: STORED });
  await add(archive, relay);
  await using service = startLive(archive, { recheckSeconds: 5 });
  await until(
    "it is live and claims",
    async () => await liveEdge(archive, relay.relay) > 0,
  );
  const secret = eventOfNow();
  relay.addSilently([secret]);
  await archived(archive, [secret]);
  assert.ok(await endsOf(service, "recheck") >= 1);
  await liveRelays(service, 1);
  const open = eventOfNow();
  relay.add([open]);
  await archived(archive, [open]);
  const truth = { relay: relay.relay, events: [...STORED, secret, open] };
  await assertTruthful(archive, truth);
});

for (
  const [what, misbehave, reason] of [
    ["repeats itself forever", repeat, "useless"],
    ["sends what nobody asked for", sendStrangers, "useless"],
    ["takes its subscription back", (req: TestReq) => {
      req.eose();
      req.closed("error: enough");
    }, "closed"],
    ["never says that it is done", () => {}, "silent"],
  ] as const
) {
  Deno.test(`a relay that ${what} is live no more, and another one stays`, async () => {
    await using archive = await testArchive();
    await using bad = await testRelay({
      events: STORED.slice(0, 100),
      onReq: (req) => isLive(req) ? misbehave(req) : req.serve(),
    });
    await using good = await testRelay({ events: STORED });
    for (const relay of [bad, good]) await add(archive, relay);
    const requests = { idleTimeoutMs: 2_000 };
    const networks = { clearnet: { timeoutMs: 2_000 } };
    await using service = startLive(archive, {}, { requests, networks });
    await until(
      "it has ended",
      async () => await endsOf(service, reason) === 1,
    );
    await liveRelays(service, 1);
    const fresh = eventOfNow();
    good.add([fresh]);
    await archived(archive, [fresh]);
    await until("it came live", async () => await cameLive(service) === 1);
    assert.equal(await endsOf(service, reason), 1, "not again so soon");
    const truth = { relay: bad.relay, events: STORED.slice(0, 100) };
    await assertTruthful(archive, truth);
  });
}

const CLEARNET = { network: "clearnet" };

async function repeat(req: TestReq): Promise<void> {
  while (req.isOpen()) await req.events(Array(100).fill(STORED[0]));
}

async function sendStrangers(req: TestReq): Promise<void> {
  req.eose();
  const forged = STORED.map((event) => ({ ...event, content: "forged" }));
  while (req.isOpen()) await req.events(forged);
}

async function add(archive: TestArchive, { relay }: TestRelay) {
  await idOf(archive, relay);
}

function eventOfNow(kind = 1) {
  return factory.sign({ kind, createdAt: unixNow() });
}
