/**
 * How many requests a relay is asked at once: one more after each success, half as many after a failure that may come
 * from there being several.
 *
 * @module
 */

/** Subscriptions that relays bear as a rule. */
export const MAX_IN_FLIGHT = 16;

/** A relay that fails so often as soon as there are two is asked one at a time from then on. */
const MAX_FAILURES = 2;

export class ConcurrencyControl {
  readonly #max: number;
  #allowed = 1;
  /** Up to here it grows fast. */
  #threshold: number;
  #successes = 0;
  #failures = 0;
  #epoch = 0;

  constructor(max: number) {
    this.#max = max;
    this.#threshold = max;
  }

  /** Requests under way at most. */
  get allowed(): number {
    return this.#allowed;
  }

  /** Changes with every step back: what was sent before it does not count once more. */
  get epoch(): number {
    return this.#epoch;
  }

  /** A request went well that was sent in this epoch; `backpressured` when we were the slower side, so that more of them would not help. */
  onSuccess(
    { backpressured, epoch }: { backpressured: boolean; epoch: number },
  ): void {
    if (backpressured) {
      // All that were under way together were held together.
      if (epoch !== this.#epoch) return;
      this.#epoch += 1;
      this.#allowed = Math.max(1, this.#allowed - 1);
      return;
    }
    this.#successes += 1;
    const needed = this.#allowed < this.#threshold ? 1 : 8 * this.#allowed;
    if (this.#successes < needed || this.#failures >= MAX_FAILURES) return;
    this.#successes = 0;
    this.#allowed = Math.min(this.#max, this.#allowed + 1);
  }

  /** A request failed that was sent in this epoch, others being under way. */
  onFailure(epoch: number): void {
    if (epoch !== this.#epoch) return;
    if (this.#allowed <= 2) this.#failures += 1;
    this.#epoch += 1;
    this.#successes = 0;
    this.#allowed = Math.max(1, this.#allowed >> 1);
    this.#threshold = this.#allowed;
  }
}
