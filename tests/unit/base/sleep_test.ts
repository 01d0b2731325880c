import { equal, ok } from "node:assert/strict";
import { backoffMs } from "../../../src/base/backoff.ts";
import { sleep } from "../../../src/base/sleep.ts";

Deno.test("sleep() waits, and returns at once when the signal aborts or has aborted", async () => {
  const never = new AbortController();
  const startedAt = performance.now();
  await sleep(50, never.signal);
  ok(performance.now() - startedAt >= 45);
  const stop = new AbortController();
  const sleeping = sleep(3_600_000, stop.signal);
  stop.abort();
  await sleeping;
  await sleep(3_600_000, stop.signal);
  await sleep(-5, never.signal);
});

Deno.test("backoffMs() doubles up to its bound, jitter included", () => {
  const steady = { initialMs: 100, maxMs: 1_000, jitter: 0 };
  const waits = [1, 2, 3, 4, 5, 6, 1_000].map((attempt) =>
    backoffMs(attempt, steady)
  );
  equal(waits.join(), "100,200,400,800,1000,1000,1000");
  equal(backoffMs(0, steady), 100);
  for (let i = 0; i < 100; i++) {
    const wait = backoffMs(4, { ...steady, jitter: 0.5 });
    ok(wait > 400 && wait <= 800, String(wait));
  }
});
