/**
 * Sums of ids, and the fingerprints made of them: what both sides compare instead of the ids themselves.
 *
 * Ids are numbers of 256 bits, little endian, and so are the words of every machine Deno runs on: eight words of 32
 * bits an id. Doubles add up more than a million such words exactly; the carries wait until then.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { varintBytes } from "./varint.ts";

/** 32-bit words of one id. */
export const ID_WORDS = 8;

export const FINGERPRINT_BYTES = 16;

const WORD = 2 ** 32;

/** Words of 32 bits that, with a carry, add up to less than 2^53. */
const EXACT_IDS = 2 ** 20;

/** A sum of ids modulo 2^256. */
export class IdSum {
  readonly #words = new Float64Array(ID_WORDS);

  /** Adds the ids from number `from` up to, but not including, number `to`. */
  add(ids: Uint32Array, from: number, to: number): this {
    for (let start = from; start < to; start += EXACT_IDS) {
      this.#accumulate(ids, Math.min(to, start + EXACT_IDS), {
        start,
        sign: 1,
      });
    }
    return this;
  }

  subtract(ids: Uint32Array, from: number, to: number): this {
    for (let start = from; start < to; start += EXACT_IDS) {
      this.#accumulate(ids, Math.min(to, start + EXACT_IDS), {
        start,
        sign: -1,
      });
    }
    return this;
  }

  /** The sum, in the form of an id: it can be added to another one. */
  words(): Uint32Array {
    return Uint32Array.from(this.#words);
  }

  #accumulate(
    ids: Uint32Array,
    to: number,
    { start, sign }: { start: number; sign: 1 | -1 },
  ): void {
    const words = this.#words;
    for (let id = start * ID_WORDS; id < to * ID_WORDS; id += ID_WORDS) {
      for (let i = 0; i < ID_WORDS; i++) words[i]! += sign * ids[id + i]!;
    }
    let carry = 0;
    for (let i = 0; i < ID_WORDS; i++) {
      const word = words[i]! + carry;
      carry = Math.floor(word / WORD);
      words[i] = word - carry * WORD;
    }
  }
}

/** The first 16 bytes of sha256(sum ‖ varint of how many ids it is the sum of). */
export function fingerprintOf(sum: IdSum, count: number): Uint8Array {
  return createHash("sha256").update(new Uint8Array(sum.words().buffer))
    .update(varintBytes(count)).digest().subarray(0, FINGERPRINT_BYTES);
}

export function isSameFingerprint(a: Uint8Array, b: Uint8Array): boolean {
  return a.every((byte, i) => byte === b[i]);
}
