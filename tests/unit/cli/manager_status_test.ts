import assert from "node:assert/strict";
import { archiveText, failuresText } from "../../../src/cli/manager_status.ts";
import {
  NO_COVERAGE,
  pipelineCountsWith,
  runtimeWith,
} from "../../support/pipeline_counts.ts";

Deno.test("the line of systemctl status is about relays, events, lag and gaps", () => {
  const coverage = { ...NO_COVERAGE, medianLagSeconds: 240, gaps: 1 };
  const counts = pipelineCountsWith({
    relays: { total: 1_204, online: 980 },
    events: { count: 12_345_678, exact: false },
    coverage,
  });
  assert.equal(
    archiveText(counts, 210.4),
    "980 of 1,204 relays online, about 12,345,678 events (+210/s), 4 min behind, 1 gap",
  );
  assert.equal(
    archiveText(pipelineCountsWith({}), 0),
    "0 of 0 relays online, 0 events (+0/s), nothing proven yet, 0 gaps",
  );
});

Deno.test("services that fail are named with the reason, and no others", () => {
  const failing = runtimeWith({ consecutiveFailures: 1, lastError: "no DNS" });
  const runtimes = new Map([["finder", runtimeWith()], ["monitor", failing]]);
  assert.equal(
    failuresText(runtimes),
    "monitor failed 1 time in a row: no DNS",
  );
});
