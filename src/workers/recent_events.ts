/**
 * The events a session has seen lately, in bounded memory.
 *
 * @module
 */

/** Remembers at least the last `capacity` events. An id that comes with another signature is another event. */
export class RecentEvents {
  readonly #capacity: number;
  #young = new Map<string, string>();
  #old = new Map<string, string>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Whether the event is new; it is not, the next time. */
  add({ id, sig }: { readonly id: string; readonly sig: string }): boolean {
    if (this.#young.get(id) === sig || this.#old.get(id) === sig) return false;
    if (this.#young.size >= this.#capacity) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(id, sig);
    return true;
  }
}
