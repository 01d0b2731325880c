import assert from "node:assert/strict";
import { MessageQueue } from "../../../../src/transport/websocket/message_queue.ts";

Deno.test("MessageQueue gives all that came since the last turn", async () => {
  const queue = new MessageQueue(() => {});
  queue.push("a");
  queue.push("b");
  assert.deepEqual(await queue.next(), { done: false, value: ["a", "b"] });
  const waiting = queue.next();
  queue.push("c");
  queue.push("d");
  assert.deepEqual(await waiting, { done: false, value: ["c", "d"] });
});

Deno.test("MessageQueue gives what is left before it ends", async () => {
  const queue = new MessageQueue(() => {});
  queue.push("last");
  queue.end();
  queue.push("too late");
  assert.deepEqual(await queue.next(), { done: false, value: ["last"] });
  assert.equal((await queue.next()).done, true);
  const empty = new MessageQueue(() => {});
  const waiting = empty.next();
  empty.end();
  assert.equal((await waiting).done, true);
});

Deno.test("MessageQueue says when it is full, and when it was emptied", async () => {
  let drained = 0;
  const queue = new MessageQueue(() => drained++);
  queue.push("small");
  assert.equal(queue.isFull, false);
  await queue.next();
  assert.equal(drained, 0);
  queue.push("x".repeat(2_000_000));
  assert.equal(queue.isFull, true);
  await queue.next();
  assert.equal(queue.isFull, false);
  assert.equal(drained, 1);
  // Empty messages take room, too.
  for (let i = 0; i < 100_000; i++) queue.push("");
  assert.equal(queue.isFull, true);
});
