import assert from "node:assert/strict";
import { asking, bounds, connectTo } from "../../support/client.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { testRelay } from "../../support/test_relay.ts";

const factory = eventFactory("ping");
const EVENTS = Array.from({ length: 500 }, () => factory.sign());

Deno.test("a live subscription hears that the relay is alive behind all that came before", async () => {
  await using relay = await testRelay();
  await using client = await connectTo(relay);
  const eose = Promise.withResolvers<void>();
  const signs: { taken: number; sentAt: number }[] = [];
  const hasHeard = () => signs.length > 0;
  let taken = 0;
  const live = client.subscribe({}, {
    ...bounds,
    live: {
      onEose: () => eose.resolve(),
      onAlive: (sentAt) => signs.push({ taken, sentAt }),
    },
  });
  const first = live.next();
  await eose.promise;
  const before = Date.now();
  relay.add(EVENTS);
  assert.equal(await client.ping(asking), "alive");
  // Whatever was answered: nothing counts before it was taken.
  assert(!hasHeard());
  let chunk = await first;
  while (!chunk.done) {
    taken += chunk.value.length;
    if (taken === EVENTS.length) break;
    assert(!hasHeard());
    chunk = await live.next();
  }
  const last = live.next();
  relay.add([factory.sign()]);
  await last;
  assert.deepEqual(signs.map((sign) => sign.taken), [EVENTS.length]);
  for (const { sentAt } of signs) {
    assert(sentAt >= before && sentAt <= Date.now());
  }
  await live.return({ type: "aborted" });
});

Deno.test("ping() is in vain where nobody answers, and where nobody is any more", async () => {
  await using mute = await testRelay({ ignoresPings: true });
  await using unanswered = await connectTo(mute);
  const short = { ...asking, timeoutMs: 50 };
  assert.equal(await unanswered.ping(short), "silent");
  assert.equal(mute.count("(ping)"), 1);

  await using relay = await testRelay({ onReq: (req) => req.disconnect() });
  await using client = await connectTo(relay);
  await client.fetchPage({}, bounds);
  assert.equal(await client.ping(asking), "over");
});
