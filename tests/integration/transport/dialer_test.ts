import assert from "node:assert/strict";
import { createServer, type Server } from "node:net";
import type { Dialer } from "../../../src/transport/dialer.ts";
import { deadlineIn } from "../../../src/transport/deadline.ts";
import { Politeness } from "../../../src/transport/politeness.ts";
import { resolveHost } from "../../../src/transport/resolve.ts";
import {
  failureOf,
  never,
  relayAt,
  testDialer,
  testNetworks,
  valueOf,
} from "../../support/dialing.ts";
import { testRelay } from "../../support/test_relay.ts";

Deno.test("open() says who it is and whom it wants, and tells what it reached", async () => {
  await using relay = await testRelay({ host: "relay.test" });
  const dialer = testDialer({ resolve: () => Promise.resolve(["127.0.0.1"]) });
  await using socket = valueOf(
    await dialer.open(relayAt(`${relay.url}/some/path`), { signal: never }),
  );
  const [request] = relay.requests;
  assert.equal(request?.path, "/some/path");
  assert.equal(request?.headers["host"], `relay.test:${relay.port}`);
  assert.match(request?.headers["user-agent"] ?? "", /^BigBrotr\/test/);
  assert.equal(request?.headers["sec-websocket-extensions"], undefined);
  assert.equal(socket.address, "127.0.0.1");
  assert.equal(socket.tls, null);
  assert.equal(socket.headers["upgrade"], "websocket");
  assert(socket.openMs >= 0 && socket.openMs < 20_000);
});

Deno.test("open() dials the address it vetted, whatever the name resolves to the next time", async () => {
  await using relay = await testRelay({ host: "relay.test" });
  await using elsewhere = await listener("127.0.0.2", relay.port);
  const answers = [["127.0.0.1"], ["127.0.0.2"]];
  let lookups = 0;
  const resolve = () => Promise.resolve(answers[lookups++] ?? []);
  const dialer = testDialer({ resolve });
  await using socket = valueOf(
    await dialer.open(relay.relay, { signal: never }),
  );
  assert.equal(socket.address, "127.0.0.1");
  assert.equal(lookups, 1);
  assert.equal(elsewhere.connections, 0);
});

Deno.test("open() refuses a name that resolves to a private address, also when it first resolved publicly", async () => {
  await using relay = await testRelay({ host: "relay.test" });
  const answers = [["3ffe::1"], ["127.0.0.1"], ["::ffff:127.0.0.1"]];
  let lookups = 0;
  const stop = new AbortController();
  const dialer = testDialer({
    allowPrivate: false,
    resolve: () => {
      // The public address passes; it is nobody's, and nothing is sent there.
      stop.abort();
      return Promise.resolve(answers[lookups++] ?? []);
    },
  });
  const first = await dialer.open(relay.relay, { signal: stop.signal });
  failureOf(first, "aborted");
  const options = { signal: never };
  const second = failureOf(await dialer.open(relay.relay, options), "address");
  assert.match(second.detail, /relay\.test .*127\.0\.0\.1/);
  failureOf(await dialer.open(relay.relay, options), "address");
  assert.equal(lookups, 3);
  assert.deepEqual(relay.requests, []);
});

Deno.test("open() refuses private addresses in whatever disguise unless they are allowed", async () => {
  await using relay = await testRelay();
  const strict = testDialer({ allowPrivate: false });
  const hosts = ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "localhost"];
  for (const host of hosts) {
    const target = relayAt(`ws://${host}:${relay.port}`);
    failureOf(await strict.open(target, { signal: never }), "address");
  }
  assert.deepEqual(relay.requests, []);
  for (const host of ["127.0.0.1", "localhost"]) {
    const target = relayAt(`ws://${host}:${relay.port}`);
    await using _socket = valueOf(
      await testDialer().open(target, { signal: never }),
    );
  }
  assert.equal(relay.requests.length, 2);
});

Deno.test("resolveHost() leaves only the public ones of several addresses to dial", async () => {
  const resolve = () => Promise.resolve(["127.0.0.1", "3ffe::1", "10.0.0.1"]);
  const policy = { resolve, allowPrivate: false };
  const deadline = deadlineIn(1_000, never);
  const addresses = await resolveHost("relay.test", policy, deadline);
  assert.deepEqual(valueOf(addresses), ["3ffe::1"]);
});

Deno.test("open() goes on to the next address when one does not answer", async () => {
  await using relay = await testRelay({ host: "relay.test" });
  const dialer = testDialer({
    resolve: () => Promise.resolve(["127.0.0.9", "::1", "127.0.0.1"]),
  });
  await using socket = valueOf(
    await dialer.open(relay.relay, { signal: never }),
  );
  assert.equal(socket.address, "127.0.0.1");
});

Deno.test("open() tells apart a name that does not resolve and a port where nobody listens", async () => {
  const refuse = () => Promise.reject(new Error("queryA ENOTFOUND"));
  const lost = testDialer({ resolve: refuse });
  const target = relayAt("ws://relay.test");
  const failure = failureOf(await lost.open(target, { signal: never }), "dns");
  assert.match(failure.detail, /relay\.test: queryA ENOTFOUND/);
  const empty = testDialer({ resolve: () => Promise.resolve([]) });
  failureOf(await empty.open(target, { signal: never }), "dns");
  const wrong = testDialer({ resolve: () => Promise.resolve(["not an ip"]) });
  failureOf(await wrong.open(target, { signal: never }), "dns");

  const { port } = await testRelayThatLeft();
  const gone = relayAt(`ws://127.0.0.1:${port}`);
  failureOf(await testDialer().open(gone, { signal: never }), "refused");
});

Deno.test("open() ends by the deadline in whatever step it is, and names the step", async () => {
  const options = { signal: never, timeoutMs: 100 };
  const unresolved = testDialer({ resolve: () => new Promise(() => {}) });
  const lookup = await unresolved.open(relayAt("ws://relay.test"), options);
  assert.match(failureOf(lookup, "timeout").detail, /^dns: .*100 ms/);

  for (const upgrade of ["never", "drip"] as const) {
    await using relay = await testRelay({ upgrade });
    const silent = await testDialer().open(relay.relay, options);
    assert.match(failureOf(silent, "timeout").detail, /^upgrade: .*100 ms/);
    await relay.idle();
  }
  await using mute = await listener("127.0.0.1", 0);
  const handshake = await testDialer().open(
    relayAt(`wss://127.0.0.1:${mute.port}`),
    options,
  );
  assert.match(failureOf(handshake, "timeout").detail, /^tls: .*100 ms/);
});

Deno.test("open() stops at once when told to, and leaves nothing behind", async () => {
  const early = new AbortController();
  early.abort();
  await using relay = await testRelay({ upgrade: "never" });
  const refused = await testDialer().open(relay.relay, {
    signal: early.signal,
  });
  failureOf(refused, "aborted");
  assert.deepEqual(relay.requests, []);

  const late = new AbortController();
  const opening = testDialer().open(relay.relay, { signal: late.signal });
  await relay.requested();
  late.abort();
  failureOf(await opening, "aborted");
  await relay.idle();

  const stuck = testDialer({ resolve: () => new Promise(() => {}) });
  const midway = new AbortController();
  const looking = stuck.open(relayAt("ws://relay.test"), {
    signal: midway.signal,
  });
  midway.abort();
  failureOf(await looking, "aborted");
});

Deno.test("open() does not dial networks that are disabled or have no way", async () => {
  const onion = relayAt(`ws://${"a".repeat(56)}.onion`);
  const without = await testDialer().open(onion, { signal: never });
  assert.match(failureOf(without, "proxy").detail, /tor has no proxy/);
  const networks = testNetworks({ tor: "socks5://127.0.0.1:1" });
  const disabled = testDialer({
    networks: { ...networks, tor: { ...networks.tor, enabled: false } },
  });
  const off = await disabled.open(onion, { signal: never });
  assert.match(failureOf(off, "proxy").detail, /tor is not enabled/);
});

Deno.test("a host on the opt-out list is neither looked up nor dialled, by whatever way", async () => {
  await using relay = await testRelay({ host: "relay.test" });
  let lookups = 0;
  const dialer = testDialer({
    optOut: ["*.test", "127.0.0.1"],
    resolve: () => Promise.resolve(lookups++ === 0 ? ["127.0.0.1"] : []),
  });
  const options = { signal: never, timeoutMs: 20_000 };
  const http = { ...options, accept: "*/*", maxBytes: 1_024 };
  const refused = [
    await dialer.open(relay.relay, options),
    await dialer.examineTls(relayAt("wss://relay.test"), options),
    await dialer.addresses(relay.relay, options),
    await dialer.get(`http://relay.test:${relay.port}/`, http),
    await dialer.get(`http://127.0.0.1:${relay.port}/`, http),
  ];
  for (const result of refused) {
    assert.match(failureOf(result, "opted-out").detail, /is on the opt-out/);
  }
  assert.deepEqual([lookups, relay.requests.length], [0, 0]);
  assert(dialer.isOptedOut(relay.relay));
  assert(!dialer.isOptedOut(relayAt("wss://relay.damus.io")));
});

Deno.test("open() takes no more than two sockets of an address, and who has to wait waits in line", async () => {
  await using relay = await testRelay();
  const dialer = testDialer();
  const open = () => dialer.open(relay.relay, { signal: never });
  const first = valueOf(await open());
  const second = valueOf(await open());
  const third = open();
  const fourth = open();
  await first.close();
  await using seated = valueOf(await third);
  assert.equal(seated.address, "127.0.0.1");
  await second.close();
  await using _last = valueOf(await fourth);
  assert.equal(relay.peak, 2);
});

Deno.test("dialers with common politeness share the slots of an address, and every connection counts for both", async () => {
  await using relay = await testRelay();
  const politeness = new Politeness({
    maxSocketsPerAddress: 1,
    maxNewConnectionsPerMinute: 12,
  });
  const one = testDialer({ politeness });
  const other = testDialer({ politeness, slotTimeoutMs: 50 });
  const open = (dialer: Dialer) => dialer.open(relay.relay, { signal: never });
  const first = valueOf(await open(one));
  failureOf(await open(other), "busy");
  await first.close();
  await valueOf(await open(other)).close();
  assert(politeness.rate.take(1) > 0, "both of two at once are used up");
  assert.equal(relay.peak, 1);
});

Deno.test("Politeness.of() takes politeness or nothing at all", () => {
  const politeness = new Politeness({});
  assert.equal(Politeness.of(politeness), politeness);
  assert.equal(Politeness.of(undefined), undefined);
  assert.throws(() => Politeness.of({ rate: 5 }), /they are no Politeness/);
});

Deno.test("open() gives up a full address as busy, which says nothing about the relay", async () => {
  await using relay = await testRelay();
  const dialer = testDialer({ maxSocketsPerAddress: 1, slotTimeoutMs: 50 });
  await using _only = valueOf(
    await dialer.open(relay.relay, { signal: never }),
  );
  failureOf(await dialer.open(relay.relay, { signal: never }), "busy");
  const impatient = new AbortController();
  const waiting = dialer.open(relay.relay, { signal: impatient.signal });
  impatient.abort();
  failureOf(await waiting, "aborted");
});

Deno.test("open() says busy at once to whoever has other work, and dials nothing for it", async () => {
  await using relay = await testRelay();
  const politeness = new Politeness({
    maxSocketsPerAddress: 1,
    maxNewConnectionsPerMinute: 12,
  });
  const dialer = testDialer({ politeness });
  const options = { signal: never, slotTimeoutMs: 0 };
  const authority = `127.0.0.1:${relay.port}`;
  assert.equal(politeness.slots.isFull(authority), false, "nobody knows yet");
  const only = valueOf(await dialer.open(relay.relay, options));
  assert.deepEqual(politeness.slots.full(), [authority]);
  failureOf(await dialer.open(relay.relay, options), "busy");
  const patient = dialer.open(relay.relay, { signal: never });
  await only.close();
  await using _second = valueOf(await patient);
  assert.equal(relay.requests.length, 2);
  assert(politeness.rate.take(1) > 0, "two connections, and not three");
});

Deno.test("open() takes each address that it dials out of the budget, and dials no more than four", async () => {
  const politeness = new Politeness({ maxNewConnectionsPerMinute: 36 });
  const addresses = Array.from({ length: 16 }, (_, i) => `127.0.1.${i + 1}`);
  const dialer = testDialer({
    politeness,
    resolve: () => Promise.resolve(addresses),
  });
  // Nobody listens at any of them.
  const { port } = await testRelayThatLeft();
  const target = relayAt(`ws://many.test:${port}`);
  failureOf(await dialer.open(target, { signal: never }), "refused");
  assert.deepEqual([politeness.rate.take(1), politeness.rate.take(1)], [0, 0]);
  assert(politeness.rate.take(1) > 0, "four of six were used");
});

Deno.test("open() gives its slot back after every failure", async () => {
  await using relay = await testRelay({ upgrade: "hang-up" });
  const dialer = testDialer({ maxSocketsPerAddress: 1, slotTimeoutMs: 5_000 });
  for (let attempt = 0; attempt < 4; attempt++) {
    failureOf(await dialer.open(relay.relay, { signal: never }), "closed");
  }
});

Deno.test("createDialer() refuses a user agent that could smuggle headers", () => {
  assert.throws(
    () => testDialer({ userAgent: "x\r\nCookie: y" }),
    /Cannot dial as the user agent/,
  );
});

/** A TCP port that takes connections and says nothing. */
async function listener(
  host: string,
  port: number,
): Promise<AsyncDisposable & { connections: number; port: number }> {
  const server: Server = createServer((socket) => {
    listening.connections++;
    socket.on("error", () => {}).resume();
    sockets.push(() => socket.destroy());
  });
  const sockets: (() => void)[] = [];
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  const address = server.address();
  assert(address !== null && typeof address !== "string");
  const listening = {
    connections: 0,
    port: address.port,
    async [Symbol.asyncDispose]() {
      for (const destroy of sockets) destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return listening;
}

async function testRelayThatLeft(): Promise<{ port: number }> {
  await using relay = await testRelay();
  return { port: relay.port };
}
