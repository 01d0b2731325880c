import assert from "node:assert/strict";
import { TokenBucket } from "../../../src/base/token_bucket.ts";

Deno.test("LiveBudget bears so much at once, and no more when it is spent", () => {
  const budget = new TokenBucket({ capacity: 10, perSecond: 0 });
  assert.ok(budget.spend(6));
  assert.ok(budget.spend(4));
  assert.ok(!budget.spend(1));
});

Deno.test("LiveBudget is filled again with time, up to its capacity", () => {
  const budget = new TokenBucket({ capacity: 10, perSecond: 1e9 });
  for (let i = 0; i < 5; i++) assert.ok(budget.spend(10));
  assert.ok(!budget.spend(11));
});
