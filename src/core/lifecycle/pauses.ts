/**
 * Queues left alone for a while, because the way to all of their items is closed (a proxy is down).
 *
 * @module
 */

/** The queues left alone, each until a moment of the monotonic clock. */
export class Pauses<L> {
  readonly #endsAtMs = new Map<L, number>();

  /** Leaves a queue alone for `ms`; false when it was already. */
  begin(queue: L, ms: number): boolean {
    if (this.has(queue)) return false;
    this.#endsAtMs.set(queue, performance.now() + ms);
    return true;
  }

  has(queue: L): boolean {
    return performance.now() < (this.#endsAtMs.get(queue) ?? 0);
  }
}
