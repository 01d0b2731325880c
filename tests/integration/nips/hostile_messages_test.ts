import assert from "node:assert/strict";
import { handshake } from "../../../src/nips/client/handshake.ts";
import { bounds, connectTo } from "../../support/client.ts";
import { never, testDialer } from "../../support/dialing.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { testRelay } from "../../support/test_relay.ts";

const KiB = 1_024;
const MiB = 1_024 * KiB;
const event = eventFactory("hostile messages").sign();

Deno.test("a handshake reads no more of a message than a handshake needs", async () => {
  const half = 1.9 * MiB;
  const bomb = `["NOTICE",${"[".repeat(half)}${"]".repeat(half)}]`;
  await using stack = new AsyncDisposableStack();
  const relays = [];
  for (let i = 0; i < 20; i++) {
    const onReq = (req: { send(text: string): void; eose(): void }) => {
      req.send(bomb);
      req.eose();
    };
    relays.push(stack.use(await testRelay({ onReq })));
  }
  const before = process.cpuUsage();
  const dialer = testDialer();
  const answers = await Promise.all(
    relays.map(({ relay }) =>
      handshake(dialer, relay, { signal: never, timeoutMs: 20_000 })
    ),
  );
  const { user } = process.cpuUsage(before);
  for (const answer of answers) {
    assert(answer.ok);
    assert.equal(answer.value.answeredBy, "eose", "the bomb is passed over");
  }
  // Read and written out, each takes two seconds.
  assert(user < 10e6, `${Math.round(user / 1e3)} ms of CPU`);
});

Deno.test("a relay whose only event is too large for a handshake has answered", async () => {
  await using relay = await testRelay({
    onReq: (req) =>
      req.send(
        `["EVENT","${req.subId}",{"content":"${"x".repeat(MiB)}"}]`,
      ),
  });
  const answer = await handshake(testDialer(), relay.relay, {
    signal: never,
    timeoutMs: 20_000,
  });
  assert(answer.ok);
  assert.equal(answer.value.answeredBy, "event");
});

Deno.test("messages that nobody knows are bounded in count and in bytes", async () => {
  const floods = [
    `["X","s",[${"[],".repeat(20 * KiB)}[]]]`,
    `["X","s",[${"[],".repeat(MiB)}[]]]`,
    '["X","s"]',
  ];
  for (const text of floods) {
    await using relay = await testRelay({
      onReq: async (req) => {
        while (req.isConnected()) {
          const count = Math.ceil(MiB / text.length / 100);
          for (let i = 0; i < count; i++) req.send(text);
          await new Promise((resolve) => setTimeout(resolve));
        }
      },
    });
    await using client = await connectTo(relay);
    const { outcome } = await client.fetchPage({}, bounds);
    assert(outcome.type === "disconnected", text.slice(0, 20));
    const { failure } = outcome;
    assert(failure.code === "protocol", failure.code);
    assert.match(failure.detail, /no use/);
    assert(client.stats.unknown <= 20_000, `${client.stats.unknown} were read`);
  }
});

Deno.test("a message that is longer than one of its type does not disturb the events around it", async () => {
  await using relay = await testRelay({
    onReq: async (req) => {
      await req.events([event]);
      req.send(`["NOTICE",${"[".repeat(MiB)}${"]".repeat(MiB)}]`);
      await req.events([event]);
      req.eose();
    },
  });
  await using client = await connectTo(relay);
  const page = await client.fetchPage({}, bounds);
  assert.deepEqual(page.events, [event, event]);
  assert.deepEqual(page.outcome, { type: "eose" });
  assert.equal(client.stats.unknown, 1);
});
