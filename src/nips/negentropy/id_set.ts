/**
 * A set of ids in 36 to 50 bytes each; a set of strings takes twice that and more.
 *
 * @module
 */
import { ID_WORDS } from "./id_sum.ts";

/** A random salt: the sender of ids cannot know where they will lie, and so cannot make them all lie in one place. */
const SALT = crypto.getRandomValues(new Uint32Array(1))[0]!;

export class IdSet {
  #words = new Uint32Array(16 * ID_WORDS);
  /** For each slot the number of an id, counted from 1; 0 is free. A power of two, never more than half full. */
  #slots = new Uint32Array(32);
  #size = 0;

  /** Ids in it; they are numbered in the order in which they came. */
  get size(): number {
    return this.#size;
  }

  /** All ids, eight words each. */
  get words(): Uint32Array {
    return this.#words.subarray(0, this.#size * ID_WORDS);
  }

  /** The ids from number `from` on, 32 bytes each, in a copy. */
  bytes(from: number): Uint8Array {
    return new Uint8Array(this.words.slice(from * ID_WORDS).buffer);
  }

  /** Adds id number `index` of `ids`; false when it was there. */
  add(ids: Uint32Array, index: number): boolean {
    const slot = this.#slotOf(ids, index);
    if (this.#slots[slot] !== 0) return false;
    this.#append(ids, index);
    this.#slots[slot] = this.#size;
    if (this.#size * 2 > this.#slots.length) this.#grow();
    return true;
  }

  /** The number of an id in this set, or -1. */
  indexOf(ids: Uint32Array, index: number): number {
    return this.#slots[this.#slotOf(ids, index)]! - 1;
  }

  #slotOf(ids: Uint32Array, index: number): number {
    const mask = this.#slots.length - 1;
    let slot = hashOf(ids, index) & mask;
    for (;;) {
      const number = this.#slots[slot]!;
      if (number === 0 || this.#equals(number - 1, ids, index)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #equals(own: number, ids: Uint32Array, index: number): boolean {
    for (let i = 0; i < ID_WORDS; i++) {
      const word = this.#words[own * ID_WORDS + i];
      if (word !== ids[index * ID_WORDS + i]) return false;
    }
    return true;
  }

  #append(ids: Uint32Array, index: number): void {
    const end = this.#size * ID_WORDS;
    if (end === this.#words.length) {
      const larger = new Uint32Array(end * 2);
      larger.set(this.#words);
      this.#words = larger;
    }
    const start = index * ID_WORDS;
    this.#words.set(ids.subarray(start, start + ID_WORDS), end);
    this.#size += 1;
  }

  #grow(): void {
    this.#slots = new Uint32Array(this.#slots.length * 2);
    for (let number = 1; number <= this.#size; number++) {
      this.#slots[this.#slotOf(this.#words, number - 1)] = number;
    }
  }
}

function hashOf(ids: Uint32Array, index: number): number {
  let hash = SALT;
  for (let i = index * ID_WORDS; i < (index + 1) * ID_WORDS; i++) {
    hash = Math.imul(hash ^ ids[i]!, 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  return hash;
}
