/**
 * What the configuration means for the parts that do the work.
 *
 * @module
 */
import { optedOutHosts } from "../../core/config/opt_out.ts";
import { resolveSecretKey } from "../../core/config/secret_key.ts";
import type { Database } from "../../core/database/connection/database.ts";
import type { Logger } from "../../core/log/logger.ts";
import { limiterOf, Politeness } from "../../transport/politeness.ts";
import { userAgent } from "../../transport/user_agent.ts";
import { openSyncPool, type SyncPool } from "../../workers/host/worker_pool.ts";
import type { SynchronizerConfig } from "./config/config.ts";
import type { SyncDeps } from "./sync_relay.ts";

/** Opens the workers, which share `politeness` with whoever else has them. Whoever opens them disposes them. */
export async function openPool(
  config: SynchronizerConfig,
  log: Logger,
  politeness?: Politeness,
): Promise<SyncPool> {
  const workers = config.workers || navigator.hardwareConcurrency;
  const pool = await openSyncPool({
    workers,
    maxBatches: config.maxBatches,
    limiter: limiterOf(new Politeness(config), politeness),
    hangTimeoutMs: config.hangTimeoutMs,
    verifier: {},
    worker: {
      networks: config.networks,
      allowPrivate: config.allowPrivate,
      allowInsecureTls: config.allowInsecureTls,
      userAgent: userAgent(config.contact),
      optOut: optedOutHosts(config),
      authKey: authKey(config),
    },
    onLost: (reason) => log.warn("sync worker lost, replaced", { reason }),
  });
  const { name, detail } = pool.verifier;
  log.info("sync workers ready", { workers, verifier: name, detail });
  return pool;
}

/** What `syncRelay` needs. */
export function syncDeps(
  config: SynchronizerConfig,
  { database, pool }: { readonly database: Database; readonly pool: SyncPool },
): SyncDeps {
  const { networks, requests, budgets, allowPrivate } = config;
  const { since, until, lookbackSeconds } = config;
  return {
    database,
    pool,
    budgets,
    allowPrivate,
    negentropy: config.negentropy,
    auditRequests: config.audit.requestsPerSync,
    wanted: {
      filters: config.filters.map((filter) => ({ filter, since, until })),
      lookbackSeconds,
      gapRetrySeconds: config.retry.gapSeconds,
    },
    bounds: {
      limit: requests.limit,
      idleTimeoutMs: requests.idleTimeoutMs,
      requestTimeoutMs: requests.totalTimeoutMs,
      maxEventBytes: requests.maxEventBytes,
      maxPageBytes: requests.maxPageBytes,
      batchEvents: config.batchSize,
      batchBytes: config.batchBytes,
    },
    connectTimeoutMs: {
      clearnet: networks.clearnet.timeoutMs,
      tor: networks.tor.timeoutMs,
      i2p: networks.i2p.timeoutMs,
      loki: networks.loki.timeoutMs,
    },
  };
}

function authKey({ keys }: SynchronizerConfig): Uint8Array | null {
  return resolveSecretKey({
    env: keys.secretKeyEnv,
    file: keys.secretKeyFile,
    what: "the NIP-42 key (keys.secretKeyEnv, keys.secretKeyFile)",
  });
}
