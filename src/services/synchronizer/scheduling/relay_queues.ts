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
} from "../../../models/network.ts";
import type { SynchronizerConfig } from "../config/config.ts";
import type { Interval } from "./due.ts";
import type { Selection } from "./leases.ts";
import type { Tiers } from "./tiers.ts";
import { type Tier, TIERS } from "../config/tiers.ts";

export type RelayQueue = Tier | Network;

type QueueConfig = Pick<
  SynchronizerConfig,
  "networks" | "relays" | "source" | "tiers"
>;

/** How many relays of each lane may be in work at once; the higher tiers come first. */
export function queueSlots(
  { networks, tiers }: QueueConfig,
): Partial<Record<RelayQueue, number>> {
  const { high, medium, low } = tiers;
  return {
    high: high.maxConnections,
    medium: medium.maxConnections,
    low: low.maxConnections,
    ...slotsOf(networks),
  };
}

/** Which relays a lane takes, and how it treats them. */
export class RelayQueues {
  readonly #config: QueueConfig;
  readonly #tiers: Tiers;
  readonly #disabled: ReadonlySet<string>;
  readonly #paces: ReadonlyMap<string, number>;

  constructor(config: QueueConfig, tiers: Tiers) {
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
  selectionOf(queue: RelayQueue): Selection | null {
    if (!isTier(queue)) {
      const exceptUrls = [...this.#tiers.urls, ...this.#disabled];
      return { networks: [queue], exceptUrls, ...this.#checked() };
    }
    const urls = this.#tiers.relaysOf(queue)
      .filter((url) => !this.#disabled.has(url));
    const networks = enabledNetworks(this.#config.networks);
    return urls.length === 0 ? null : { networks, urls };
  }

  /** What the monitor must have found of a relay that nobody asked for by name. */
  #checked(): Pick<Selection, "onlineOnly" | "checkedWithinSeconds"> {
    const { requireOnline, maxCheckAgeSeconds } = this.#config.source;
    return {
      onlineOnly: requireOnline,
      checkedWithinSeconds: maxCheckAgeSeconds ?? undefined,
    };
  }

  /** At what interval a relay is looked at. */
  intervalOf(queue: RelayQueue, url: string): Interval {
    const ofQueue = isTier(queue)
      ? this.#config.tiers[queue].intervalSeconds
      : null;
    return this.#paces.get(url) ?? ofQueue;
  }
}

/** The place of a lane among all: the smaller, the earlier. */
export function rankOf(queue: RelayQueue): number {
  return isTier(queue) ? TIERS.indexOf(queue) : TIERS.length;
}

function isTier(queue: RelayQueue): queue is Tier {
  return queue === "high" || queue === "medium" || queue === "low";
}

function enabledNetworks(networks: Networks): Network[] {
  return NETWORKS.filter((network) => networks[network].enabled);
}
