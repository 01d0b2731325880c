import assert from "node:assert/strict";
import { Pauses } from "../../../../src/core/lifecycle/pauses.ts";
import {
  untilMoment,
  within,
} from "../../../../src/core/lifecycle/time_limit.ts";

const NEVER = new AbortController().signal;

Deno.test("untilMoment() aborts the work at its moment", async () => {
  const endsAtMs = performance.now() + 1;
  await untilMoment(endsAtMs, NEVER, aborted);
  assert.ok(performance.now() >= endsAtMs - 1);
});

Deno.test("untilMoment() aborts the work at once when its moment has passed", async () => {
  await untilMoment(performance.now() - 1, NEVER, (signal) => {
    assert.ok(signal.aborted);
    return Promise.resolve();
  });
});

Deno.test("untilMoment() passes the outer signal on, and what the work gives", async () => {
  const outer = new AbortController();
  const moment = performance.now() + 3_600_000;
  const work = untilMoment(moment, outer.signal, async (signal) => {
    await aborted(signal);
    return "done";
  });
  outer.abort();
  assert.equal(await work, "done");
});

Deno.test("within() gives what comes in time, and does not wait for what does not", async () => {
  const never = new Promise<string>(() => {});
  assert.equal(await within(3_600_000, Promise.resolve("it"), NEVER), "it");
  assert.equal(await within(1, never, NEVER), undefined);
  assert.equal(await within(3_600_000, never, AbortSignal.abort()), undefined);
});

Deno.test("Pauses leaves a lane alone for its time, and says only once that it began", async () => {
  const pauses = new Pauses<"tor" | "i2p">();
  assert.equal(pauses.begin("tor", 3_600_000), true);
  assert.equal(pauses.begin("tor", 3_600_000), false);
  assert.equal(pauses.has("tor"), true);
  assert.equal(pauses.has("i2p"), false);
  pauses.begin("i2p", 1);
  while (pauses.has("i2p")) await new Promise((tick) => setTimeout(tick));
  assert.equal(pauses.begin("i2p", 1), true);
});

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) =>
    signal.addEventListener("abort", () => resolve())
  );
}
