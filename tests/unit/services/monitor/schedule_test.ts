import assert from "node:assert/strict";
import {
  impatient,
  secondsUntilNext,
} from "../../../../src/services/monitor/schedule.ts";

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

Deno.test("impatient() never waits longer than for a relay that is online, nor longer than the schedule", () => {
  const waits = [1, 3, 60].map((n) => secondsUntilNext(n, impatient(SCHEDULE)));
  assert.deepEqual(waits, [600, 2_400, 3_600]);
  const short = { ...SCHEDULE, maxRetrySeconds: 700 };
  assert.equal(secondsUntilNext(60, impatient(short)), 700);
});
