/**
 * Admission to live connections: a bounded number of relays, those that bring the most first, and one at an address.
 *
 * Politeness allows few connections to an address, and a live one keeps its own: others there must still be synced.
 *
 * @module
 */
import type { Network } from "../../../models/network.ts";

/** A relay that is caught up. */
export interface LiveRelay {
  readonly relayId: number;
  readonly network: Network;
  /** The key that sockets are counted by: the IP address; behind a proxy, the host. */
  readonly place: string;
  /** The position of its tier: the smaller, the earlier. */
  readonly rank: number;
  /** New events that it brings; see `valueOf`. */
  readonly value: number;
}

/** New events a visit, lately or this time, whichever is more: a relay that was live counts by what came meanwhile. */
export function valueOf(
  { yield: lately }: { readonly yield: number },
  { stored }: { readonly stored: number },
): number {
  return Math.max(lately, stored);
}

/** A relay takes the slot of another only at this multiple of its value, so that equals do not displace each other. */
const CLEARLY_MORE = 2;

interface Slot {
  readonly relay: LiveRelay;
  readonly leave: () => void;
}

export class LiveAdmission {
  readonly #max: number;
  readonly #slots = new Map<number, Slot>();

  constructor(max: number) {
    this.#max = max;
  }

  /** Whether the relay got a slot. `leave` is called when another relay takes that over: the slot is lost by then. */
  take(relay: LiveRelay, leave: () => void): boolean {
    const slots = [...this.#slots.values()];
    const atPlace = slots.find((slot) => slot.relay.place === relay.place);
    const isFull = slots.length >= this.#max;
    const weakest = slots.sort((a, b) => compare(a.relay, b.relay)).at(-1);
    const inTheWay = atPlace ?? (isFull ? weakest : undefined);
    if (inTheWay !== undefined) {
      if (!isClearlyBetter(relay, inTheWay.relay)) return false;
      this.#slots.delete(inTheWay.relay.relayId);
      inTheWay.leave();
    }
    this.#slots.set(relay.relayId, { relay, leave });
    return true;
  }

  free(relayId: number): void {
    this.#slots.delete(relayId);
  }
}

/** Orders relays, the more valuable first. */
function compare(a: LiveRelay, b: LiveRelay): number {
  return a.rank - b.rank || b.value - a.value;
}

function isClearlyBetter(a: LiveRelay, b: LiveRelay): boolean {
  return a.rank < b.rank ||
    (a.rank === b.rank && a.value > CLEARLY_MORE * b.value);
}
