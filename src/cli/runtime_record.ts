/**
 * How the services of this process are doing, kept in `service_state` for `status` to read.
 *
 * @module
 */
import { unixNow } from "../base/clock.ts";
import { hostname } from "node:os";
import type { Database } from "../core/database/connection/database.ts";
import {
  deleteState,
  getState,
  type NewState,
  type StateKey,
  upsertState,
} from "../archive/service_state.ts";
import type { ServiceRuntime } from "../core/lifecycle/runtime.ts";
import type { Logger } from "../core/log/logger.ts";

/** The `state_type` of these rows; their key names host and process. */
export const RUNTIME_STATE = "runtime";

/** Between cycles the record is renewed this often, so that a dead process can be told from a patient one. */
export const HEARTBEAT_SECONDS = 30;

/** Records of processes that are long gone are dropped by the next that starts. */
const FORGET_AFTER_SECONDS = 7 * 86_400;

/** A database in trouble must not hold up the services: the next heartbeat says the same. */
export const WRITE_DEADLINE_MS = 5_000;

/** Of a service whose cycles follow each other faster, only so many are written down: the others would be more writes than work. */
const WRITE_SECONDS = 10;

export interface RuntimeRecord extends AsyncDisposable {
  readonly runtimes: ReadonlyMap<string, ServiceRuntime>;
  put(service: string, runtime: ServiceRuntime): Promise<void>;
}

/** Starts the heartbeat; disposing ends it and waits for what is being written. */
export function openRuntimeRecord(
  database: Database,
  log: Logger,
): RuntimeRecord {
  const runtimes = new Map<string, ServiceRuntime>();
  const written = new Map<string, ServiceRuntime>();
  const stateKey = `${hostname()}/${Deno.pid}`;
  const row = (service: string, value: ServiceRuntime): NewState => ({
    serviceName: service,
    stateType: RUNTIME_STATE,
    stateKey,
    value,
  });
  let beating = Promise.resolve();
  const timer = setInterval(() => {
    const updatedAt = unixNow();
    const rows = [...runtimes].filter(([, one]) => one.running)
      .map(([service, one]) => row(service, { ...one, updatedAt }));
    beating = beating.then(() => write(database, rows)).catch((error) => {
      log.warn("heartbeat not recorded", { error });
    });
  }, HEARTBEAT_SECONDS * 1_000);
  return {
    runtimes,
    async put(service, runtime) {
      const isFirst = !runtimes.has(service);
      runtimes.set(service, runtime);
      if (!isNews(runtime, written.get(service))) return;
      written.set(service, runtime);
      await write(database, [row(service, runtime)]);
      if (isFirst) await forgetOld(database, service);
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await beating;
    },
  };
}

/** Whether somebody may want to know now: the next heartbeat tells it anyway. */
function isNews(
  runtime: ServiceRuntime,
  written: ServiceRuntime | undefined,
): boolean {
  if (written === undefined || runtime.intervalSeconds >= WRITE_SECONDS) {
    return true;
  }
  const { running, consecutiveFailures, cycleStartedAt, updatedAt } = runtime;
  if (!running || consecutiveFailures !== written.consecutiveFailures) {
    return true;
  }
  return cycleStartedAt === null &&
    Math.abs(updatedAt - written.updatedAt) >= WRITE_SECONDS;
}

async function write(
  database: Database,
  rows: readonly NewState[],
): Promise<void> {
  // Whoever waits for the database has said so.
  if (rows.length === 0 || database.isAway) return;
  try {
    await database.run((sql) => upsertState(sql, rows), {
      signal: AbortSignal.timeout(WRITE_DEADLINE_MS),
    });
  } catch (error) {
    if (!database.isAway) throw error;
  }
}

async function forgetOld(database: Database, service: string): Promise<void> {
  if (database.isAway) return;
  const forgetBefore = Date.now() / 1_000 - FORGET_AFTER_SECONDS;
  const rows = await getState(database, {
    serviceName: service,
    stateType: RUNTIME_STATE,
  });
  const old: StateKey[] = rows.filter((row) => row.updatedAt < forgetBefore);
  await deleteState(database, old);
}
