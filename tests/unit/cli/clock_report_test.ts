import assert from "node:assert/strict";
import { clockText } from "../../../src/cli/reports/clock_report.ts";

function service(clockSkewSeconds: number | null) {
  return {
    service: "monitor",
    state: "running",
    process: "far/7",
    uptimeSeconds: 1,
    clockSkewSeconds,
    runtime: null,
  } as const;
}

Deno.test("clockText() warns of this machine's clock and of those of others, beyond what a late record explains", () => {
  const services = [null, 0, 10, -10, -3_600].map(service);
  assert.deepEqual(clockText({ clockSkewSeconds: 5, services }), [
    "WARNING: the clock of monitor on far/7 is 60 min behind the database's: synchronizers there prove nothing complete\n",
  ]);
  assert.deepEqual(clockText({ clockSkewSeconds: 7_200, services: [] }), [
    "WARNING: the clock of this machine is 2.0 h ahead of the database's: synchronizers there prove nothing complete\n",
  ]);
});
