import assert from "node:assert/strict";
import {
  clockFrom,
  isSkewed,
  MAX_SKEW_SECONDS,
} from "../../../src/archive/clock.ts";
import { shiftClock } from "../../support/shifted_clock.ts";

Deno.test("isSkewed() begins beyond what is allowed, on both sides", () => {
  const skewed = [MAX_SKEW_SECONDS, -MAX_SKEW_SECONDS, 5.001, -5.001].map(
    (skewSeconds) => isSkewed({ skewSeconds }),
  );
  assert.deepEqual(skewed, [false, false, true, true]);
});

Deno.test("clockFrom() goes on whatever our clock shows", () => {
  const now = clockFrom(1_000);
  using _clock = shiftClock(86_400);
  assert.ok(now() >= 1_000 && now() < 1_060, `${now()}`);
});
