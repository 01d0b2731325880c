import assert from "node:assert/strict";
import {
  failureOf,
  never,
  relayAt,
  testDialer,
  testNetworks,
  valueOf,
} from "../../support/dialing.ts";
import { unless } from "../../support/installed.ts";
import { microsocks, noMicrosocks } from "../../support/microsocks.ts";
import { socksProxy, type SocksScript } from "../../support/socks.ts";
import { testRelay } from "../../support/test_relay.ts";
import { makeCertificate } from "../../support/tls.ts";
import { connectRelay } from "../../../src/nips/client/connect_relay.ts";
import { eventFactory } from "../../support/event_factory.ts";

const ONION = `${"b".repeat(56)}.onion`;

/** A resolver that fails the test: nobody may look up a name that a proxy is to resolve. */
const resolve = (host: string) => {
  throw new Error(`Nobody may look up ${host}`);
};

Deno.test("a relay on each overlay is reached through its own proxy, which alone is told the name", async () => {
  await using relay = await testRelay();
  const hosts = {
    tor: ONION,
    i2p: `${"c".repeat(52)}.b32.i2p`,
    loki: `${"d".repeat(51)}o.loki`,
  };
  for (const [network, host] of Object.entries(hosts)) {
    await using proxy = await socksProxy({ names: [host] });
    const networks = testNetworks({ [network]: proxy.url });
    const dialer = testDialer({ networks, resolve, allowPrivate: false });
    const target = relayAt(`ws://${host}:${relay.port}`);
    assert.equal(target.network, network);
    await using socket = valueOf(await dialer.open(target, { signal: never }));
    assert.deepEqual(proxy.asked, [`${host}:${relay.port}`]);
    assert.equal(socket.address, null);
    assert.equal(
      relay.requests.at(-1)?.headers["host"],
      `${host}:${relay.port}`,
    );
  }
});

const CARRIES =
  "microsocks carries a relay named .onion end to end, and is asked for the name";

Deno.test({
  ...unless(await noMicrosocks(), CARRIES),
  fn: carriesOnion,
});

async function carriesOnion(): Promise<void> {
  await using proxy = await microsocks(ONION);
  const event = eventFactory("onion").sign();
  await using relay = await testRelay({ events: [event] });
  const networks = testNetworks({ tor: proxy.url });
  const dialer = testDialer({ networks, resolve, allowPrivate: false });
  const target = relayAt(`ws://${ONION}:${relay.port}`);
  await using client = valueOf(
    await connectRelay(dialer, target, { signal: never }),
  );
  const page = await client.fetchPage({ limit: 10 }, {
    signal: never,
    idleTimeoutMs: 10_000,
    totalTimeoutMs: 10_000,
    maxEvents: 10,
    maxBytes: 100_000,
  });
  assert.deepEqual(page.events, [event]);
  assert.equal(page.outcome.type, "eose");
  const line = await proxy.nextConnection();
  assert.match(line, new RegExp(`connected to ${ONION}:${relay.port}`));
}

Deno.test("clearnet goes through a proxy, too, when there is one: TLS and HTTP included", async () => {
  const certificate = await makeCertificate({ names: ["relay.test"] });
  await using relay = await testRelay({
    certificate,
    host: "relay.test",
    http: { status: 200, body: "hello" },
  });
  await using proxy = await socksProxy({ names: ["relay.test"] });
  const dialer = testDialer({
    networks: testNetworks({ clearnet: proxy.url }),
    resolve,
    allowPrivate: false,
    caCertificates: [certificate.ca],
  });
  await using socket = valueOf(
    await dialer.open(relay.relay, { signal: never }),
  );
  assert.equal(socket.tls?.verified, true);
  socket.send('["REQ","x",{"limit":1}]');
  for await (const batch of socket) {
    assert.deepEqual(batch, ['["EOSE","x"]']);
    break;
  }
  const answer = valueOf(
    await dialer.get(relay.url.replace("wss", "https"), {
      signal: never,
      timeoutMs: 10_000,
      maxBytes: 100,
      accept: "*/*",
    }),
  );
  assert.equal(new TextDecoder().decode(answer.bytes), "hello");
  assert.equal(answer.address, null);
  assert.equal(proxy.asked.length, 2);
});

Deno.test("a relay on an overlay is not asked for a certificate: its name is its key", async () => {
  const certificate = await makeCertificate({ names: ["whoever"] });
  await using relay = await testRelay({
    certificate,
    http: { status: 200, body: "{}" },
  });
  await using proxy = await socksProxy({ names: [ONION] });
  const dialer = testDialer({ networks: testNetworks({ tor: proxy.url }) });
  const answer = valueOf(
    await dialer.get(`https://${ONION}:${relay.port}/`, {
      signal: never,
      timeoutMs: 10_000,
      maxBytes: 100,
      accept: "*/*",
    }),
  );
  assert.equal(answer.status, 200);
});

Deno.test("a proxy's reply says whether the relay or the proxy is to blame", async () => {
  const replies = [
    [1, "unreachable"],
    [3, "unreachable"],
    [4, "unreachable"],
    [5, "refused"],
    [6, "timeout"],
    [7, "proxy"],
    [0xf0, "unreachable"],
  ] as const;
  for (const [reply, code] of replies) {
    failureOf(await openThrough({ reply }), code);
  }
});

Deno.test("a proxy that misbehaves is a failure of the proxy", async () => {
  failureOf(await openThrough({ greeting: "hang-up" }), "proxy");
  failureOf(await openThrough({ greeting: "garbage" }), "proxy");
  const silent = await openThrough({ greeting: "never" }, { timeoutMs: 100 });
  assert.match(failureOf(silent, "timeout").detail, /^proxy: /);
  const networks = testNetworks({ tor: "socks5://127.0.0.1:1" });
  const gone = testDialer({ networks });
  const refused = await gone.open(relayAt(`ws://${ONION}`), { signal: never });
  assert.match(failureOf(refused, "proxy").detail, /127\.0\.0\.1:1/);
});

Deno.test("a proxy is given user and password when it wants them", async () => {
  const login = { user: "me", password: "p:w" };
  await using relay = await testRelay();
  await using proxy = await socksProxy(login);
  const url = proxy.url.replace("p:w", "p%3Aw");
  const dialer = testDialer({ networks: testNetworks({ tor: url }) });
  const target = relayAt(`ws://${ONION}:${relay.port}`);
  await using _socket = valueOf(await dialer.open(target, { signal: never }));

  const wrong = testDialer({
    networks: testNetworks({ tor: url.replace("p%3Aw", "guess") }),
  });
  const refused = failureOf(
    await wrong.open(target, { signal: never }),
    "proxy",
  );
  assert(!refused.detail.includes("guess"));
  const without = testDialer({
    networks: testNetworks({ tor: url.replace(/me.*@/, "") }),
  });
  failureOf(await without.open(target, { signal: never }), "proxy");
});

Deno.test("opening through a proxy stops at once when told to", async () => {
  await using proxy = await socksProxy({ greeting: "never" });
  const dialer = testDialer({ networks: testNetworks({ tor: proxy.url }) });
  const stop = new AbortController();
  const opening = dialer.open(relayAt(`ws://${ONION}`), {
    signal: stop.signal,
  });
  await proxy.reached;
  stop.abort();
  failureOf(await opening, "aborted");
});

async function openThrough(
  script: SocksScript,
  options: { timeoutMs?: number } = {},
) {
  await using proxy = await socksProxy(script);
  const dialer = testDialer({ networks: testNetworks({ tor: proxy.url }) });
  const target = relayAt(`ws://${ONION}`);
  return await dialer.open(target, { signal: never, ...options });
}
