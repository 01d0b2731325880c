/**
 * Whether a process is able to work: the database answers, and the last cycle of each service is fresh.
 *
 * @module
 */
import type { Database } from "../database/connection/database.ts";
import type { Readiness } from "../metrics/metrics_server.ts";
import type { ServiceRuntime } from "./runtime.ts";

/** A probe must be answered before the prober loses patience. */
const DATABASE_DEADLINE_MS = 3_000;

/** Looks at the database now and at what the services last recorded. */
export async function readiness(
  database: Database,
  services: ReadonlyMap<string, ServiceRuntime>,
): Promise<Readiness> {
  const health = await database.health(
    AbortSignal.timeout(DATABASE_DEADLINE_MS),
  );
  const now = Date.now() / 1_000;
  const problems = [...services].flatMap(([name, runtime]) =>
    staleness(runtime, now).map((problem) => `${name}: ${problem}`)
  );
  if (!health.ok) {
    problems.unshift(`database: ${health.detail ?? "it does not answer"}`);
  }
  return {
    problems,
    facts: {
      databaseMs: Math.round(health.ms),
      services: Object.fromEntries(services),
    },
  };
}

/**
 * A cycle under way is fresh however long it takes: a first sync takes hours, and its parts have deadlines of
 * their own. Between cycles the last success may be two intervals old, and never less than a minute is allowed.
 */
function staleness(runtime: ServiceRuntime, now: number): string[] {
  if (!runtime.running) return [];
  const { consecutiveFailures, lastError, cycleStartedAt } = runtime;
  if (consecutiveFailures > 0) {
    return [`${consecutiveFailures} cycles in a row failed: ${lastError}`];
  }
  if (cycleStartedAt !== null) return [];
  const since = now - (runtime.lastSuccessAt ?? runtime.startedAt);
  const allowed = Math.max(60, 2 * runtime.intervalSeconds);
  return since <= allowed
    ? []
    : [`last successful cycle ended ${Math.round(since)} s ago`];
}
