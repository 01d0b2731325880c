/**
 * What syncing one relay takes: the means for all, at the patience of its network, with what is different for it.
 *
 * @module
 */
import type { RelayUrl } from "../../models/relay_url.ts";
import type { SynchronizerConfig } from "./config/config.ts";
import type { RelayOverride } from "./config/overrides.ts";
import type { WantedFilter } from "./plan.ts";
import type { SyncDeps } from "./sync_relay.ts";

/** Gives the means of each relay. */
export type RelayDeps = (relay: RelayUrl) => SyncDeps;

/** The means of each relay, by the configuration. */
export function relayDeps(
  config: SynchronizerConfig,
  deps: SyncDeps,
): RelayDeps {
  const overrides = new Map(config.relays.map((relay) => [relay.url, relay]));
  return ({ url, network }) => {
    const patient = withNetworkTimeout(
      deps,
      config.networks[network].timeoutMs,
    );
    const override = overrides.get(url);
    return override === undefined
      ? patient
      : overridden(patient, override, wantedOf(override, config));
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

/** An answer over a slow network takes as long as anything else over it. */
function withNetworkTimeout(deps: SyncDeps, stepMs: number): SyncDeps {
  const { bounds, negentropy } = deps;
  return {
    ...deps,
    bounds: {
      ...bounds,
      idleTimeoutMs: Math.max(bounds.idleTimeoutMs, stepMs),
    },
    negentropy: {
      ...negentropy,
      probeTimeoutMs: Math.max(negentropy.probeTimeoutMs, stepMs),
    },
  };
}
