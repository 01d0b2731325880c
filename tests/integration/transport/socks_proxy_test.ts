/**
 * What a SOCKS5 proxy says, however its bytes come: RFC 1928, section 6.
 *
 * @module
 */
import assert from "node:assert/strict";
import { createServer, type Socket } from "node:net";
import { deadlineIn } from "../../../src/transport/deadline.ts";
import { connectThroughProxy } from "../../../src/transport/socks_proxy.ts";
import { SocketReader } from "../../../src/transport/websocket/socket_reader.ts";
import { never } from "../../support/dialing.ts";

const DESTINATION = { host: "relay.onion", port: 80 };
const METHOD = [5, 0];

/** The address that a proxy says it connects from, by its type. */
const BOUND: Readonly<Record<string, readonly number[]>> = {
  IPv4: [1, 0, 0, 0, 0, 0, 0],
  IPv6: [4, ...new Array<number>(16).fill(0), 0, 0],
  "a name": [3, 3, 0x78, 0x2e, 0x79, 0, 0],
  "the longest name": [3, 255, ...new Array<number>(255).fill(0x61), 0, 0],
};

for (const [type, bound] of Object.entries(BOUND)) {
  Deno.test(`what comes behind a proxy's answer with ${type} is the relay's, however the answer is cut`, async () => {
    const answer = [5, 0, 0, ...bound];
    const cuts: Readonly<Record<string, readonly (readonly number[])[]>> = {
      "not at all": [answer],
      "into bytes": answer.map((byte) => [byte]),
      "within the address": [answer.slice(0, 6), answer.slice(6)],
      "before its last byte": [answer.slice(0, -1), answer.slice(-1)],
    };
    for (const [where, pieces] of Object.entries(cuts)) {
      await using proxy = await scripted([[METHOD], pieces, [
        bytesOf("hello"),
      ]]);
      const connected = await through(proxy.url);
      assert.ok(connected.ok, where);
      const reader = new SocketReader(connected.value);
      connected.value.write("hi");
      const said = await reader.exactly(5);
      assert.equal(new TextDecoder().decode(said ?? undefined), "hello", where);
      connected.value.destroy();
    }
  });
}

Deno.test("a proxy that ends within an answer, or answers something else, is to blame", async () => {
  const scripts: readonly (readonly number[][])[] = [
    [[5]],
    [[4, 0]],
    [[5, 0xff]],
    [[5, 1]],
    [METHOD],
    [METHOD, [5]],
    [METHOD, [5, 0, 0, 1, 0, 0]],
    [METHOD, [4, 0, 0, 1, 0, 0, 0, 0, 0, 0]],
  ];
  for (const script of scripts) {
    await using proxy = await scripted(script.map((bytes) => [bytes]), true);
    const refused = await through(proxy.url);
    assert.equal(
      refused.ok ? "connected" : refused.failure.code,
      "proxy",
      JSON.stringify(script),
    );
  }
});

function bytesOf(text: string): number[] {
  return [...new TextEncoder().encode(text)];
}

function through(url: string) {
  return connectThroughProxy(url, DESTINATION, deadlineIn(5_000, never));
}

/** Answers each message by the next pieces, one after the other; behind the last it may hang up. */
async function scripted(
  answers: readonly (readonly (readonly number[])[])[],
  hangsUp = false,
): Promise<AsyncDisposable & { readonly url: string }> {
  const clients = new Set<Socket>();
  const server = createServer({ noDelay: true }, async (client) => {
    clients.add(client);
    client.on("error", () => client.destroy());
    const reader = new SocketReader(client);
    for (const pieces of answers) {
      if (await reader.some(1_024) === null) return;
      for (const piece of pieces) {
        client.write(Uint8Array.from(piece));
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    }
    if (hangsUp) client.end();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") {
    throw new Error("Cannot tell the port as the proxy does not listen");
  }
  return {
    url: `socks5://127.0.0.1:${address.port}`,
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
