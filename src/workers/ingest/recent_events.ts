/**
 * The events a session has seen lately, in bounded memory.
 *
 * @module
 */

/** Remembers at least the last `capacity` events. An id that comes with another signature is another event. */
export class RecentEvents {
  /** May be raised. */
  capacity: number;
  #young = new Fingerprints();
  #old = new Fingerprints();

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  /** Whether the event is new; it is not, the next time. Both parts are in hex, as events have them. */
  add({ id, sig }: { readonly id: string; readonly sig: string }): boolean {
    const high = bitsAt(id, 0) ^ bitsAt(sig, 0);
    const low = bitsAt(id, 8) ^ bitsAt(sig, 8);
    if (this.#old.has(high, low)) return false;
    if (this.#young.size >= this.capacity && !this.#young.has(high, low)) {
      this.#old = this.#young;
      this.#young = new Fingerprints();
    }
    return this.#young.add(high, low);
  }
}

/** The 32 bits that eight hexadecimal digits in lower case stand for. */
function bitsAt(hex: string, from: number): number {
  let bits = 0;
  for (let i = from; i < from + 8; i++) {
    const code = hex.charCodeAt(i);
    bits = bits << 4 | (code > 57 ? code - 87 : code - 48);
  }
  return bits;
}

const FIRST_SLOTS = 256;

/**
 * A set of 64-bit numbers, open addressed: 11 to 22 bytes each, where a set of strings takes 230 and two hundred sessions
 * in one process hold a million of them.
 *
 * Ids are SHA-256 and signatures as good as random, so that two events of a session are taken for one less than once in
 * 10¹⁰ sessions; a relay that looks for such a pair cheats nobody but itself.
 */
class Fingerprints {
  size = 0;
  /** Two words a slot; the first is 0 where it is free. */
  #words = new Int32Array(2 * FIRST_SLOTS);

  has(high: number, low: number): boolean {
    return this.#words[this.#slotOf(high, low)] !== 0;
  }

  /** Whether it was not there. */
  add(high: number, low: number): boolean {
    const slot = this.#slotOf(high, low);
    if (this.#words[slot] !== 0) return false;
    this.#words[slot] = high || 1;
    this.#words[slot + 1] = low;
    this.size += 1;
    if (8 * this.size > 3 * this.#words.length) this.#grow();
    return true;
  }

  /** Where it is, or would be. */
  #slotOf(high: number, low: number): number {
    const words = this.#words;
    const mask = words.length - 1;
    let slot = 2 * low & mask;
    while (
      words[slot] !== 0 &&
      (words[slot] !== (high || 1) || words[slot + 1] !== low)
    ) slot = slot + 2 & mask;
    return slot;
  }

  #grow(): void {
    const before = this.#words;
    this.#words = new Int32Array(2 * before.length);
    for (let slot = 0; slot < before.length; slot += 2) {
      const high = before[slot]!;
      if (high === 0) continue;
      const low = before[slot + 1]!;
      const to = this.#slotOf(high, low);
      this.#words[to] = high;
      this.#words[to + 1] = low;
    }
  }
}
