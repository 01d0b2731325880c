/**
 * Witnesses: events that a relay has given, and so must show when it is asked for them. An answer in which none of
 * them appears is no evidence of anything.
 *
 * @module
 */
import { KIND } from "../../models/kinds.ts";
import type { PageEvent } from "./page.ts";

/** An event that a relay is known to hold. */
export interface Witness extends Pick<PageEvent, "id" | "createdAt"> {
  /** Where they are known. */
  readonly kind?: number;
  readonly pubkey?: string;
}

/** Witnesses kept of a session: the first ones, and the latest. */
const KEPT_FIRST = 8;
const KEPT_LATEST = 24;

/** Witnesses named in one question: an honest relay may have deleted some. */
const ASKED = 5;

/** The witnesses of one session. */
export class Witnesses {
  readonly #first: Witness[] = [];
  readonly #latest: Witness[] = [];

  /** Takes events that the relay has given; a few of each page are kept. */
  add(events: readonly PageEvent[]): void {
    const stable = events.filter(({ kind }) => isStable(kind));
    const middle = stable[stable.length >> 1];
    for (const event of new Set([stable[0], middle, stable.at(-1)])) {
      if (event !== undefined) this.#keep(event);
    }
  }

  /** Takes an event that the relay is known to have given in an earlier session. */
  addKnown(witness: Witness): void {
    if (this.#first.length < KEPT_FIRST) this.#first.push(witness);
  }

  /** Some of them, the latest first; none when the relay has given nothing that lasts. */
  pick(): Witness[] {
    const all = [...this.#latest.toReversed(), ...this.#first];
    return [...new Map(all.map((one) => [one.id, one])).values()]
      .slice(0, ASKED);
  }

  #keep({ id, createdAt }: PageEvent): void {
    if (this.#first.length < KEPT_FIRST) this.#first.push({ id, createdAt });
    this.#latest.push({ id, createdAt });
    if (this.#latest.length > KEPT_LATEST) this.#latest.shift();
  }
}

/** Whether an honest relay keeps events of this kind: others are replaced, ephemeral, or delete themselves (NIP-01, 09, 62). */
export function isStable(kind: number): boolean {
  return kind !== KIND.profile && kind !== KIND.contacts &&
    kind !== KIND.deletion && kind !== KIND.vanish &&
    (kind < 10_000 || kind > 39_999);
}
