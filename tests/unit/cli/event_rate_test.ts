import assert from "node:assert/strict";
import { eventRate } from "../../../src/cli/event_rate.ts";

Deno.test("eventRate() is what came since the call before, by the time that took", () => {
  let now = 0;
  const rate = eventRate(() => now);
  const rates = [[0, 500], [2_000, 700], [2_000, 900], [4_500, 1_400], [
    5_500,
    1_300,
  ]].map(([atMs = 0, count = 0]) => {
    now = atMs;
    return rate(count);
  });
  // Nobody knows at first; no time, no rate; a large table is estimated and may seem to shrink.
  assert.deepEqual(rates, [0, 100, 0, 200, 0]);
});
