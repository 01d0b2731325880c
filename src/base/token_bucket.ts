/**
 * How much of something is borne: so much at once, and so much a second in the long run.
 *
 * @module
 */
export class TokenBucket {
  readonly #capacity: number;
  readonly #perSecond: number;
  #left: number;
  #filledAt = performance.now();

  constructor(
    { capacity, perSecond }: {
      readonly capacity: number;
      readonly perSecond: number;
    },
  ) {
    this.#capacity = capacity;
    this.#perSecond = perSecond;
    this.#left = capacity;
  }

  /** Whether there is still something left after this. */
  spend(count: number): boolean {
    const now = performance.now();
    const gained = (now - this.#filledAt) / 1_000 * this.#perSecond;
    this.#left = Math.min(this.#capacity, this.#left + gained) - count;
    this.#filledAt = now;
    return this.#left >= 0;
  }
}
