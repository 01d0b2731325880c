/**
 * The longest silences of a walk: stretches between two events that came one after the other, in bounded memory. A
 * relay that leaves events out leaves a silence where they were.
 *
 * @module
 */
import type { Window } from "../../models/window.ts";
import type { PageEvent } from "./page.ts";

/** Silences kept. */
const KEPT = 4;

export class Silences {
  readonly #longest: Window[] = [];

  /** Takes the events of one page, whatever their order. */
  add(events: readonly PageEvent[]): void {
    const times = events.map(({ createdAt }) => createdAt)
      .sort((a, b) => a - b);
    for (let i = 1; i < times.length; i++) {
      const silence = { since: times[i - 1]!, until: times[i]! };
      const last = this.#longest.at(-1);
      const least = last === undefined ? 0 : lengthOf(last);
      if (this.#longest.length >= KEPT && lengthOf(silence) <= least) continue;
      if (lengthOf(silence) <= 1) continue;
      if (this.#longest.some((one) => isSame(one, silence))) continue;
      this.#longest.push(silence);
      this.#longest.sort((a, b) => lengthOf(b) - lengthOf(a));
      this.#longest.length = Math.min(KEPT, this.#longest.length);
    }
  }

  /** The longest ones, longest first, each from the second of an event to that of the next. */
  get longest(): readonly Window[] {
    return this.#longest;
  }
}

function lengthOf({ since, until }: Window): number {
  return until - since;
}

function isSame(one: Window, other: Window): boolean {
  return one.since === other.since && one.until === other.until;
}
