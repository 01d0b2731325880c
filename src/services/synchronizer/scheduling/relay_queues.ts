/**
 * Queues of due relays: each tier has its own, for relays of all networks; each network has one for all other relays.
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

/** How many relays of each queue may be in work at once; the higher tiers come first. */
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

/** The relays that each queue takes, and their intervals. */
export class RelayQueues {
  readonly #config: QueueConfig;
  readonly #tiers: Tiers;
  readonly #disabled: ReadonlySet<string>;
  readonly #intervals: ReadonlyMap<string, number>;

  constructor(config: QueueConfig, tiers: Tiers) {
    this.#config = config;
    this.#tiers = tiers;
    this.#disabled = new Set(
      config.relays.filter(({ enabled }) => !enabled).map(({ url }) => url),
    );
    this.#intervals = new Map(
      config.relays.flatMap(({ url, intervalSeconds }) =>
        intervalSeconds === undefined ? [] : [[url, intervalSeconds]]
      ),
    );
  }

  /** The relays of a queue; null when it has none. */
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

  /** Conditions by the last check, for relays that are not named by the configuration. */
  #checked(): Pick<Selection, "onlineOnly" | "checkedWithinSeconds"> {
    const { requireOnline, maxCheckAgeSeconds } = this.#config.source;
    return {
      onlineOnly: requireOnline,
      checkedWithinSeconds: maxCheckAgeSeconds ?? undefined,
    };
  }

  /** Relays of the tiers by their intervals, seconds. */
  byInterval(): Map<number, string[]> {
    const relays = new Map<number, string[]>();
    for (const tier of TIERS) {
      for (const url of this.#tiers.relaysOf(tier)) {
        const seconds = this.intervalOf(tier, url) ?? 0;
        relays.set(seconds, [...relays.get(seconds) ?? [], url]);
      }
    }
    return relays;
  }

  /** The interval of a relay. */
  intervalOf(queue: RelayQueue, url: string): Interval {
    const ofQueue = isTier(queue) ? this.#tiers.intervalOf(queue) : null;
    return this.#intervals.get(url) ?? ofQueue;
  }
}

/** The position of a queue among all: the smaller, the earlier. */
export function rankOf(queue: RelayQueue): number {
  return isTier(queue) ? TIERS.indexOf(queue) : TIERS.length;
}

function isTier(queue: RelayQueue): queue is Tier {
  return queue === "high" || queue === "medium" || queue === "low";
}

function enabledNetworks(networks: Networks): Network[] {
  return NETWORKS.filter((network) => networks[network].enabled);
}
