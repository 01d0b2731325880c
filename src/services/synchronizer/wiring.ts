/**
 * The configuration turned into the deps of the code that does the work.
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
import type { RelayUrl } from "../../models/relay_url.ts";
import type { SynchronizerConfig } from "./config/config.ts";
import type { RelayOverride } from "./config/overrides.ts";
import type { WantedFilter } from "./plan.ts";
import type { SyncDeps } from "./sync_relay.ts";

/** Opens the workers, which ask this limiter before they dial. The caller disposes the pool. */
export async function openPool(
  config: SynchronizerConfig,
  log: Logger,
  limiter = limiterOf(new Politeness(config)),
): Promise<SyncPool> {
  const workers = config.workers || navigator.hardwareConcurrency;
  const pool = await openSyncPool({
    workers,
    maxBatches: config.maxBatches,
    limiter,
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

/** What `syncRelay` works with, whatever the configuration says. */
export interface SyncResources {
  readonly database: Database;
  readonly pool: SyncPool;
  /** How long a relay waits for a slot at its address before it is `busy`, ms. Default: a minute. */
  readonly firstSlotTimeoutMs?: number;
}

/** The deps of `syncRelay` that all relays share. */
export function syncDeps(
  config: SynchronizerConfig,
  { database, pool, firstSlotTimeoutMs = 60_000 }: SyncResources,
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
      firstSlotTimeoutMs,
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

/** Gives the deps of one relay. */
export type RelayDeps = (relay: RelayUrl) => SyncDeps;

/** The deps of each relay: those of all, with the timeouts of its network and its own overrides. */
export function relayDeps(
  config: SynchronizerConfig,
  deps: SyncDeps,
): RelayDeps {
  const overrides = new Map(config.relays.map((relay) => [relay.url, relay]));
  return ({ url, network }) => {
    const timed = withNetworkTimeout(
      deps,
      config.networks[network].timeoutMs,
    );
    const override = overrides.get(url);
    return override === undefined
      ? timed
      : overridden(timed, override, wantedOf(override, config));
  };
}

function wantedOf(
  { filters, since, until }: RelayOverride,
  common: Pick<SynchronizerConfig, "filters" | "since" | "until">,
): readonly WantedFilter[] {
  return (filters ?? common.filters).map((filter) => ({
    filter,
    since: since ?? common.since,
    until: until === undefined ? common.until : until,
  }));
}

function overridden(
  deps: SyncDeps,
  { lookbackSeconds, timeoutMs, negentropy, requests }: RelayOverride,
  filters: readonly WantedFilter[],
): SyncDeps {
  const { bounds, wanted } = deps;
  return {
    ...deps,
    wanted: {
      ...wanted,
      filters,
      lookbackSeconds: lookbackSeconds ?? wanted.lookbackSeconds,
    },
    negentropy: {
      ...deps.negentropy,
      enabled: negentropy ?? deps.negentropy.enabled,
    },
    bounds: {
      ...bounds,
      limit: requests.limit ?? bounds.limit,
      idleTimeoutMs: requests.idleTimeoutMs ?? bounds.idleTimeoutMs,
      requestTimeoutMs: requests.totalTimeoutMs ?? bounds.requestTimeoutMs,
      maxEventBytes: requests.maxEventBytes ?? bounds.maxEventBytes,
      maxPageBytes: requests.maxPageBytes ?? bounds.maxPageBytes,
    },
    connectTimeoutMs: timeoutMs === undefined ? deps.connectTimeoutMs : {
      clearnet: timeoutMs,
      tor: timeoutMs,
      i2p: timeoutMs,
      loki: timeoutMs,
    },
  };
}

/** Answers over a slow network take as long as dialling over it: timeouts are raised to that of the network. */
function withNetworkTimeout(
  deps: SyncDeps,
  networkTimeoutMs: number,
): SyncDeps {
  const { bounds, negentropy } = deps;
  return {
    ...deps,
    bounds: {
      ...bounds,
      idleTimeoutMs: Math.max(bounds.idleTimeoutMs, networkTimeoutMs),
    },
    negentropy: {
      ...negentropy,
      probeTimeoutMs: Math.max(negentropy.probeTimeoutMs, networkTimeoutMs),
    },
  };
}

/** The key for NIP-42, or null when none is named. Throws `ConfigError` for one that cannot be read. */
export function authKey({ keys }: SynchronizerConfig): Uint8Array | null {
  return resolveSecretKey({
    env: keys.secretKeyEnv,
    file: keys.secretKeyFile,
    what: "the NIP-42 key (keys.secretKeyEnv, keys.secretKeyFile)",
  });
}
