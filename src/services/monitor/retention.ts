/**
 * Retention: what the monitor gathered does not pile up for ever. Once a day the oldest goes, page by page.
 *
 * @module
 */
import { z } from "zod";
import { databaseClock } from "../../archive/clock.ts";
import { cleanup } from "../../archive/maintenance.ts";
import { getState, upsertState } from "../../archive/service_state.ts";
import type { Context } from "../../core/lifecycle/service.ts";
import type { MonitorConfig } from "./config.ts";

const CHECKPOINT = {
  serviceName: "monitor",
  stateType: "checkpoint",
  stateKey: "retention",
} as const;

/** Unix seconds by the database's clock. */
const checkpointValue = z.object({ startedAt: z.number() });

const DAY_SECONDS = 86_400;

/** Rows looked at by one statement: long enough to be quick, short enough for others not to notice. */
const BATCH_SIZE = 5_000;

/** Rolls up checks, then deletes checks, superseded documents and rejections beyond their age, unless some monitor did so within a day. */
export async function expireDaily(ctx: Context<MonitorConfig>): Promise<void> {
  const { config: { retention }, database, log, signal } = ctx;
  const { now } = await databaseClock(database);
  const [state] = await getState(database, CHECKPOINT);
  const last = checkpointValue.safeParse(state?.value);
  const age = last.success ? now - last.data.startedAt : Infinity;
  // In the future it was noted by a clock that was wrong.
  if (age >= 0 && age < DAY_SECONDS) return;

  // Noted first: whoever is next need not begin as well. Twice would do no harm either.
  await upsertState(database, [{ ...CHECKPOINT, value: { startedAt: now } }]);
  const deleted = await cleanup(database, {
    ...retention,
    maxCandidateFailures: null,
    orphanEvents: false,
    batchSize: BATCH_SIZE,
    signal,
  });
  const { checks, checkHours, relayMetadata, rejected } = deleted;
  log.info("old data deleted", {
    checks,
    checkHours,
    relayMetadata,
    rejected,
    documents: deleted.orphanMetadata,
  });
}
