/**
 * Semaphore: a bound on how much goes on at once; the others wait, first come, first served.
 *
 * @module
 */
export class Semaphore {
  #free: number;
  #isClosed = false;
  readonly #waiting = new Set<(acquired: boolean) => void>();

  constructor(permits: number) {
    this.#free = permits;
  }

  /** Waits for a permit. True when the caller has one; false when the signal aborted or the semaphore was closed first. */
  async acquire(signal: AbortSignal): Promise<boolean> {
    if (signal.aborted || this.#isClosed) return false;
    if (this.#free > 0) {
      this.#free -= 1;
      return true;
    }
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const leave = () => resolve(false);
    this.#waiting.add(resolve);
    signal.addEventListener("abort", leave, { once: true });
    const acquired = await promise;
    signal.removeEventListener("abort", leave);
    this.#waiting.delete(resolve);
    return acquired;
  }

  /** Gives a permit back: to the first caller that waits, if there is one. */
  release(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free += 1;
    } else {
      this.#waiting.delete(next);
      next(true);
    }
  }

  /** Refuses every caller that waits, and all later ones. */
  close(): void {
    this.#isClosed = true;
    for (const resolve of this.#waiting) resolve(false);
  }
}
