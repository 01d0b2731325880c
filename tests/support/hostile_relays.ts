/**
 * Ten hostile relays in a process of their own, until stdin ends. Prints their URLs as one JSON line; answers each line
 * on stdin with how often each has struck so far.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import { lines } from "./lines.ts";
import { PESTS } from "./pests.ts";
import { testRelay } from "./test_relay.ts";
import type { RelayScript, TestReq } from "./test_relay_script.ts";

const [, , flooding] = PESTS;
/** Those of `pests.ts`, one that floods whoever tries it, and one whose document never ends. */
const SCRIPTS: readonly ((strike: () => void) => RelayScript)[] = [
  ...PESTS.map(({ onReq }) => (strike: () => void) => ({
    onReq: afterHandshake(onReq, strike),
  })),
  (strike) => ({
    onReq: (req) => {
      strike();
      return flooding!.onReq(req);
    },
  }),
  (strike) => ({
    onGet: (socket) => {
      strike();
      dripChunks(socket);
    },
  }),
];

await using stack = new AsyncDisposableStack();
const strikes = SCRIPTS.map(() => 0);
const urls: string[] = [];
for (const [n, script] of SCRIPTS.entries()) {
  const relay = await testRelay(script(() => void strikes[n]!++));
  urls.push(stack.use(relay).url);
}
print(urls);
for await (const _ of lines(Deno.stdin.readable)) print(strikes);

/** The first to connect is served, as nobody syncs a relay that has not answered. */
function afterHandshake(
  onReq: (req: TestReq) => void | Promise<void>,
  strike: () => void,
) {
  return (req: TestReq) => {
    if (req.connection === 1) return req.serve();
    strike();
    return onReq(req);
  };
}

/** Chunks of one character each, with 8,000 characters of extension: what costs much is never in the body. */
function dripChunks(socket: Duplex): void {
  socket.write(
    "HTTP/1.1 200 OK\r\nContent-Type: application/nostr+json\r\n" +
      "Transfer-Encoding: chunked\r\n\r\n",
  );
  const chunk = `1;${"x".repeat(8_000)}\r\n{\r\n`;
  const chunks = Buffer.from(chunk.repeat(32));
  const go = () => {
    while (!socket.destroyed && socket.write(chunks));
    if (!socket.destroyed) socket.once("drain", go);
  };
  go();
}

function print(value: unknown): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(value)}\n`));
}
