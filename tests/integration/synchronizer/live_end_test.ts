import assert from "node:assert/strict";
import type { NostrEvent } from "../../../src/models/event.ts";
import { matchesFilter } from "../../../src/models/filter.ts";
import { testArchive } from "../../support/archive.ts";
import { eventFactory } from "../../support/event_factory.ts";
import {
  archived,
  endsOf,
  isCovered,
  isLive,
  liveEdge,
  liveRelays,
  startLive,
  unixNow,
} from "../../support/live.ts";
import { assertTruthful, idOf } from "../../support/sync.ts";
import { testRelay } from "../../support/test_relay.ts";
import type { TestReq } from "../../support/test_relay_script.ts";
import { until } from "../../support/until.ts";

const factory = eventFactory("live end");
const STORED = Array.from({ length: 50 }, () => factory.sign());

Deno.test("when an event comes live that is too large, nothing is claimed of its time by the subscription", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay({ events: STORED });
  await idOf(archive, relay.relay);
  await using service = startLive(archive, {}, {
    requests: { maxEventBytes: 4_096 },
  });
  await until(
    "it is live and claims",
    async () => await liveEdge(archive, relay.relay) > 0,
  );
  const large = factory.sign({
    createdAt: unixNow(),
    content: "x".repeat(5_000),
  });
  const small = factory.sign({ createdAt: large.created_at });
  relay.add([large, small]);
  await until(
    "it has ended",
    async () => await endsOf(service, "too-large") === 1,
  );
  await archived(archive, [small]);
  assert.ok(await liveEdge(archive, relay.relay) < large.created_at);
  assert.ok(!await isCovered(archive, relay.relay, large.created_at));
  const events = [...STORED, large, small];
  await assertTruthful(archive, { relay: relay.relay, events });
});

Deno.test("when an event comes live that cannot be read, nothing is claimed of its second, live or later", async () => {
  await using archive = await testArchive();
  const stored = [...STORED];
  let spoilt: NostrEvent | null = null;
  const live = new Set<TestReq>();
  const send = (req: TestReq, event: NostrEvent) => {
    const text = JSON.stringify(["EVENT", req.subId, event]);
    req.send(event === spoilt ? text.replace("li\\nve", "li\nve") : text);
  };
  await using relay = await testRelay({
    onReq: (req) => {
      if (isLive(req)) live.add(req);
      const [{ limit = Infinity, ...filter } = {}] = req.filters;
      const found = stored.filter((event) => matchesFilter(filter, event))
        .sort((a, b) => b.created_at - a.created_at);
      for (const event of found.slice(0, limit)) send(req, event);
      req.eose();
    },
  });
  const publish = (event: NostrEvent) => {
    stored.push(event);
    for (const req of live) if (req.isOpen()) send(req, event);
  };
  await idOf(archive, relay.relay);
  await using service = startLive(archive);
  await until(
    "it is live and claims",
    async () => await liveEdge(archive, relay.relay) > 0,
  );
  for (let i = 0; i < 4; i++) {
    const event = factory.sign({ createdAt: unixNow() });
    publish(event);
    await archived(archive, [event]);
  }
  spoilt = factory.sign({ createdAt: unixNow(), content: "li\nve" });
  publish(spoilt);
  await until(
    "it has ended",
    async () => await endsOf(service, "unread") === 1,
  );
  const after = factory.sign({ createdAt: unixNow() });
  publish(after);
  await archived(archive, [after]);
  await until(
    "what came before is proven",
    () => isCovered(archive, relay.relay, STORED[0]!.created_at),
  );
  assert.ok(!await isCovered(archive, relay.relay, spoilt.created_at));
  const truth = { relay: relay.relay, events: stored };
  assert.equal(await assertTruthful(archive, truth), stored.length - 1);
});

Deno.test("a relay that does not give what was stored before the subscription is live no more, and claims nothing of it", async () => {
  await using archive = await testArchive();
  let liveOn = 0;
  const between = factory.sign({ createdAt: unixNow() });
  await using relay = await testRelay({
    events: STORED,
    onReq: async (req) => {
      if (isLive(req)) {
        liveOn = req.connection;
        relay.addSilently([between]);
        req.eose();
      } else if (req.connection === liveOn) {
        req.closed("error: no more than one subscription");
      } else await req.serve();
    },
  });
  await idOf(archive, relay.relay);
  await using service = startLive(archive);
  await until(
    "it has ended",
    async () => await endsOf(service, "behind") === 1,
  );
  assert.equal(await liveEdge(archive, relay.relay), 0);
  await archived(archive, [between]);
  const events = [...STORED, between];
  await assertTruthful(archive, { relay: relay.relay, events });
  await liveRelays(service, 0);
});
