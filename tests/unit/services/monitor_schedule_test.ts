import assert from "node:assert/strict";
import { secondsUntilNext } from "../../../src/services/monitor/schedule.ts";

const SCHEDULE = {
  everySeconds: 3_600,
  retrySeconds: 600,
  maxRetrySeconds: 5_000,
  jitter: 0,
};

Deno.test("secondsUntilNext() is the regular interval after a success", () => {
  assert.equal(secondsUntilNext(0, SCHEDULE), 3_600);
});

Deno.test("secondsUntilNext() doubles with each failure in a row up to its bound", () => {
  const waits = [1, 2, 3, 4, 5, 60].map((n) => secondsUntilNext(n, SCHEDULE));
  assert.deepEqual(waits, [600, 1_200, 2_400, 4_800, 5_000, 5_000]);
});

Deno.test("secondsUntilNext() spreads relays by its jitter", () => {
  const waits = Array.from(
    { length: 500 },
    () => secondsUntilNext(0, { ...SCHEDULE, jitter: 0.5 }),
  );
  assert.ok(waits.every((wait) => wait >= 1_800 && wait <= 3_600));
  assert.ok(new Set(waits).size > 100);
});
