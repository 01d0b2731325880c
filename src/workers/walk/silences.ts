/**
 * The longest silences of a walk: stretches between two events that came one after the other, in bounded memory. A
 * relay that leaves events out leaves a silence where they were.
 *
 * @module
 */
import type { PageEvent } from "./page.ts";

/** Silences kept. */
const KEPT = 4;

export class Silences {
  readonly #longest: { readonly middle: number; readonly seconds: number }[] =
    [];

  /** Takes the events of one page, whatever their order. */
  add(events: readonly PageEvent[]): void {
    const times = events.map(({ createdAt }) => createdAt)
      .sort((a, b) => a - b);
    for (let i = 1; i < times.length; i++) {
      const seconds = times[i]! - times[i - 1]!;
      const least = this.#longest.at(-1)?.seconds ?? 0;
      if (this.#longest.length >= KEPT && seconds <= least) continue;
      if (seconds <= 1) continue;
      const middle = times[i - 1]! + (seconds >> 1);
      if (this.#longest.some((one) => one.middle === middle)) continue;
      this.#longest.push({ middle, seconds });
      this.#longest.sort((a, b) => b.seconds - a.seconds);
      this.#longest.length = Math.min(KEPT, this.#longest.length);
    }
  }

  /** The middles of the longest ones, longest first: Unix seconds. */
  get middles(): number[] {
    return this.#longest.map(({ middle }) => middle);
  }
}
