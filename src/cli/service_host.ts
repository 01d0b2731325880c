/**
 * Host of the services of one process: metrics and health over HTTP, the service manager, and a record of how
 * each is doing that other processes (`status`) can read.
 *
 * @module
 */
import { Registry } from "prom-client";
import { databaseClock } from "../archive/clock.ts";
import type { BrotrConfig } from "../core/config/brotr_config.ts";
import type { MetricsConfig } from "../core/config/common_config.ts";
import type { Database } from "../core/database/connection/database.ts";
import { registerDatabaseMetrics } from "../core/database/database_metrics.ts";
import type { Role } from "../core/database/role.ts";
import type { Notifier } from "../core/lifecycle/notify.ts";
import type { Reload } from "../core/lifecycle/reload.ts";
import { readiness } from "../core/lifecycle/readiness.ts";
import type { ServiceRuntime } from "../core/lifecycle/runtime.ts";
import type { CommonConfig, Service } from "../core/lifecycle/service.ts";
import type { Logger } from "../core/log/logger.ts";
import { createMetrics } from "../core/metrics/metrics.ts";
import {
  type Readiness,
  serveMetrics,
} from "../core/metrics/metrics_server.ts";
import { openProcessMetrics } from "../core/metrics/process_metrics.ts";
import { refresher } from "../services/refresher/mod.ts";
import type { Politeness } from "../transport/politeness.ts";
import { registerFactMetrics } from "./fact_metrics.ts";
import { keepStatus } from "./manager_status.ts";
import { openRuntimeRecord } from "./runtime_record.ts";
import { keepForgetting } from "./vanishing.ts";
import { statisticsReadiness } from "./statistics_readiness.ts";
import { VERSION } from "./version.ts";

export interface ServiceHostOptions {
  readonly database: Database;
  readonly config: BrotrConfig;
  readonly log: Logger;
  readonly notifier: Notifier;
  /** Aborts when the process is asked to stop. */
  readonly signal: AbortSignal;
  readonly endpoints: MetricsConfig;
  /** Limits that its dialling services share; undefined when there is only one. */
  readonly politeness?: Politeness;
  /** The role that its services are meant for. Default: `writer`. */
  readonly role?: Role;
  /** The configuration key of the endpoints' port, for the message when it is taken. */
  readonly portKey: string;
}

export interface ServiceRun<C extends CommonConfig> {
  readonly config: C;
  readonly once: boolean;
  readonly signal: AbortSignal;
  /** Told of the configuration when it is read again. */
  readonly reload?: Reload<C>;
}

export interface ServiceHost extends AsyncDisposable {
  /** The latest state of each service that ran here, by name. */
  readonly runtimes: ReadonlyMap<string, ServiceRuntime>;
  readonly registry: Registry;
  /** Runs a service to its end. Throws what it throws. */
  run<C extends CommonConfig>(
    service: Service<C>,
    options: ServiceRun<C>,
  ): Promise<void>;
}

/** Opens the endpoints and tells the service manager that start-up is over. Throws when the port is taken. */
export function openServiceHost(options: ServiceHostOptions): ServiceHost {
  const { database, log, notifier, signal, politeness } = options;
  const stack = new AsyncDisposableStack();
  const registry = new Registry();
  stack.use(openProcessMetrics({ registry, version: VERSION }));
  registerDatabaseMetrics({ registry, database, config: options.config });
  registerFactMetrics(registry, database);
  const record = stack.use(openRuntimeRecord(database, log));
  // Only a writer may delete events.
  if (options.role === undefined || options.role === "writer") {
    stack.use(keepForgetting(options));
  }
  serveEndpoints(options, { registry, runtimes: record.runtimes, stack });
  const stopping = () => {
    notifier.stopping();
    notifier.status("stopping: what is in hand is finished");
  };
  signal.addEventListener("abort", stopping, { once: true });
  stack.defer(() => signal.removeEventListener("abort", stopping));
  notifier.ready();
  const status = stack.use(
    keepStatus({
      database,
      log,
      notifier,
      signal,
      runtimes: record.runtimes,
    }),
  );
  return {
    runtimes: record.runtimes,
    registry,
    run: (service, { config, once, signal, reload }) =>
      service.run({
        config,
        onReload: (listener) => reload?.subscribe(listener),
        once,
        signal,
        database,
        politeness,
        log: log.child({ service: service.name }),
        metrics: createMetrics(service.name, { version: VERSION, registry }),
        recordRuntime: async (runtime) => {
          const stored = record.put(service.name, runtime);
          status.refresh();
          await stored;
        },
      }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

function serveEndpoints(
  { database, log, endpoints, portKey }: ServiceHostOptions,
  { registry, runtimes, stack }: {
    readonly registry: Registry;
    readonly runtimes: ReadonlyMap<string, ServiceRuntime>;
    readonly stack: AsyncDisposableStack;
  },
): void {
  if (!endpoints.enabled) return;
  const { host, port, path } = endpoints;
  const server = stack.use(serveMetrics({
    host,
    port,
    path,
    portKey,
    registry,
    readiness: () => fullReadiness(database, runtimes),
  }));
  log.info("health and metrics served", {
    url: `http://${host}:${server.port}${path}`,
  });
}

/** A probe must be answered before the prober loses patience. */
const CLOCK_DEADLINE_MS = 1_000;

/** A clock that is wrong is shown, and makes nobody unready: that would not set it right. */
async function fullReadiness(
  database: Database,
  runtimes: ReadonlyMap<string, ServiceRuntime>,
): Promise<Readiness> {
  const { problems, facts } = await readiness(database, runtimes);
  const statistics = runtimes.get(refresher.name)?.running
    ? await statisticsReadiness(database)
    : { problems: [], facts: {} };
  const signal = AbortSignal.timeout(CLOCK_DEADLINE_MS);
  const clock = await databaseClock(database, { signal }).catch(() => null);
  const clockSkewSeconds = clock?.skewSeconds ?? null;
  return {
    problems: [...problems, ...statistics.problems],
    facts: { ...facts, ...statistics.facts, clockSkewSeconds },
  };
}
