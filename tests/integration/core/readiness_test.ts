import { deepStrictEqual, equal, match } from "node:assert/strict";
import { readiness } from "../../../src/core/lifecycle/readiness.ts";
import type { ServiceRuntime } from "../../../src/core/lifecycle/runtime.ts";
import { testArchive } from "../../support/archive.ts";
import { scratchDatabase } from "../../support/postgres.ts";

const NOW = Math.floor(Date.now() / 1_000);

/** A service that did its last cycle a minute ago, and what is different. */
function runtime(change: Partial<ServiceRuntime> = {}): ServiceRuntime {
  return {
    startedAt: NOW - 7_200,
    updatedAt: NOW,
    cycles: 24,
    failures: 0,
    consecutiveFailures: 0,
    intervalSeconds: 300,
    cycleStartedAt: null,
    lastSuccessAt: NOW - 60,
    lastCycleAt: NOW - 60,
    lastCycleSeconds: 2,
    lastError: null,
    running: true,
    ...change,
  };
}

Deno.test("a process is ready when its database answers and its services are fresh", async () => {
  await using archive = await testArchive();
  const problems = async (change: Partial<ServiceRuntime>) =>
    (await readiness(archive.database, new Map([["finder", runtime(change)]])))
      .problems;

  deepStrictEqual(await problems({}), []);
  // A first sync may take hours.
  const working = { cycleStartedAt: NOW - 7_000, lastSuccessAt: null };
  deepStrictEqual(await problems(working), []);
  deepStrictEqual(await problems({ running: false, lastSuccessAt: null }), []);
  const failing = { consecutiveFailures: 2, lastError: "no luck" };
  deepStrictEqual(await problems(failing), [
    "finder: 2 cycles in a row failed: no luck",
  ]);
  const [stale = ""] = await problems({ lastSuccessAt: NOW - 3_600 });
  match(stale, /^finder: last successful cycle ended 36\d\d s ago$/);
});

Deno.test("a process is not ready when its database does not answer, and says so within seconds", async () => {
  const scratch = await scratchDatabase();
  await using database = await scratch.open();
  await scratch[Symbol.asyncDispose]();
  const { problems, facts } = await readiness(database, new Map());
  equal(problems.length, 1);
  match(problems[0] ?? "", /^database: ./);
  deepStrictEqual(facts["services"], {});
});
