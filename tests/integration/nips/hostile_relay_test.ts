import assert from "node:assert/strict";
import { connectRelay } from "../../../src/nips/client/connect_relay.ts";
import type {
  Page,
  RequestOptions,
} from "../../../src/nips/client/relay_client.ts";
import { bounds, connectTo } from "../../support/client.ts";
import { failureOf, never, testDialer } from "../../support/dialing.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { testRelay } from "../../support/test_relay.ts";
import type { RelayScript, TestReq } from "../../support/test_relay_script.ts";

const factory = eventFactory("hostile");
const event = factory.sign();

Deno.test("a relay that never answers is a timeout, which is no end of the events", async () => {
  const page = await ask(() => {}, { idleTimeoutMs: 50 });
  assert.deepEqual(page.outcome, {
    type: "timeout",
    detail: "nothing came for 50 ms",
  });
});

Deno.test("a relay that stalls halfway is a timeout, and what came is kept", async () => {
  const page = await ask((req) => req.events([event]), { idleTimeoutMs: 50 });
  assert.equal(page.outcome.type, "timeout");
  assert.deepEqual(page.events, [event]);
});

Deno.test("a relay that drips for ever is ended by the whole duration", async () => {
  const page = await ask(async (req) => {
    while (req.isOpen()) {
      await req.events([event]);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }, { totalTimeoutMs: 100 });
  assert.deepEqual(page.outcome, {
    type: "timeout",
    detail: "not finished within 100 ms",
  });
  assert(page.events.length > 0);
});

Deno.test("a relay that ignores limits is stopped at the budget, CLOSE is sent, what still comes is dropped", async () => {
  await using relay = await testRelay({
    onReq: async (req) => {
      await req.events(Array.from({ length: 5_000 }, () => event));
      req.eose();
    },
  });
  await using client = await connectTo(relay);
  const page = await client.fetchPage({ limit: 10 }, {
    ...bounds,
    maxEvents: 20,
  });
  assert.deepEqual(page.outcome, {
    type: "over-budget",
    detail: "more than 20 events came",
  });
  assert.equal(page.events.length, 20);
  await relay.received("CLOSE");
  const large = await client.fetchPage({ limit: 10 }, {
    ...bounds,
    maxBytes: 2_000,
  });
  assert.deepEqual(large.outcome, {
    type: "over-budget",
    detail: "more than 2000 characters came",
  });
  assert(large.bytes < 4_000);
  assert(client.stats.late >= 4_900);
});

Deno.test("a relay that goes on sending after CLOSE is hung up on in the end", async () => {
  await using relay = await testRelay({
    onReq: async (req) => {
      const many = Array.from({ length: 1_000 }, () => event);
      while (req.isConnected()) await req.events(many);
    },
  });
  const client = await connectTo(relay);
  await client.fetchPage({}, bounds);
  const failure = await client.closed;
  assert.equal(failure.code, "protocol");
  assert.match(failure.code === "protocol" ? failure.detail : "", /20000/);
  assert(client.stats.late < 30_000);
  await relay.idle();
});

Deno.test("garbage between the events is counted and does not disturb", async () => {
  const page = await ask(async (req) => {
    const strange = [
      "",
      "not json",
      "{}",
      "[]",
      "null",
      '["EVENT"]',
      '["EVENT","somebody else",{}]',
      '["EOSE","somebody else"]',
      '["CLOSED","somebody else","error: x"]',
      '["OK","nobody asked",true,""]',
      '["NEG-ERR","x","blocked"]',
      '["NOTICE","Welcome!"]',
      '["NOTICE"]',
      '["EVENT",',
    ];
    for (const text of strange) req.send(text);
    await req.events([event]);
    req.eose();
  });
  assert.deepEqual(page.outcome, { type: "eose" });
  assert.deepEqual(page.events, [event]);
});

Deno.test("a relay of nothing but garbage is hung up on", async () => {
  const page = await ask((req) => {
    for (let i = 0; i < 1_500; i++) req.send("<html>");
  });
  assert(page.outcome.type === "disconnected");
  assert.equal(page.outcome.failure.code, "protocol");
});

Deno.test("a relay that cuts a frame in two and leaves is a disconnect, and what came is kept", async () => {
  const page = await ask(async (req) => {
    await req.events([event]);
    req.sendBytes(Uint8Array.of(0x81, 126, 0x20, 0, 0x5b));
    setTimeout(() => req.disconnect());
  });
  assert(page.outcome.type === "disconnected");
  assert.equal(page.outcome.failure.code, "closed");
  assert.deepEqual(page.events, [event]);
});

Deno.test("binary and undecodable messages end the connection", async () => {
  const binary = await ask((req) => req.sendBinary(Uint8Array.of(1)));
  assert.equal(binary.outcome.type, "disconnected");
  const bad = await ask((req) => {
    req.sendBytes(Uint8Array.of(0x81, 2, 0xff, 0xfe));
  });
  assert.equal(bad.outcome.type, "disconnected");
});

Deno.test("an event that is too long is not read, and counted; a message that is too long ends the connection", async () => {
  const long = factory.sign({ content: "x".repeat(50_000) });
  const script: RelayScript = {
    onReq: async (req) => {
      await req.events([long, event]);
      req.eose();
    },
  };
  await using relay = await testRelay(script);
  await using client = await connectTo(relay, { maxEventBytes: 10_000 });
  const page = await client.fetchPage({}, bounds);
  assert.deepEqual(page.events, [event]);
  assert.equal(page.unread, 1);
  assert.equal(client.stats.unread, 1);
  assert.deepEqual(page.outcome, { type: "eose" });

  await using strict = await testRelay(script);
  await using short = await connectTo(strict, { maxMessageBytes: 10_000 });
  const { outcome } = await short.fetchPage({}, bounds);
  assert(outcome.type === "disconnected");
  assert.equal(outcome.failure.code, "too-large");
});

Deno.test("CLOSED says why, with the prefix that machines read", async () => {
  const cases = [
    ["rate-limited: slow down", "rate-limited"],
    ["ERROR: bad req: filter", "error"],
    ["ERROR: restricted: members", "restricted"],
    ["no thanks", "none"],
  ] as const;
  for (const [reason, prefix] of cases) {
    const page = await ask((req) => req.closed(reason));
    assert.deepEqual(page.outcome, { type: "closed", prefix, reason });
  }
  const bare = await ask((req) => req.send(`["CLOSED","${req.subId}"]`));
  assert.deepEqual(bare.outcome, {
    type: "closed",
    prefix: "none",
    reason: "",
  });
});

Deno.test("a refusal as NOTICE ends the only request, but none when there are more", async () => {
  const text = "ERROR: bad req: too many filters";
  const page = await ask((req) => req.notice(text));
  assert.deepEqual(page.outcome, { type: "notice", text });
  const greeted = await ask((req) => {
    req.notice("Welcome to our relay");
    req.eose();
  });
  assert.deepEqual(greeted.outcome, { type: "eose" });

  const notices: [string, string][] = [];
  const asked: TestReq[] = [];
  await using relay = await testRelay({
    onReq: (req) => {
      if (asked.push(req) < 2) return;
      req.notice("ERROR: too many concurrent REQs");
      for (const each of asked) each.eose();
    },
  });
  await using client = await connectTo(relay, {
    onNotice: (notice, is) => notices.push([notice, is]),
  });
  const pages = [1, 2].map(() => client.fetchPage({}, bounds));
  for (const { outcome } of await Promise.all(pages)) {
    assert.deepEqual(outcome, { type: "eose" });
  }
  assert.deepEqual(notices, [
    ["ERROR: too many concurrent REQs", "rate-limited"],
  ]);
});

Deno.test("a slow consumer holds the relay back, not the memory", async () => {
  const large = factory.sign({ content: "x".repeat(100_000) });
  let sent = 0;
  await using relay = await testRelay({
    onReq: async (req) => {
      for (; sent < 600; sent++) await req.events([large]);
      req.eose();
    },
  });
  await using client = await connectTo(relay);
  const generator = client.subscribe({}, {
    ...bounds,
    maxBytes: 1e9,
    // Our own slowness is not the relay's silence.
    idleTimeoutMs: 100,
  });
  let got = 0;
  for (;;) {
    const chunk = await generator.next();
    if (chunk.done) {
      assert.deepEqual(chunk.value, { type: "eose" });
      break;
    }
    // 8 MiB of the client, 1 MiB of the socket, and what one read brings.
    assert(chunk.value.length <= 110, `${chunk.value.length} at once`);
    if (got === 0) await new Promise((resolve) => setTimeout(resolve, 400));
    got += chunk.value.length;
  }
  assert.equal(got, 600);
});

Deno.test("closing is quick while the relay floods and nobody takes it", async () => {
  const large = factory.sign({ content: "x".repeat(100_000) });
  await using relay = await testRelay({
    onReq: async (req) => {
      while (req.isConnected()) await req.events([large]);
    },
  });
  const client = await connectTo(relay);
  const generator = client.subscribe({}, { ...bounds, maxBytes: 1e9 });
  await generator.next();
  await relay.received("REQ");
  await client.close();
  await relay.idle();
  assert.deepEqual(await client.closed, { code: "aborted" });
});

Deno.test("connectRelay() gives the failure of the connection", async () => {
  await using relay = await testRelay({ upgrade: { status: 403 } });
  const refused = await connectRelay(testDialer(), relay.relay, {
    signal: never,
  });
  assert.equal(failureOf(refused, "http").status, 403);
});

/** One page of a relay that answers a REQ so. */
async function ask(
  onReq: (req: TestReq) => void | Promise<void>,
  options: Partial<RequestOptions> = {},
): Promise<Page> {
  await using relay = await testRelay({ onReq });
  await using client = await connectTo(relay);
  return await client.fetchPage({ limit: 10 }, { ...bounds, ...options });
}
