/**
 * Moments of events that came, drawn evenly from all of them, in bounded memory: events lie close in little of the
 * time, and moments drawn from time alone would hardly ever fall there.
 *
 * @module
 */
import type { PageEvent } from "./page.ts";

/** Moments kept. */
const KEPT = 16;

export class SeenMoments {
  readonly #moments: number[] = [];
  readonly #random: () => number;
  #seen = 0;

  /** `random` draws from [0, 1). */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** Takes the events of one page. */
  add(events: readonly PageEvent[]): void {
    for (const { createdAt } of events) {
      this.#seen += 1;
      if (this.#moments.length < KEPT) this.#moments.push(createdAt);
      else {
        const place = Math.floor(this.#random() * this.#seen);
        if (place < KEPT) this.#moments[place] = createdAt;
      }
    }
  }

  /** Those kept, Unix seconds, in no order. */
  get all(): readonly number[] {
    return this.#moments;
  }
}
