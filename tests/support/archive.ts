/**
 * A migrated archive of its own for one test, and a service run on it as the program runs it.
 *
 * @module
 */
import { Registry } from "prom-client";
import { brotrConfig } from "../../src/core/config/brotr_config.ts";
import { connectDatabase } from "../../src/core/database/connect.ts";
import type { Database } from "../../src/core/database/connection/database.ts";
import { type Edition, migrate } from "../../src/core/database/migrate.ts";
import type {
  CommonConfig,
  Service,
} from "../../src/core/lifecycle/service.ts";
import { createLogger } from "../../src/core/log/logger.ts";
import {
  createMetrics,
  METRIC_PREFIX,
} from "../../src/core/metrics/metrics.ts";
import type { Politeness } from "../../src/transport/politeness.ts";
import {
  type ScratchDatabase,
  scratchDatabase,
  type ServerVersion,
} from "./postgres.ts";

export interface TestArchive extends AsyncDisposable {
  /** As services have it. */
  readonly database: Database;
  /** For looking behind the scenes. */
  readonly sql: ScratchDatabase["sql"];
  readonly url: string;
  /** How many rows there are: `count("candidate where failures > 0")`. */
  count(from: string): Promise<number>;
}

/** An empty archive, dropped on disposal. */
export async function testArchive(
  { edition = "full", version = "embedded" }: {
    readonly edition?: Edition;
    readonly version?: ServerVersion;
  } = {},
): Promise<TestArchive> {
  await using stack = new AsyncDisposableStack();
  const scratch = stack.use(
    await scratchDatabase({
      version,
      template: `archive_${edition}`,
      migrate: async (_sql, { url }) => {
        await using database = await connect(url);
        await migrate(database, { edition });
      },
    }),
  );
  const database = stack.use(await connect(scratch.url));
  const owned = stack.move();
  return {
    database,
    sql: scratch.sql,
    url: scratch.url,
    async count(from) {
      const [row] = await scratch.sql.unsafe(
        `select count(*)::int as count from ${from}`,
      );
      return Number(row?.count);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** What a service said and counted. */
export interface ServiceRun {
  /** The lines of its log, as JSON. */
  readonly log: readonly Readonly<Record<string, unknown>>[];
  /** The value of one series of its metrics, named without the prefix; 0 when it was never set. */
  metric(
    name: string,
    labels?: Readonly<Record<string, string>>,
  ): Promise<number>;
}

export interface RunOptions {
  /** What the service's file would say. */
  readonly config?: unknown;
  /** Default: true. */
  readonly once?: boolean;
  readonly politeness?: Politeness;
  readonly signal?: AbortSignal;
  /** Where its metrics go; by default to a registry of its own. */
  readonly registry?: Registry;
}

/** Runs one cycle of a service, or all until the signal aborts. */
export async function runOnce<C extends CommonConfig>(
  service: Service<C>,
  database: Database,
  options: RunOptions = {},
): Promise<ServiceRun> {
  const { ended, ...run } = begin(service, database, options);
  await ended;
  return run;
}

/** A service that goes on until it is disposed, or told to stop. */
export interface RunningService extends ServiceRun, AsyncDisposable {
  /** As a SIGTERM would; resolves when it has ended. Throws what it throws. */
  stop(): Promise<void>;
}

/** Starts a service. */
export function startService<C extends CommonConfig>(
  service: Service<C>,
  database: Database,
  options: Omit<RunOptions, "signal" | "once"> = {},
): RunningService {
  const end = new AbortController();
  const { signal } = end;
  const { ended, ...run } = begin(service, database, {
    ...options,
    signal,
    once: false,
  });
  ended.catch(() => {});
  const stop = () => {
    end.abort();
    return ended;
  };
  return { ...run, stop, [Symbol.asyncDispose]: stop };
}

function begin<C extends CommonConfig>(
  service: Service<C>,
  database: Database,
  {
    config = {},
    politeness,
    once = true,
    signal = new AbortController().signal,
    registry = new Registry(),
  }: RunOptions,
): ServiceRun & { readonly ended: Promise<void> } {
  const log: Record<string, unknown>[] = [];
  const metrics = createMetrics(service.name, { version: "test", registry });
  const logger = createLogger({
    level: "debug",
    format: "json",
    time: "iso",
    service: service.name,
    sink: {
      write: (line) => void log.push(JSON.parse(line)),
      [Symbol.dispose]: () => {},
    },
  });
  const ended = service.run({
    config: service.config.parse(config),
    database,
    log: logger,
    metrics,
    signal,
    politeness,
    once,
  }).finally(() => logger[Symbol.dispose]());
  return {
    log,
    ended,
    async metric(name, labels = {}) {
      const found = await metrics.registry.getSingleMetric(METRIC_PREFIX + name)
        ?.get();
      const wanted = Object.entries({ service: service.name, ...labels });
      const value = found?.values.find((series) =>
        wanted.every(([label, text]) => series.labels[label] === text)
      );
      return value?.value ?? 0;
    },
  };
}

async function connect(url: string): Promise<Database> {
  const config = brotrConfig.parse({
    database: { url },
    pool: { maxConnections: 6 },
  });
  using log = createLogger({
    level: "error",
    format: "text",
    time: "iso",
    service: "test",
  });
  return await connectDatabase(config, {
    log,
    signal: new AbortController().signal,
  });
}
