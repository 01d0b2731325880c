import assert from "node:assert/strict";
import { readMessages } from "../../../../src/nips/client/message_loop.ts";
import { newStats } from "../../../../src/nips/client/relay_client.ts";
import type { RelaySocket } from "../../../../src/transport/websocket/relay_socket.ts";
import type { RelayFailure } from "../../../../src/transport/failure.ts";
import { relayAt } from "../../../support/dialing.ts";

const EVENT = '["EVENT","mine",{"id":"x"}]';

Deno.test("readMessages() hands on what is known, in order, and counts the rest", async () => {
  const { handed, stats, end } = await read([
    [EVENT, "<html>", '["EOSE","mine"]'],
    ['["WHAT",1]', '["NOTICE","hi"]'],
  ]);
  assert.deepEqual(handed, ["EVENT", "EOSE", "NOTICE"]);
  const { messages, garbage, unknown, unknownBytes } = stats;
  assert.deepEqual([messages, garbage, unknown, unknownBytes], [5, 1, 1, 16]);
  assert.equal(end.code, "aborted");
});

Deno.test("readMessages() asks whose a long event is before it is parsed", async () => {
  const long = (subId: string) =>
    `["EVENT","${subId}",{"content":"${"x".repeat(5_000)}"}]`;
  const { handed, stats } = await read([[long("mine"), long("over")]]);
  assert.equal(handed.length, 1);
  assert.equal(stats.late, 1);
  assert.equal(stats.lateBytes, long("over").length);
});

Deno.test("readMessages() hangs up on garbage, on the unknown and on what is for nobody, by count or by size", async () => {
  const large = `["X","${"x".repeat(1_000_000)}"]`;
  const late = `["EVENT","over",{"content":"${"x".repeat(5_000)}"}]`;
  const floods = [
    [Array(1_001).fill("<html>"), /1000 messages are not Nostr/],
    [Array(10_001).fill('["X"]'), /10000 messages or .* of no use/],
    [Array(9).fill(large), /8388608 bytes are of no use/],
    [Array(20_001).fill(late), /20000 events or .* for no subscription/],
  ] as const;
  for (const [batch, why] of floods) {
    const { end, status } = await read([batch, [EVENT]]);
    assert(end.code === "protocol");
    assert.match(end.detail, why);
    assert.equal(status, 1008);
  }
});

Deno.test("readMessages() reads a relay that sends nothing of use a twentieth of the time", async () => {
  const waste = Array(20).fill(`["X","${"x".repeat(10_000)}"]`);
  const { ms } = await read([waste, waste, waste]);
  // 200,000 characters cost a millisecond by the book, each time.
  assert(ms >= 2 * 19, `${ms} ms`);
});

/** Reads these batches from a socket that then ends. */
async function read(batches: readonly (readonly string[])[]) {
  const stats = newStats();
  const handed: string[] = [];
  let status: number | undefined;
  const closed = Promise.withResolvers<RelayFailure>();
  const socket: RelaySocket = {
    relay: relayAt("ws://127.0.0.1:7777"),
    openMs: 0,
    address: null,
    tls: null,
    headers: {},
    maxMessageBytes: 1e9,
    closed: closed.promise,
    send: () => true,
    ping: () => Promise.resolve(null),
    close(given) {
      status = given;
      return Promise.resolve();
    },
    async *[Symbol.asyncIterator]() {
      yield* batches;
      // After the reader has rested from the last one.
      setTimeout(() => closed.resolve({ code: "aborted" }), 100);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const startedAt = performance.now();
  let restedMs = 0;
  const end = await readMessages(socket, {
    maxEventBytes: 100_000,
    stats,
    awaits: (subId) => subId === "mine",
    begin: () => restedMs = performance.now() - startedAt,
    take: ({ type }) => handed.push(type),
    room: () => null,
  });
  // From the first batch to the last.
  return { stats, handed, end, status, ms: restedMs };
}
