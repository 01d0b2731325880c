/**
 * The pipeline as data: counts per stage and network, how each service is doing, coverage and lag.
 *
 * @module
 */
import type { Database } from "../../core/database/connection/database.ts";
import { databaseClock } from "../../archive/clock.ts";
import { countOutbox, type OutboxCounts } from "../../archive/outbox.ts";
import { type FactStatus, factStatus } from "../../archive/facts.ts";
import {
  findServiceLease,
  type ServiceLease,
} from "../../archive/processes/service_lease.ts";
import {
  type StatisticsStatus,
  statisticsStatus,
} from "../../archive/statistics/refresh.ts";
import { type PipelineCounts, pipelineCounts } from "../../archive/pipeline.ts";
import { type RelayHealth, relayHealth } from "../../archive/relay_health.ts";
import { getState, type State } from "../../archive/service_state.ts";
import type { ServiceRuntime } from "../../core/lifecycle/runtime.ts";
import { refresher } from "../../services/refresher/mod.ts";
import { HEARTBEAT_SECONDS, RUNTIME_STATE } from "../runtime_record.ts";
import { SERVICES } from "../services.ts";

export interface PipelineReport extends PipelineCounts {
  /** When this was looked up, Unix seconds by the database's clock. */
  readonly at: number;
  /** The clock of this machine minus the database's. */
  readonly clockSkewSeconds: number;
  readonly health: RelayHealth;
  /** What was published, to how many relays each. */
  readonly outbox: OutboxCounts;
  /** What waits for statistics to take it, and what they have to make again. */
  readonly facts: FactStatus;
  readonly statistics: StatisticsReport;
  readonly services: readonly ServiceReport[];
}

/** How far statistics are, what they cost, and who keeps them. */
export interface StatisticsReport extends StatisticsStatus {
  /** Null when no refresher works. */
  readonly lease: ServiceLease | null;
}

/** What changed within it is told. */
const CHANGE_SECONDS = 86_400;

/** So many relays are named. */
const NAMES = 3;

/** One process of a service, or a service that has never run. */
export interface ServiceReport {
  readonly service: string;
  /** `running` is only believed while the process keeps saying so. */
  readonly state: "running" | "stopped" | "silent" | "never ran";
  /** Host and process id. */
  readonly process: string | null;
  readonly uptimeSeconds: number | null;
  /** The clock of its machine minus the database's, to some seconds; null for one that never ran. */
  readonly clockSkewSeconds: number | null;
  readonly runtime: ServiceRuntime | null;
}

/** Looks everything up, with a few cheap queries. */
export async function pipelineReport(
  database: Database,
): Promise<PipelineReport> {
  const { now: at, skewSeconds } = await databaseClock(database);
  const counts = await pipelineCounts(database);
  const health = await relayHealth(database, {
    since: at - CHANGE_SECONDS,
    names: NAMES,
  });
  const services = await Promise.all(
    SERVICES.map(({ name }) => serviceReports(database, name, at)),
  );
  return {
    at,
    clockSkewSeconds: skewSeconds,
    ...counts,
    health,
    outbox: await countOutbox(database, null),
    facts: await factStatus(database),
    statistics: {
      ...await statisticsStatus(database),
      lease: await findServiceLease(database, refresher.name),
    },
    services: services.flat(),
  };
}

/** All processes that run; when none does, the one that ran last. */
async function serviceReports(
  database: Database,
  service: string,
  at: number,
): Promise<ServiceReport[]> {
  const rows = await getState(database, {
    serviceName: service,
    stateType: RUNTIME_STATE,
  });
  const reports = rows.toSorted((a, b) => b.updatedAt - a.updatedAt)
    .map((row) => serviceReport(row, at));
  const running = reports.filter(({ state }) => state === "running");
  if (running.length > 0) return running;
  return reports.length > 0 ? reports.slice(0, 1) : [{
    service,
    state: "never ran",
    process: null,
    uptimeSeconds: null,
    clockSkewSeconds: null,
    runtime: null,
  }];
}

function serviceReport(row: State, at: number): ServiceReport {
  const runtime = row.value;
  if (!isRuntime(runtime)) {
    throw new Error(
      `Cannot read the runtime record of ${row.serviceName} (${row.stateKey}): found ${
        JSON.stringify(runtime)
      }`,
    );
  }
  const isFresh = at - row.updatedAt <= 3 * HEARTBEAT_SECONDS;
  // Its record says its own time; the database noted when that was by its own.
  const clockSkewSeconds = runtime.updatedAt - row.updatedAt;
  const end = runtime.running && isFresh
    ? at + clockSkewSeconds
    : runtime.updatedAt;
  return {
    service: row.serviceName,
    state: !runtime.running ? "stopped" : isFresh ? "running" : "silent",
    process: row.stateKey,
    uptimeSeconds: end - runtime.startedAt,
    clockSkewSeconds,
    runtime,
  };
}

/** Written by `repeat` of this or another version of the program: what is shown must be there. */
function isRuntime(value: unknown): value is ServiceRuntime {
  if (typeof value !== "object" || value === null) return false;
  const record = new Map<string, unknown>(Object.entries(value));
  return ["startedAt", "updatedAt", "cycles", "failures"].every((key) =>
    typeof record.get(key) === "number"
  ) && typeof record.get("running") === "boolean";
}
