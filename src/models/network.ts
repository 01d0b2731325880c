/**
 * The four networks a relay can live on, named as in NIP-66's `n` tag, and how each is dialled.
 *
 * @module
 */

/** Every network, in the order in which they are listed to people. */
export const NETWORKS = ["clearnet", "tor", "i2p", "loki"] as const;

/** A network a relay can be reached over. */
export type Network = (typeof NETWORKS)[number];

/** How relays of one network are dialled. */
export interface NetworkSettings {
  /** Relays of a disabled network are neither dialled nor claimed. */
  readonly enabled: boolean;
  /** `socks5://host:port`; required for the overlays, optional for clearnet. */
  readonly proxyUrl?: string | undefined;
  /** Relays of this network in work at the same time. */
  readonly maxConnections: number;
  /** Deadline of one step: connecting, one answer. */
  readonly timeoutMs: number;
}

/** The settings of all networks. */
export type Networks = Readonly<Record<Network, NetworkSettings>>;

/** How many relays of each enabled network may be in work at the same time. */
export function slotsOf(networks: Networks): Partial<Record<Network, number>> {
  const slots: Partial<Record<Network, number>> = {};
  for (const network of NETWORKS) {
    const { enabled, maxConnections } = networks[network];
    if (enabled) slots[network] = maxConnections;
  }
  return slots;
}
