/**
 * The events a session has seen lately, in bounded memory.
 *
 * @module
 */

/** Remembers at least the last `capacity` events. An id that comes with another signature is another event. */
export class RecentEvents {
  /** May be raised. */
  capacity: number;
  #young = new Set<string>();
  #old = new Set<string>();

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  /** Whether the event is new; it is not, the next time. */
  add({ id, sig }: { readonly id: string; readonly sig: string }): boolean {
    // Enough of both to tell them apart: the whole would be three times as much to keep.
    const key = id.slice(0, 32) + sig.slice(0, 32);
    if (this.#young.has(key) || this.#old.has(key)) return false;
    if (this.#young.size >= this.capacity) {
      this.#old = this.#young;
      this.#young = new Set();
    }
    this.#young.add(key);
    return true;
  }
}
