/**
 * Randomness that follows from a seed, so that a relay behaves the same each time it is played.
 *
 * @module
 */

/** Mulberry32: 32 bits of state are plenty for test data. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** From 0 up to, and without, 1. */
  next(): number {
    this.#state = (this.#state + 0x6D2B79F5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from 0 up to, and without, `below`. */
  below(below: number): number {
    return Math.floor(this.next() * below);
  }

  /** A whole number from `least` to `most`, both included; small ones as often as large ones of the same length. */
  spread(least: number, most: number): number {
    const low = Math.log(least + 1);
    const drawn = low + this.next() * (Math.log(most + 2) - low);
    return Math.min(most, Math.max(least, Math.floor(Math.exp(drawn) - 1)));
  }

  /** True in so many of a hundred cases. */
  chance(percent: number): boolean {
    return this.next() * 100 < percent;
  }

  /** One of `items`, which must not be empty. */
  pick<T>(items: readonly T[]): T {
    const picked = items[this.below(items.length)];
    if (picked === undefined) throw new Error("Cannot pick one of none");
    return picked;
  }

  /** The same items in a drawn order. */
  shuffle<T>(items: readonly T[]): T[] {
    const shuffled = [...items];
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const moved = shuffled[i]!;
      shuffled[i] = shuffled[j]!;
      shuffled[j] = moved;
    }
    return shuffled;
  }
}

/** A number that follows from two others and looks like none of them: 32 bits. */
export function mix(a: number, b: number): number {
  let mixed = Math.imul((a ^ 0x9E3779B9) + b | 0, 0x85EBCA6B);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xC2B2AE35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** From 0 up to, and without, 1; fixed for an id and a salt. */
export function fraction(id: string, salt: number): number {
  return mix(parseInt(id.slice(0, 8), 16), salt) / 2 ** 32;
}
