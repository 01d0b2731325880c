import assert from "node:assert/strict";
import { dueAt } from "../../../../src/services/finder/api_history.ts";

const SECONDS = { cooldownSeconds: 86_400, retrySeconds: 600 };

Deno.test("dueAt() lets a source that was never asked be asked at once", () => {
  const never = { succeededAt: 0, failedAt: 0, failures: 0 };
  assert.equal(dueAt(never, SECONDS), 0);
});

Deno.test("dueAt() waits for the cooldown after a success", () => {
  const history = { succeededAt: 1_000, failedAt: 0, failures: 0 };
  assert.equal(dueAt(history, SECONDS), 87_400);
});

Deno.test("dueAt() waits longer with each failure, and never longer than the cooldown", () => {
  const after = (failures: number) =>
    dueAt({ succeededAt: 0, failedAt: 1_000, failures }, SECONDS) - 1_000;
  assert.deepEqual([1, 2, 3, 20].map(after), [600, 1_200, 2_400, 86_400]);
});

Deno.test("dueAt() lets a failure shorten no cooldown", () => {
  const history = { succeededAt: 1_000, failedAt: 1_100, failures: 1 };
  assert.equal(dueAt(history, SECONDS), 87_400);
});
