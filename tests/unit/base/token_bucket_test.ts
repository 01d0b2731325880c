import assert from "node:assert/strict";
import { TokenBucket } from "../../../src/base/token_bucket.ts";

Deno.test("TokenBucket gives its capacity at once, then says how long to wait", () => {
  const bucket = new TokenBucket({ capacity: 10, perSecond: 2 }, 0);
  assert.equal(bucket.take(6, 0), 0);
  assert.equal(bucket.take(4, 0), 0);
  assert.equal(bucket.take(1, 0), 500);
  assert.equal(bucket.take(1, 0), 1_000);
});

Deno.test("TokenBucket pays its debt first, and fills no further than its capacity", () => {
  const bucket = new TokenBucket({ capacity: 10, perSecond: 2 }, 0);
  assert.equal(bucket.take(12, 0), 1_000);
  assert.equal(bucket.take(0, 1_000), 0);
  assert.equal(bucket.take(2, 2_000), 0);
  assert.equal(bucket.take(10, 3_600_000), 0);
  assert.equal(bucket.take(1, 3_600_000), 500);
});
