import assert from "node:assert/strict";
import { PingTracker } from "../../../../src/transport/websocket/ping_tracker.ts";

Deno.test("PingBook tells each ping how many messages came before its answer", async () => {
  const book = new PingTracker();
  const [one, two, three] = [book.open(), book.open(), book.open()];
  // Peers may answer the last one only.
  book.answer(two.mark, 7);
  assert.deepEqual(await Promise.all([one.answered, two.answered]), [7, 7]);
  book.answer(two.mark, 8);
  book.answer(new Uint8Array(), 9);
  book.answer(Uint8Array.of(9, 9, 9, 9), 10);
  book.endAll();
  assert.equal(await three.answered, null);
});
