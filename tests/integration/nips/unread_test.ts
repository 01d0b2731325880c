import assert from "node:assert/strict";
import type {
  RelayClient,
  SubscribeOptions,
} from "../../../src/nips/client/relay_client.ts";
import { Unread } from "../../../src/nips/client/unread.ts";
import { bounds, connectTo } from "../../support/client.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { testRelay } from "../../support/test_relay.ts";
import type { TestReq } from "../../support/test_relay_script.ts";

const factory = eventFactory("unread client");
const [A, B, C] = [factory.sign(), factory.sign(), factory.sign()];
const NOW = Math.floor(Date.now() / 1_000);
const garbledOf = (subId: string) =>
  `["EVENT","${subId}",{"content":"li\nve","created_at":5}]`;

Deno.test("what cannot be read stands among the events, where it came", async () => {
  await using relay = await testRelay({
    onReq: async (req) => {
      await req.events([A]);
      req.send(garbledOf(req.subId));
      await req.events([B]);
      req.send(JSON.stringify(["EVENT", C]));
      req.send("not json");
      req.eose();
    },
  });
  await using client = await connectTo(relay);
  const payloads = await collect(client);
  assert.deepEqual(payloads, [
    A,
    new Unread("garbled", { createdAt: 5 }, true),
    B,
    new Unread("misaddressed", { id: C.id, createdAt: C.created_at }, true),
  ]);
  const { unread, garbage, late } = client.stats;
  assert.deepEqual([unread, garbage, late], [2, 2, 1]);
});

Deno.test("what cannot be read taints the subscription it names, in whatever letters, and else all that are open", async () => {
  const asked: TestReq[] = [];
  await using relay = await testRelay({
    onReq: (req) => {
      if (asked.push(req) < 2) return;
      const [first, second] = asked;
      req.send(garbledOf(first!.subId));
      req.send(JSON.stringify(["EVENT", second!.subId.toUpperCase(), A]));
      req.send(garbledOf("somebody"));
      for (const each of asked) each.eose();
    },
  });
  await using client = await connectTo(relay);
  const chunks = await Promise.all([collect(client), collect(client)]);
  const causes = chunks.map((chunk) =>
    chunk.map((it) => it instanceof Unread && it.cause)
  );
  assert.deepEqual(causes, [
    ["garbled", "garbled"],
    ["misaddressed", "garbled"],
  ]);
});

Deno.test("what comes for a subscription after its EOSE is handed on, as much as is bearable", async () => {
  const twice = [A, B];
  await using relay = await testRelay({
    onReq: async (req) => {
      if (req.nth === 1) return req.eose();
      const subId = String((await relay.received("REQ"))[1]);
      for (const event of twice) {
        req.send(JSON.stringify(["EVENT", subId, event]));
      }
      req.send(garbledOf(subId));
      const flood = JSON.stringify(["EVENT", subId, C]);
      for (let i = 0; i < 1_000; i++) req.send(flood);
      req.eose();
    },
  });
  await using client = await connectTo(relay);
  const late: unknown[] = [];
  await collect(client, { onLate: (payload) => void late.push(payload) });
  await collect(client);
  assert.deepEqual(late.slice(0, 4), [
    A,
    B,
    new Unread("garbled", { createdAt: 5 }, true),
    C,
  ]);
  assert.equal(late.length, 200);
  assert.equal(client.stats.late, 1_002);
});

Deno.test("a subscription that lingers takes what comes late as if it had come before, but not for ever", async () => {
  await using relay = await testRelay({
    onReq: async (req) => {
      await req.events([A]);
      req.eose(["finish"]);
      if (req.nth === 1) await req.events([B]);
      if (req.nth === 3) await req.events([factory.sign({ createdAt: NOW })]);
      while (req.nth === 2 && req.isOpen()) {
        await req.events([C]);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
  });
  await using client = await connectTo(relay);
  const lingering = { lingerMs: 50 };
  const quiet = client.subscribe({}, { ...bounds, ...lingering });
  assert.deepEqual((await toEnd(quiet)).outcome, { type: "eose", late: 1 });
  const startedAt = performance.now();
  const endless = client.subscribe({}, { ...bounds, ...lingering });
  const { payloads, outcome } = await toEnd(endless);
  assert.equal(outcome.type, "eose");
  assert.ok(payloads.length > 2);
  assert.ok(performance.now() - startedAt >= 250);
  const live = client.subscribe({}, { ...bounds, ...lingering });
  const published = await toEnd(live);
  assert.equal(published.payloads.length, 2);
  const finished = { type: "eose", hint: "finish" };
  assert.deepEqual(published.outcome, finished, "it is young");
});

async function collect(
  client: RelayClient,
  options: Partial<SubscribeOptions> = {},
): Promise<unknown[]> {
  const chunks = client.subscribe({}, { ...bounds, ...options });
  return (await toEnd(chunks)).payloads;
}

async function toEnd(chunks: ReturnType<RelayClient["subscribe"]>) {
  const payloads: unknown[] = [];
  for (;;) {
    const { done, value } = await chunks.next();
    if (done) return { payloads, outcome: value };
    payloads.push(...value);
  }
}
