/**
 * The database that the configuration means, connected: a server, or the embedded PostgreSQL.
 *
 * @module
 */
import type { BrotrConfig } from "../config/brotr_config.ts";
import { backoffMs } from "../../base/backoff.ts";
import { sleep } from "../../base/sleep.ts";
import type { Logger } from "../log/logger.ts";
import type { Connection } from "./connection/connection.ts";
import type { Database } from "./connection/database.ts";
import {
  errorCode,
  isConnectionFailure,
  isTransient,
} from "./connection/database_error.ts";
import { openEmbedded } from "./embedded/embedded_server.ts";
import {
  type ConnectionOptions,
  openConnection,
} from "./connection/open_connection.ts";
import { Pool } from "./connection/pool.ts";
import { PooledDatabase } from "./connection/pooled_database.ts";
import { serverAddress } from "./connection/server_address.ts";

export interface DatabaseOptions {
  readonly log: Logger;
  /** Ends the attempt to connect. Later on it ends, a little later, the waiting for a server that is away. */
  readonly signal: AbortSignal;
  /** Whether a server that takes no writes (a standby) is taken for one that is away. Default: false. */
  readonly mustWrite?: boolean;
  /** Whether a server that is away is waited for as long as it takes, as services do. Default: false. */
  readonly isPatient?: boolean;
  /** Shown in pg_stat_activity behind the configured application name. */
  readonly service?: string;
}

/** How often it is said that the first connection is still waited for. */
const REMIND_MS = 60_000;

/** PostgreSQL cuts names of this length. */
const MAX_APPLICATION_NAME = 63;

/**
 * Connects, waiting for a server that is only starting as long as `retry` says.
 * The database lives until it is disposed; an embedded server that was started for it ends with it.
 *
 * @throws DatabaseError or ConfigError that says what to do about it.
 */
export async function connectDatabase(
  config: BrotrConfig,
  options: DatabaseOptions,
): Promise<Database> {
  const address = serverAddress(config.database);
  if (address !== null) {
    const session = sessionOptions(config, options);
    return await connectPool(config, options, {
      pgbouncer: address.pgbouncer,
      open: (signal) => openConnection({ ...session, address }, signal),
    });
  }
  return await connectEmbedded(config, options);
}

/** Runs the embedded server, or joins the process that does; disposal ends what was started. */
async function connectEmbedded(
  config: BrotrConfig,
  options: DatabaseOptions,
): Promise<Database> {
  const { dataDir, port } = config.embedded;
  const { log, signal } = options;
  const server = await openEmbedded(
    { dataDir, port, log, attach: true },
    signal,
  );
  const session = sessionOptions(config, options);
  const open = async (signal: AbortSignal) =>
    await openConnection(
      { ...session, address: await server.address() },
      signal,
    );
  try {
    return await connectPool(config, options, {
      pgbouncer: false,
      async open(signal) {
        try {
          return await open(signal);
        } catch (error) {
          if (!isConnectionFailure(error)) throw error;
          await server.revive(signal);
          return await open(signal);
        }
      },
      closed: () => server[Symbol.asyncDispose](),
    });
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}

async function connectPool(
  config: BrotrConfig,
  options: DatabaseOptions,
  server: {
    readonly pgbouncer: boolean;
    open(signal: AbortSignal): Promise<Connection>;
    closed?(): Promise<void>;
  },
): Promise<Database> {
  const pool = new Pool({ limits: config.pool, open: server.open });
  try {
    await fill(pool, config.retry, options);
  } catch (error) {
    await pool[Symbol.asyncDispose]();
    throw error;
  }
  const { pgbouncer, closed } = server;
  return new PooledDatabase({
    pool,
    config,
    pgbouncer,
    log: options.log,
    isPatient: options.isPatient ?? false,
    stop: options.signal,
    ...(closed && { closed }),
  });
}

/** Settings that all connections of this process have in common. */
function sessionOptions(
  { serverSettings, timeouts }: BrotrConfig,
  { service, mustWrite = false }: DatabaseOptions,
): Omit<ConnectionOptions, "address"> {
  const { applicationName, ...rest } = serverSettings;
  return {
    ...rest,
    mustWrite,
    connectMs: timeouts.connectMs,
    applicationName: `${applicationName} ${service ?? ""}`.trim()
      .slice(0, MAX_APPLICATION_NAME),
  };
}

/** A server that is only starting, or away, is waited for: as often as `retry` says, or as long as it takes. */
async function fill(
  pool: Pool,
  retry: BrotrConfig["retry"],
  { log, signal, isPatient = false }: DatabaseOptions,
): Promise<void> {
  const mostAttempts = isPatient ? Infinity : retry.maxAttempts;
  const startedAtMs = performance.now();
  let saidAtMs = -Infinity;
  for (let attempt = 1;; attempt++) {
    try {
      await pool.fill(signal);
      if (attempt > 1) {
        const seconds = Math.round(performance.now() - startedAtMs) / 1_000;
        log.info("database is there", { seconds });
      }
      return;
    } catch (error) {
      signal.throwIfAborted();
      if (attempt >= mostAttempts || !isTransient(error)) throw error;
      const waitMs = backoffMs(attempt, {
        initialMs: retry.initialDelayMs,
        maxMs: retry.maxDelayMs,
        jitter: 0,
      });
      if (performance.now() - saidAtMs >= REMIND_MS) {
        saidAtMs = performance.now();
        log.warn("database is not there yet, waiting for it", {
          code: errorCode(error),
          reason: error instanceof Error ? error.message : error,
        });
      }
      await sleep(waitMs, signal);
    }
  }
}
