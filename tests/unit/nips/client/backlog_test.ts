import assert from "node:assert/strict";
import { Backlog } from "../../../../src/nips/client/backlog.ts";

Deno.test("Backlog stops at its bound, and goes on at half of it", async () => {
  const backlog = new Backlog(() => 100);
  backlog.add(99);
  assert.equal(backlog.room(), null);
  backlog.add(1);
  const room = backlog.room();
  assert.notEqual(room, null);
  assert.equal(backlog.isStalled, true);
  assert.equal(backlog.take(49), false);
  assert.equal(backlog.isStalled, true);
  assert.equal(backlog.take(1), true);
  await room;
  assert.equal(backlog.isStalled, false);
  assert.equal(backlog.take(1), false, "it goes on once");
});

Deno.test("Backlog asks for its bound each time, as others share it", () => {
  let max = 100;
  const backlog = new Backlog(() => max);
  backlog.add(60);
  assert.equal(backlog.room(), null);
  max = 50;
  assert.notEqual(backlog.room(), null);
  backlog.close();
});

Deno.test("Backlog keeps nobody waiting when it is closed", async () => {
  const backlog = new Backlog(() => 1);
  backlog.add(2);
  const room = backlog.room();
  backlog.close();
  await room;
  assert.equal(backlog.room(), null);
});
