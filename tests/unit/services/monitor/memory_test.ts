import assert from "node:assert/strict";
import { monitorConfig } from "../../../../src/services/monitor/config.ts";
import {
  dueChecks,
  readMemory,
} from "../../../../src/services/monitor/memory.ts";

const NOW = 1_800_000_000;

const CONFIG = monitorConfig.parse({
  schedule: { everySeconds: 600 },
  checks: { nip11: { everySeconds: 3_000 }, http: { everySeconds: 3_000 } },
});

Deno.test("dueChecks() gives what is due nearer to this visit than to the next, and what only a wrong clock has put off", () => {
  const isDue = (dueAt: number) => {
    const memory = readMemory({ checks: { nip11: { dueAt, failures: 0 } } });
    return dueChecks(memory, CONFIG, NOW).has("nip11");
  };
  assert.equal(isDue(NOW), true);
  assert.equal(isDue(NOW + 300), true);
  assert.equal(isDue(NOW + 301), false);
  assert.equal(isDue(NOW + 3_000), false);
  assert.equal(isDue(NOW + 3_001), true, "no interval is that long");
  assert.equal(isDue(NOW + 30 * 86_400), true);
});
