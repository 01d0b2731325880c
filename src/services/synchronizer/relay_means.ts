/**
 * What syncing one relay takes: the means for all, at the patience of its network, with what is different for it.
 *
 * @module
 */
import type { RelayUrl } from "../../models/relay_url.ts";
import type { SynchronizerConfig } from "./config.ts";
import type { RelayOverride } from "./overrides_config.ts";
import type { WantedFilter } from "./plan.ts";
import type { SyncMeans } from "./sync_relay.ts";

/** Gives the means of each relay. */
export type RelayMeans = (relay: RelayUrl) => SyncMeans;

/** The means of each relay, by the configuration. */
export function relayMeans(
  config: SynchronizerConfig,
  means: SyncMeans,
): RelayMeans {
  const overrides = new Map(config.relays.map((relay) => [relay.url, relay]));
  return ({ url, network }) => {
    const patient = withPatience(means, config.networks[network].timeoutMs);
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
  means: SyncMeans,
  { lookbackSeconds, timeoutMs, negentropy, requests }: RelayOverride,
  filters: readonly WantedFilter[],
): SyncMeans {
  const { bounds, wanted } = means;
  return {
    ...means,
    wanted: {
      ...wanted,
      filters,
      lookbackSeconds: lookbackSeconds ?? wanted.lookbackSeconds,
    },
    negentropy: {
      ...means.negentropy,
      enabled: negentropy ?? means.negentropy.enabled,
    },
    bounds: {
      ...bounds,
      limit: requests.limit ?? bounds.limit,
      idleTimeoutMs: requests.idleTimeoutMs ?? bounds.idleTimeoutMs,
      requestTimeoutMs: requests.totalTimeoutMs ?? bounds.requestTimeoutMs,
      maxEventBytes: requests.maxEventBytes ?? bounds.maxEventBytes,
      maxPageBytes: requests.maxPageBytes ?? bounds.maxPageBytes,
    },
    connectTimeoutMs: timeoutMs === undefined ? means.connectTimeoutMs : {
      clearnet: timeoutMs,
      tor: timeoutMs,
      i2p: timeoutMs,
      loki: timeoutMs,
    },
  };
}

/** An answer over a slow network takes as long as anything else over it. */
function withPatience(means: SyncMeans, stepMs: number): SyncMeans {
  const { bounds, negentropy } = means;
  return {
    ...means,
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
