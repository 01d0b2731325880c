import assert from "node:assert/strict";
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
