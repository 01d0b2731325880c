import assert from "node:assert/strict";
import { ReadScheduler } from "../../../../src/archive/reading/read_scheduler.ts";

const { signal } = new AbortController();

Deno.test("ReadScheduler lets the query that has worked the least go on", async () => {
  const scheduler = new ReadScheduler(1);
  const order: string[] = [];
  const first = Promise.withResolvers<void>();
  const step = (name: string, spent: number) =>
    scheduler.run({ spent, signal }, () => {
      order.push(name);
      return name === "running" ? first.promise : Promise.resolve();
    });
  const all = [
    step("running", 0),
    step("long", 5_000),
    step("longer", 9_000),
    step("short", 10),
    step("as short", 10),
  ];
  first.resolve();
  await Promise.all(all);
  assert.deepEqual(order, ["running", "short", "as short", "long", "longer"]);
});

Deno.test("ReadScheduler gives a permit back when a step fails", async () => {
  const scheduler = new ReadScheduler(1);
  const step = { spent: 0, signal };
  const fault = new Error("fault");
  await assert.rejects(scheduler.run(step, () => Promise.reject(fault)), fault);
  assert.equal(await scheduler.run(step, () => Promise.resolve(1)), 1);
});

Deno.test("ReadScheduler lets a step that waits be given up", async () => {
  const scheduler = new ReadScheduler(1);
  const running = Promise.withResolvers<void>();
  const first = scheduler.run({ spent: 0, signal }, () => running.promise);
  const leaving = new AbortController();
  const reason = new Error("left");
  const second = scheduler.run(
    { spent: 0, signal: leaving.signal },
    () => assert.fail("it was given up"),
  );
  leaving.abort(reason);
  await assert.rejects(second, reason);
  running.resolve();
  await first;
  assert.equal(
    await scheduler.run({ spent: 0, signal }, () => Promise.resolve(3)),
    3,
  );
});
