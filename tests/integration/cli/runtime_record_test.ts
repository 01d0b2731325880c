import assert from "node:assert/strict";
import { getState } from "../../../src/archive/service_state.ts";
import {
  openRuntimeRecord,
  RUNTIME_STATE,
} from "../../../src/cli/runtime_record.ts";
import type { ServiceRuntime } from "../../../src/core/lifecycle/runtime.ts";
import { type TestArchive, testArchive } from "../../support/archive.ts";
import { silentLogger } from "../../support/silent_logger.ts";

const NOW = 1_790_000_000;

function runtime(change: Partial<ServiceRuntime>): ServiceRuntime {
  return {
    startedAt: NOW,
    updatedAt: NOW,
    cycles: 0,
    failures: 0,
    consecutiveFailures: 0,
    intervalSeconds: 1,
    cycleStartedAt: null,
    lastSuccessAt: null,
    lastCycleAt: null,
    lastCycleSeconds: null,
    lastError: null,
    running: true,
    ...change,
  };
}

/** What is in the database. */
async function written({ database }: TestArchive): Promise<unknown> {
  const [row] = await getState(database, {
    serviceName: "quick",
    stateType: RUNTIME_STATE,
  });
  return row?.value;
}

Deno.test("of cycles that follow each other quickly only some are written down, and whatever changes more", async () => {
  await using archive = await testArchive();
  await using record = openRuntimeRecord(archive.database, silentLogger());
  const put = async (change: Partial<ServiceRuntime>) => {
    const now = runtime(change);
    await record.put("quick", now);
    assert.deepEqual(record.runtimes.get("quick"), now);
    return now;
  };
  const first = await put({});
  assert.deepEqual(await written(archive), first);
  await put({ cycles: 1, updatedAt: NOW + 1, cycleStartedAt: NOW + 1 });
  await put({ cycles: 2, updatedAt: NOW + 2 });
  await put({ cycles: 9, updatedAt: NOW + 20, cycleStartedAt: NOW + 20 });
  assert.deepEqual(await written(archive), first);
  for (
    const change of [
      { cycles: 10, updatedAt: NOW + 21 },
      { cycles: 11, updatedAt: NOW + 22, consecutiveFailures: 1 },
      { cycles: 12, updatedAt: NOW + 23 },
      { cycles: 13, updatedAt: NOW + 24, running: false },
    ]
  ) {
    const now = await put(change);
    assert.deepEqual(await written(archive), now, `${change.cycles}`);
  }
  // Cycles of a minute are all written down.
  await put({ cycles: 14, updatedAt: NOW + 25, intervalSeconds: 60 });
  const last = await put({
    cycles: 15,
    updatedAt: NOW + 26,
    intervalSeconds: 60,
    cycleStartedAt: NOW + 26,
  });
  assert.deepEqual(await written(archive), last);
});
