import assert from "node:assert/strict";
import type { RelayFailure } from "../../../src/transport/failure.ts";
import type { RelaySocket } from "../../../src/transport/websocket/relay_socket.ts";
import {
  failureOf,
  never,
  testDialer,
  valueOf,
} from "../../support/dialing.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { type TestRelay, testRelay } from "../../support/test_relay.ts";
import type { TestReq } from "../../support/test_relay_script.ts";

Deno.test("RelaySocket carries text both ways, fragments and pings in between", async () => {
  await using relay = await testRelay({
    onReq: (req) => {
      req.send("plain ✓ \ud83d\ude00");
      // A fragmented message with a ping in its middle.
      req.sendBytes(Uint8Array.of(0x01, 2, 0x68, 0x65));
      req.sendBytes(Uint8Array.of(0x89, 1, 0x21));
      req.sendBytes(Uint8Array.of(0x80, 3, 0x6c, 0x6c, 0x6f));
      req.send("");
    },
  });
  await using socket = await ask(relay);
  assert.deepEqual(await take(socket, 3), ["plain ✓ 😀", "hello", ""]);
  assert.deepEqual(relay.log[0]?.message, ["REQ", "x", {}]);
});

Deno.test("RelaySocket says why the connection ended, when the peer ends it well", async () => {
  for (const [status, reason] of [[1000, "bye"], [4000, "too slow"]] as const) {
    const text = new TextEncoder().encode(reason);
    const close = [0x88, text.length + 2, status >> 8, status & 0xff, ...text];
    const failure = await endOf((req) => {
      req.send("last words");
      req.sendBytes(Uint8Array.from(close));
    });
    assert.deepEqual(failure, { code: "closed", status, detail: reason });
  }
  const silent = await endOf((req) => req.sendBytes(Uint8Array.of(0x88, 0)));
  assert.equal(silent.code === "closed" && silent.status, 1005);
});

Deno.test("RelaySocket says why the connection ended, when the peer ends it badly", async () => {
  const halfAFrame = Uint8Array.of(0x81, 126, 0x10, 0, 0x5b, 0x22);
  const cut = await endOf((req) => {
    req.sendBytes(halfAFrame);
    setTimeout(() => req.disconnect());
  });
  assert.equal(cut.code === "closed" && cut.status, 1006);
  const gone = await endOf((req) => req.disconnect());
  assert.equal(gone.code === "closed" && gone.status, 1006);
});

Deno.test("RelaySocket ends the connection over what is not WebSocket or not text", async () => {
  const breaches: [string, number[]][] = [
    ["a reserved opcode", [0x83, 0]],
    ["reserved bits", [0xc1, 1, 0x41]],
    ["a masked frame", [0x81, 0x81, 0, 0, 0, 0, 0x41]],
    ["a fragmented ping", [0x09, 0]],
    ["a long ping", [0x89, 126, 0, 200]],
    ["a continuation of nothing", [0x80, 1, 0x41]],
    ["a close status that may not be sent", [0x88, 2, 0x03, 0xed]],
    ["invalid UTF-8", [0x81, 2, 0xc3, 0x28]],
    ["half a surrogate pair in UTF-8", [0x81, 3, 0xed, 0xa0, 0x80]],
  ];
  for (const [what, bytes] of breaches) {
    const failure = await endOf((req) => {
      req.sendBytes(Uint8Array.from(bytes));
    });
    assert.equal(failure.code, "protocol", what);
  }
  const binary = await endOf((req) => req.sendBinary(Uint8Array.of(1, 2)));
  assert.deepEqual(binary, {
    code: "protocol",
    detail: "A binary message came",
  });
});

Deno.test("RelaySocket gives what came before the breach", async () => {
  await using relay = await testRelay({
    onReq: (req) => {
      req.send("good");
      req.sendBytes(Uint8Array.of(0x83, 0));
    },
  });
  await using socket = await ask(relay);
  assert.deepEqual(await rest(socket), ["good"]);
});

Deno.test("RelaySocket ends the connection over a message larger than its bound", async () => {
  const announced = await endOf((req) => {
    // A length of 2^40 is refused by its announcement.
    req.sendBytes(Uint8Array.of(0x81, 127, 0, 0, 1, 0, 0, 0, 0, 0));
  });
  assert.equal(announced.code, "too-large");
  const whole = await endOf((req) => req.send("x".repeat(5_000)), 4_999);
  assert.deepEqual(whole, {
    code: "too-large",
    detail: "A message is larger than 4999 bytes",
  });
  const inParts = await endOf((req) => {
    req.sendBytes(Uint8Array.of(0x01, 3, 0x61, 0x61, 0x61));
    req.sendBytes(Uint8Array.of(0x80, 3, 0x61, 0x61, 0x61));
  }, 5);
  assert.equal(inParts.code, "too-large");
});

Deno.test("RelaySocket gives of a message that is longer than is read its length, and goes on", async () => {
  await using relay = await testRelay({
    onReq: (req) => {
      req.send(`["NOTICE","${"x".repeat(3_000_000)}"]`);
      req.send("next");
    },
  });
  await using socket = valueOf(
    await testDialer().open(relay.relay, {
      signal: never,
      boundOf: () => 100_000,
    }),
  );
  assert(socket.send('["REQ","x",{}]'));
  assert.deepEqual(await take(socket, 2), ["cut: 3000013", "next"]);
});

Deno.test("RelaySocket holds a flood back until somebody takes it, and loses nothing", async () => {
  const event = eventFactory("flood").sign({ content: "x".repeat(10_000) });
  const flood = 4_000;
  await using relay = await testRelay({
    onReq: async (req) => {
      for (let i = 0; i < flood; i += 10) {
        await req.events(Array.from({ length: 10 }, () => event));
      }
      req.eose();
    },
  });
  await using socket = await ask(relay);
  await heldBack(relay);
  assert(relay.sent < flood, "the relay could not send it all");
  assert.equal((await take(socket, flood + 1)).length, flood + 1);
});

Deno.test("RelaySocket closes within bounds, even when the peer does not answer", async () => {
  await using relay = await testRelay();
  const polite = await ask(relay);
  await polite.close(1000, "done");
  await polite.close();
  assert.deepEqual(await polite.closed, { code: "aborted" });
  assert.equal(polite.send("too late"), false);
  assert.deepEqual(await rest(polite), []);
  await relay.idle();

  const event = eventFactory("flood").sign({ content: "x".repeat(100_000) });
  await using flooding = await testRelay({
    onReq: async (req) => {
      while (req.isConnected()) await req.events([event]);
    },
  });
  const flooded = await ask(flooding);
  await flooded.close();
  await flooding.idle();
});

Deno.test("RelaySocket asks a silent peer whether it is alive, and goes on while it is", async () => {
  await using relay = await testRelay();
  await using socket = valueOf(
    await testDialer().open(relay.relay, { signal: never, pingAfterMs: 50 }),
  );
  await relay.received("(ping)", 5);
  assert(socket.send('["REQ","x",{}]'));
  assert.deepEqual(await take(socket, 1), ['["EOSE","x"]']);
});

Deno.test("RelaySocket gives up a peer that does not answer pings", async () => {
  await using relay = await testRelay({ ignoresPings: true });
  await using socket = valueOf(
    await testDialer().open(relay.relay, { signal: never, pingAfterMs: 50 }),
  );
  assert.deepEqual(await rest(socket), []);
  assert.deepEqual(await socket.closed, {
    code: "timeout",
    detail: "alive: no answer to a ping in 50 ms",
  });
});

Deno.test("open() says what it got instead of a WebSocket", async () => {
  const cases = [
    [{ status: 200, body: "<html>" }, 200],
    [{ status: 429 }, 429],
    [{ status: 503 }, 503],
    [{ status: 301, headers: { location: "https://evil.example/" } }, 301],
  ] as const;
  for (const [upgrade, status] of cases) {
    await using relay = await testRelay({ upgrade });
    const failure = failureOf(await open(relay), "http");
    assert.equal(failure.status, status);
  }
  await using garbage = await testRelay({ upgrade: "garbage" });
  failureOf(await open(garbage), "protocol");
  await using gone = await testRelay({ upgrade: "hang-up" });
  assert.equal(failureOf(await open(gone), "closed").status, 1006);
});

Deno.test("open() refuses an upgrade that is not the one it asked for", async () => {
  const upgrade = { upgrade: "websocket", connection: "upgrade" };
  const replies = [
    { ...upgrade, "sec-websocket-accept": "bm90IHRoZSByaWdodCBvbmU=" },
    { ...upgrade },
    { connection: "upgrade" },
  ];
  for (const headers of replies) {
    await using relay = await testRelay({ upgrade: { status: 101, headers } });
    failureOf(await open(relay), "protocol");
  }
});

Deno.test("open() bounds the head of the answer", async () => {
  const headers = { "x-long": "x".repeat(40_000) };
  await using relay = await testRelay({ upgrade: { status: 200, headers } });
  failureOf(await open(relay), "too-large");
});

function open(relay: TestRelay, maxMessageBytes = 1_000_000) {
  return testDialer().open(relay.relay, { signal: never, maxMessageBytes });
}

/** Opens and sends a REQ. */
async function ask(
  relay: TestRelay,
  maxMessageBytes?: number,
): Promise<RelaySocket> {
  const socket = valueOf(await open(relay, maxMessageBytes));
  assert(socket.send('["REQ","x",{}]'));
  return socket;
}

/** How a connection ends on which a REQ is answered so. */
async function endOf(
  onReq: (req: TestReq) => void,
  maxMessageBytes?: number,
): Promise<RelayFailure> {
  await using relay = await testRelay({ onReq });
  await using socket = await ask(relay, maxMessageBytes);
  await rest(socket);
  return await socket.closed;
}

async function take(socket: RelaySocket, count: number): Promise<string[]> {
  const messages: string[] = [];
  for await (const batch of socket) {
    for (const message of batch) {
      messages.push(
        typeof message === "string" ? message : `cut: ${message.bytes}`,
      );
    }
    if (messages.length >= count) break;
  }
  return messages;
}

/** All messages until the connection ends. */
function rest(socket: RelaySocket): Promise<string[]> {
  return take(socket, Infinity);
}

/** Resolves when the relay has not been able to send anything for a while. */
async function heldBack(relay: TestRelay): Promise<void> {
  for (let sent = -1; sent !== relay.sent;) {
    sent = relay.sent;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
