import assert from "node:assert/strict";
import { gatherWrites } from "../../../src/base/gather_writes.ts";

Deno.test("gatherWrites() writes a lone item at once and gathers what comes meanwhile", async () => {
  const batches: number[][] = [];
  const first = Promise.withResolvers<void>();
  const add = gatherWrites<number>(async (items) => {
    batches.push([...items]);
    if (batches.length === 1) await first.promise;
  }, { maxItems: 3 });

  const all = [1, 2, 3, 4, 5].map(add);
  first.resolve();
  await Promise.all(all);
  assert.deepEqual(batches, [[1], [2, 3, 4], [5]]);
});

Deno.test("gatherWrites() rejects the items of a failed write and goes on with the next", async () => {
  const add = gatherWrites<string>((items) => {
    if (items.includes("bad")) return Promise.reject(new Error("no"));
    return Promise.resolve();
  }, { maxItems: 1 });

  const outcomes = await Promise.allSettled(["bad", "good"].map(add));
  assert.deepEqual(outcomes.map(({ status }) => status), [
    "rejected",
    "fulfilled",
  ]);
  await add("later");
});
