import assert from "node:assert/strict";
import { eventId } from "../../../src/models/event.ts";
import { minePow } from "../../../src/nips/nip13.ts";

const event = {
  pubkey: "a".repeat(64),
  created_at: 1_750_000_000,
  kind: 22_456,
  tags: [["d", "x"]],
  content: "",
};
const signal = new AbortController().signal;

Deno.test("minePow() finds an id with the wanted zeros, and commits to the number", async () => {
  const bounds = { difficulty: 10, timeoutMs: 60_000, signal };
  const mined = await minePow(event, bounds);
  assert(mined !== null);
  assert.match(eventId(mined), /^00[0-3]/);
  assert.deepEqual(mined.tags[0], ["d", "x"]);
  assert.deepEqual(mined.tags[1]?.toSpliced(1, 1), ["nonce", "10"]);
});

Deno.test("minePow() gives up in time, and when told to", async () => {
  const hopeless = { difficulty: 200, timeoutMs: 1, signal };
  assert.equal(await minePow(event, hopeless), null);
  const aborted = {
    ...hopeless,
    timeoutMs: 60_000,
    signal: AbortSignal.abort(),
  };
  assert.equal(await minePow(event, aborted), null);
});
