/**
 * A service: a plain value with a name, a configuration and a function to run.
 *
 * @module
 */
import type { z } from "zod";
import type { MetricsConfig } from "../config/common_config.ts";
import type { Database } from "../database/connection/database.ts";
import type { Role } from "../database/role.ts";
import type { Logger } from "../log/logger.ts";
import type { ServiceMetrics } from "../metrics/metrics.ts";
import type { RecordRuntime } from "./runtime.ts";

/** A service: `run` returns when the signal aborts, or after one cycle with `once`. */
export interface Service<C extends CommonConfig = CommonConfig> {
  readonly name: string;
  /** A line for `--help`. */
  readonly summary: string;
  /** The role whose rights it needs (`db init --roles`). Default: `writer`. */
  readonly role?: Role;
  /** Strict schema; every key has a default. */
  readonly config: z.ZodType<C>;
  /** Keys, dotted, that it goes by anew when its configuration is read again (SIGHUP); all others wait for a restart. */
  readonly reloaded?: readonly string[];
  /**
   * Reads what the configuration only names: secrets, lists. Throws `ConfigError` as `run` would, so that everything
   * wrong is known before anything is started.
   */
  readNamed?(config: C): void;
  /** Throws when it gives up (after `maxConsecutiveFailures`): the process then exits 1. */
  run(ctx: Context<C>): Promise<void>;
}

/** The keys that every service's configuration has. */
export interface CommonConfig {
  /** Seconds from the start of one cycle to the start of the next. */
  readonly intervalSeconds: number;
  /** Failed cycles in a row after which the service gives up; 0 for never. */
  readonly maxConsecutiveFailures: number;
  /** The address of `/metrics`, `/healthz` and `/readyz`, if they are served. */
  readonly metrics: MetricsConfig;
}

/** Everything a service works with. */
export interface Context<C extends CommonConfig = CommonConfig> {
  readonly config: C;
  readonly database: Database;
  readonly log: Logger;
  readonly metrics: ServiceMetrics;
  /** Aborts when the process is asked to stop. */
  readonly signal: AbortSignal;
  /** Run one cycle and return. */
  readonly once: boolean;
  /** The politeness that all services of this process share: a value of the transport, opaque here. */
  readonly politeness?: unknown;
  /** Calls `listener` with the configuration whenever it was read again (SIGHUP), as long as the service runs. */
  onReload?(listener: (config: C) => void): void;
  /** Told by `repeat` at the start and end of each cycle; `status` and `/readyz` show it. */
  readonly recordRuntime?: RecordRuntime;
}
