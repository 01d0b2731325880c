import assert from "node:assert/strict";
import { ConnectionRate } from "../../../src/transport/connection_limits.ts";

Deno.test("ConnectionRate never lets more than its number through in any minute", () => {
  const rate = new ConnectionRate(60, 0);
  const opened: number[] = [];
  // As many as possible for three minutes: each connection is made when it may be.
  for (let nowMs = 0; nowMs < 180_000;) {
    nowMs += rate.reserve(nowMs);
    opened.push(nowMs);
  }
  assert.equal(opened.filter((at) => at === 0).length, 10);
  for (const start of opened) {
    const inMinute = opened.filter((at) => at >= start && at < start + 60_000);
    assert(inMinute.length <= 60, `${inMinute.length} from ${start}`);
  }
  assert(opened.length > 150);
});

Deno.test("ConnectionRate lets who waited long enough through at once", () => {
  const rate = new ConnectionRate(6, 0);
  assert.equal(rate.reserve(0), 0);
  const waitMs = rate.reserve(0);
  assert(waitMs > 0);
  assert.equal(rate.reserve(2 * waitMs + 1), 0);
});
