/**
 * The text of `status` in terminals of any width.
 *
 * @module
 */
import { equal, ok } from "node:assert/strict";
import { reportText } from "../../../src/cli/commands/status.ts";
import { pipelineReport } from "../../../src/cli/reports/pipeline_report.ts";
import { testArchive } from "../../support/archive.ts";

Deno.test("status keeps within the terminal, and shows the whole last error of a service below its table", async () => {
  await using archive = await testArchive();
  const report = await pipelineReport(archive.database);
  const lastError = "Cannot find candidates, word by word, ".repeat(5).trim();
  const services = [{
    service: "finder",
    state: "running" as const,
    process: "host/1",
    uptimeSeconds: 123_456,
    clockSkewSeconds: 0,
    runtime: {
      startedAt: report.at - 123_456,
      updatedAt: report.at,
      cycles: 12_345,
      failures: 1,
      consecutiveFailures: 1,
      intervalSeconds: 60,
      cycleStartedAt: null,
      lastSuccessAt: report.at - 100,
      lastCycleAt: report.at - 10,
      lastCycleSeconds: 3,
      lastError,
      running: true,
    },
  }];
  for (const columns of [60, 80, 200]) {
    const text = reportText({ ...report, services }, columns);
    for (const line of text.split("\n")) ok(line.length <= columns, line);
    const [, errors = ""] = text.split("last errors\n");
    equal(
      errors.replace(/\s+/g, " ").trim(),
      `finder ${lastError}`,
      `${columns}`,
    );
  }
});
