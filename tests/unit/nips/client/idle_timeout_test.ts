import assert from "node:assert/strict";
import { IdleTimeout } from "../../../../src/nips/client/idle_timeout.ts";

Deno.test("IdleTimeout ends after so much silence, and says so once", async () => {
  const { lost } = await waitFor({ idleTimeoutMs: 30 });
  assert.equal(lost, "nothing came for 30 ms");
});

Deno.test("IdleTimeout ends after so much time in all, however much comes", async () => {
  let beats = 0;
  const { lost } = await waitFor({ totalTimeoutMs: 100 }, (timeout) => {
    const beat = setInterval(() => {
      beats += 1;
      timeout.heard();
    }, 5);
    return () => clearInterval(beat);
  });
  assert.equal(lost, "not finished within 100 ms");
  assert(beats > 1);
});

Deno.test("IdleTimeout does not count the time in which we do not listen", async () => {
  let isWithholding = true;
  const free = setTimeout(() => isWithholding = false, 150);
  const { ms } = await waitFor({
    idleTimeoutMs: 20,
    isWithholding: () => isWithholding,
  });
  clearTimeout(free);
  assert(ms >= 150, `given up after ${ms} ms`);
});

Deno.test("IdleTimeout waits for what is behind our own computing", async () => {
  const { lost } = await waitFor({ idleTimeoutMs: 20, totalTimeoutMs: 400 }, (
    timeout,
  ) => {
    // The message is there before the silence is over, and is read after it.
    const heard = setTimeout(() => timeout.heard(), 15);
    const busyUntil = performance.now() + 60;
    while (performance.now() < busyUntil);
    const beat = setInterval(() => timeout.heard(), 1);
    return () => {
      clearTimeout(heard);
      clearInterval(beat);
    };
  });
  assert.equal(lost, "not finished within 400 ms");
});

Deno.test("IdleTimeout expects within another time when it is told so, and nothing when it is stopped", async () => {
  const { lost } = await waitFor({ idleTimeoutMs: 60_000 }, (timeout) => {
    timeout.expectWithin(25);
    return () => {};
  });
  assert.equal(lost, "nothing came for 25 ms");
  const stopped = new IdleTimeout({
    idleTimeoutMs: 1,
    totalTimeoutMs: Infinity,
    isWithholding: () => false,
    lost: () => assert.fail("it was stopped"),
  });
  stopped.stop();
  await new Promise((resolve) => setTimeout(resolve, 60));
});

/** Runs one until it says what was waited for in vain. */
async function waitFor(
  options: {
    readonly idleTimeoutMs?: number;
    readonly totalTimeoutMs?: number;
    readonly isWithholding?: () => boolean;
  },
  begin: (timeout: IdleTimeout) => () => void = () => () => {},
): Promise<{ readonly lost: string; readonly ms: number }> {
  const startedAt = performance.now();
  const { promise, resolve } = Promise.withResolvers<string>();
  const timeout = new IdleTimeout({
    idleTimeoutMs: 60_000,
    totalTimeoutMs: Infinity,
    isWithholding: () => false,
    lost: resolve,
    ...options,
  });
  const end = begin(timeout);
  const lost = await promise;
  end();
  return { lost, ms: performance.now() - startedAt };
}
