import assert from "node:assert/strict";
import { LiveBackoff } from "../../../../../src/services/synchronizer/live/backoff.ts";

Deno.test("LivePatience forgives a broken line, and ever less so one that breaks all the time", () => {
  const patience = new LiveBackoff();
  const breaks = () =>
    patience.ended(1, { reason: "disconnected", seconds: 5 }, 900);
  const waits = Array.from({ length: 12 }, breaks);
  assert.ok(waits[0]! >= 2.5 && waits[0]! <= 5, `${waits[0]}`);
  assert.ok(waits.at(-1)! > 400 && waits.at(-1)! <= 900, `${waits.at(-1)}`);
  assert.ok(!patience.mayGoLive(1));
  assert.ok(patience.mayGoLive(2));
});

Deno.test("LivePatience lets a relay be live again at once after its line broke once, or after a long time", () => {
  const patience = new LiveBackoff();
  for (let i = 0; i < 9; i++) {
    patience.ended(1, { reason: "disconnected", seconds: 3_600 }, 900);
    assert.ok(patience.mayGoLive(1));
  }
});

Deno.test("LivePatience gives a relay a rest that is no good live, and forgets it when it was", () => {
  const patience = new LiveBackoff();
  for (const reason of ["flood", "useless", "closed", "silent"] as const) {
    patience.ended(1, { reason, seconds: 3_600 }, 900);
    assert.ok(!patience.mayGoLive(1), reason);
    assert.equal(patience.ended(1, { reason: "recheck", seconds: 1 }, 900), 0);
    assert.ok(patience.mayGoLive(1));
  }
  assert.equal(patience.ended(1, { reason: "lost", seconds: 1 }, 900), 0);
  assert.equal(patience.ended(1, { reason: "stopped", seconds: 1 }, 900), 0);
  assert.ok(patience.mayGoLive(1));
});
