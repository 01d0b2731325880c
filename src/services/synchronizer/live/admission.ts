/**
 * Who may be live: so many relays at once, those first that bring the most, and one at an address.
 *
 * Connections to an address are few (manners), and a live one holds on to it: the others there must still be synced.
 *
 * @module
 */
import type { Network } from "../../../models/network.ts";

/** A relay that is caught up. */
export interface LiveRelay {
  readonly relayId: number;
  readonly network: Network;
  /** What sockets are counted by: the IP address; behind a proxy, the host. */
  readonly place: string;
  /** The place of its tier; the smaller, the earlier. */
  readonly rank: number;
  /** How much it brings; see `valueOf`. */
  readonly value: number;
}

/** New events a look, lately and this time: who was live counts by what came meanwhile. */
export function valueOf(
  { yield: lately }: { readonly yield: number },
  { stored }: { readonly stored: number },
): number {
  return Math.max(lately, stored);
}

/** A seat is given to another only for so many times the worth, so that equals do not take turns. */
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

  /** Whether the relay got a seat. `leave` is called when another one gets it: then it is not the relay's any more. */
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

/** The better ones first. */
function compare(a: LiveRelay, b: LiveRelay): number {
  return a.rank - b.rank || b.value - a.value;
}

function isClearlyBetter(a: LiveRelay, b: LiveRelay): boolean {
  return a.rank < b.rank ||
    (a.rank === b.rank && a.value > CLEARLY_MORE * b.value);
}
