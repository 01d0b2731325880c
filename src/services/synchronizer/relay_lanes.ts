/**
 * Lanes: each tier has its own, for relays of all networks; each network has one for the rest.
 *
 * @module
 */
import {
  type Network,
  NETWORKS,
  type Networks,
  slotsOf,
} from "../../models/network.ts";
import type { SynchronizerConfig } from "./config.ts";
import type { Pace } from "./due.ts";
import type { Selection } from "./leases.ts";
import type { Tiers } from "./tiers.ts";
import { type Tier, TIERS } from "./tiers_config.ts";

export type RelayLane = Tier | Network;

type LaneConfig = Pick<
  SynchronizerConfig,
  "networks" | "relays" | "source" | "tiers"
>;

/** How many relays of each lane may be in work at once; the higher tiers come first. */
export function laneSlots(
  { networks, tiers }: LaneConfig,
): Partial<Record<RelayLane, number>> {
  const { high, medium, low } = tiers;
  return {
    high: high.maxConnections,
    medium: medium.maxConnections,
    low: low.maxConnections,
    ...slotsOf(networks),
  };
}

/** Which relays a lane takes, and how it treats them. */
export class RelayLanes {
  readonly #config: LaneConfig;
  readonly #tiers: Tiers;
  readonly #disabled: ReadonlySet<string>;
  readonly #paces: ReadonlyMap<string, number>;

  constructor(config: LaneConfig, tiers: Tiers) {
    this.#config = config;
    this.#tiers = tiers;
    this.#disabled = new Set(
      config.relays.filter(({ enabled }) => !enabled).map(({ url }) => url),
    );
    this.#paces = new Map(
      config.relays.flatMap(({ url, intervalSeconds }) =>
        intervalSeconds === undefined ? [] : [[url, intervalSeconds]]
      ),
    );
  }

  /** Null when there are none. */
  selectionOf(lane: RelayLane): Selection | null {
    if (!isTier(lane)) {
      const exceptUrls = [...this.#tiers.urls, ...this.#disabled];
      return { networks: [lane], exceptUrls, ...this.#checked() };
    }
    const urls = this.#tiers.relaysOf(lane)
      .filter((url) => !this.#disabled.has(url));
    const networks = enabledNetworks(this.#config.networks);
    return urls.length === 0 ? null : { networks, urls };
  }

  /** What the monitor must have found of a relay that nobody asked for by name. */
  #checked(): Pick<Selection, "onlineOnly" | "checkedSince"> {
    const { requireOnline, maxCheckAgeSeconds } = this.#config.source;
    const now = Math.floor(Date.now() / 1_000);
    return {
      onlineOnly: requireOnline,
      checkedSince: maxCheckAgeSeconds === null
        ? undefined
        : now - maxCheckAgeSeconds,
    };
  }

  /** At what interval a relay is looked at. */
  paceOf(lane: RelayLane, url: string): Pace {
    const ofLane = isTier(lane)
      ? this.#config.tiers[lane].intervalSeconds
      : null;
    return this.#paces.get(url) ?? ofLane;
  }
}

/** The place of a lane among all: the smaller, the earlier. */
export function rankOf(lane: RelayLane): number {
  return isTier(lane) ? TIERS.indexOf(lane) : TIERS.length;
}

function isTier(lane: RelayLane): lane is Tier {
  return lane === "high" || lane === "medium" || lane === "low";
}

function enabledNetworks(networks: Networks): Network[] {
  return NETWORKS.filter((network) => networks[network].enabled);
}
