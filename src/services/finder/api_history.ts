/**
 * History of the sources over HTTP, and when each is asked again.
 *
 * A success is a `checkpoint` of the finder; failures in a row are kept apart, as `failure`.
 *
 * @module
 */
import { z } from "zod";
import type { Executor } from "../../core/database/connection/executor.ts";
import {
  deleteState,
  getState,
  type State,
  type StateKey,
  upsertState,
} from "../../archive/service_state.ts";
import { backoffMs } from "../../base/backoff.ts";
import type { ApiSource } from "./config.ts";

/** History of one source; moments are Unix seconds by the database's clock, 0 for never. */
export interface ApiHistory {
  readonly succeededAt: number;
  readonly failedAt: number;
  /** Since the last success. */
  readonly failures: number;
}

const NOTHING: ApiHistory = { succeededAt: 0, failedAt: 0, failures: 0 };

const checkpointValue = z.object({ timestamp: z.number() });
const failureValue = z.object({ timestamp: z.number(), failures: z.number() });

/** The histories of these sources by URL. What is known about any other is deleted. */
export async function loadHistories(
  database: Executor,
  sources: readonly ApiSource[],
): Promise<Map<string, ApiHistory>> {
  const histories = new Map(sources.map(({ url }) => [url, NOTHING]));
  const states = await loadStates(database);
  const removed: StateKey[] = [];
  for (const state of states) {
    const history = histories.get(state.stateKey);
    if (history === undefined) removed.push(state);
    else histories.set(state.stateKey, { ...history, ...partOf(state) });
  }
  await deleteState(database, removed);
  return histories;
}

/** When a source may be asked (Unix seconds): after its cooldown, and later the more often it failed since. */
export function dueAt(
  history: ApiHistory,
  { cooldownSeconds, retrySeconds }: {
    readonly cooldownSeconds: number;
    readonly retrySeconds: number;
  },
): number {
  const { succeededAt, failedAt, failures } = history;
  const cooled = succeededAt === 0 ? 0 : succeededAt + cooldownSeconds;
  if (failures === 0) return cooled;
  const waitMs = backoffMs(failures, {
    initialMs: retrySeconds * 1_000,
    maxMs: cooldownSeconds * 1_000,
    jitter: 0,
  });
  return Math.max(cooled, failedAt + waitMs / 1_000);
}

/** To be called in the transaction that stores what the source gave. */
export async function rememberSuccess(
  sql: Executor,
  { url }: ApiSource,
  value: { readonly timestamp: number; readonly relays: number },
): Promise<void> {
  await upsertState(sql, [{ ...key("checkpoint", url), value }]);
  await deleteState(sql, [key("failure", url)]);
}

export async function rememberFailure(
  database: Executor,
  { url }: ApiSource,
  value: {
    readonly timestamp: number;
    readonly failures: number;
    readonly reason: string;
  },
): Promise<void> {
  await upsertState(database, [{ ...key("failure", url), value }]);
}

async function loadStates(database: Executor): Promise<readonly State[]> {
  const states = await Promise.all(
    ["checkpoint", "failure"].map((stateType) =>
      getState(database, { serviceName: "finder", stateType })
    ),
  );
  return states.flat();
}

/** The part of a history that a stored state holds; empty when its value is not ours. */
function partOf({ stateType, value }: State): Partial<ApiHistory> {
  if (stateType === "checkpoint") {
    const checkpoint = checkpointValue.safeParse(value);
    return checkpoint.success ? { succeededAt: checkpoint.data.timestamp } : {};
  }
  const failure = failureValue.safeParse(value);
  if (!failure.success) return {};
  return {
    failedAt: failure.data.timestamp,
    failures: failure.data.failures,
  };
}

function key(stateType: string, url: string): StateKey {
  return { serviceName: "finder", stateType, stateKey: url };
}
