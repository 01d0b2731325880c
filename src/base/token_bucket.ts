/**
 * Token bucket: a burst at once, and a steady rate in the long run.
 *
 * @module
 */
export interface TokenRate {
  /** Tokens of a full bucket: the largest burst. */
  readonly capacity: number;
  readonly perSecond: number;
}

/** A bucket that starts full and may go into debt, which later tokens pay off first. */
export class TokenBucket {
  readonly #capacity: number;
  readonly #perMs: number;
  #tokens: number;
  #filledAtMs: number;

  constructor({ capacity, perSecond }: TokenRate, nowMs = performance.now()) {
    this.#capacity = capacity;
    this.#perMs = perSecond / 1_000;
    this.#tokens = capacity;
    this.#filledAtMs = nowMs;
  }

  /** Takes tokens; returns after how many ms the bucket will be out of debt: 0 when it held enough. */
  take(count: number, nowMs = performance.now()): number {
    const gained = (nowMs - this.#filledAtMs) * this.#perMs;
    this.#tokens = Math.min(this.#capacity, this.#tokens + gained) - count;
    this.#filledAtMs = nowMs;
    return this.#tokens >= 0 ? 0 : -this.#tokens / this.#perMs;
  }
}
