/**
 * How many distinct keys there are, without keeping them: HyperLogLog with 4,096 registers (p = 12).
 *
 * The estimate is Ertl's improved one (arXiv 1702.01284, algorithm 6), which needs no correction for few or for many keys.
 * Neither the order nor the repetition of keys matters, and merged sketches are what adding all keys to one would have made.
 * Nothing can be subtracted.
 *
 * As bytes: 3 for each register that is not zero (index and rank as one big-endian number, ascending), and 4,096, one a
 * register, when that is shorter. The same keys always make the same bytes.
 *
 * @module
 */

/** Relative standard error of an estimate. */
export const RELATIVE_ERROR = 1.04 / Math.sqrt(4096);

const REGISTERS = 4096;
/** 52 bits of a hash choose the rank: the position of the first that is 1, or 53 without one. */
const MAX_RANK = 53;
const ENTRY_BYTES = 3;
/** With more entries than these, registers are shorter. */
const MAX_ENTRIES = Math.floor(REGISTERS / ENTRY_BYTES);

/** A set of keys, as far as their number goes. */
export class DistinctSketch {
  /** Rank by index, while few are not zero. */
  #sparse: Map<number, number> | null = new Map();
  #registers = NO_REGISTERS;

  /** What `bytes()` gave; an empty sketch for null. Throws when no sketch has such bytes. */
  static of(bytes: Uint8Array | null): DistinctSketch {
    const sketch = new DistinctSketch();
    if (bytes === null) return sketch;
    if (bytes.length === REGISTERS) sketch.#readRegisters(bytes);
    else sketch.#readEntries(bytes);
    return sketch;
  }

  /** Adds a key, given by its `sketchEntry`; returns whether that changed a register. */
  addEntry(entry: number): boolean {
    return this.#raise(entry >>> 6, entry & 63);
  }

  /** Adds all keys of another sketch; returns whether that changed a register. */
  merge(other: DistinctSketch): boolean {
    let isChanged = false;
    if (other.#sparse !== null) {
      for (const [index, rank] of other.#sparse) {
        if (this.#raise(index, rank)) isChanged = true;
      }
      return isChanged;
    }
    if (this.#sparse !== null) this.#expand(this.#sparse);
    const registers = this.#registers;
    const others = other.#registers;
    for (let index = 0; index < REGISTERS; index++) {
      if (others[index]! > registers[index]!) {
        registers[index] = others[index]!;
        isChanged = true;
      }
    }
    return isChanged;
  }

  /** How many distinct keys were added; `RELATIVE_ERROR` says how well. 0 for none. */
  estimate(): number {
    const counts = new Uint32Array(MAX_RANK + 1);
    if (this.#sparse === null) {
      for (const rank of this.#registers) counts[rank]!++;
    } else {
      counts[0] = REGISTERS - this.#sparse.size;
      for (const rank of this.#sparse.values()) counts[rank]!++;
    }
    return estimateOf(counts);
  }

  /** What is stored; the caller's own. */
  bytes(): Uint8Array<ArrayBuffer> {
    if (this.#sparse === null) return this.#registers.slice();
    const entries = Uint32Array.from(
      this.#sparse,
      ([index, rank]) => index << 6 | rank,
    ).sort();
    const bytes = new Uint8Array(entries.length * ENTRY_BYTES);
    for (const [i, entry] of entries.entries()) {
      bytes[i * ENTRY_BYTES] = entry >>> 16;
      bytes[i * ENTRY_BYTES + 1] = entry >>> 8;
      bytes[i * ENTRY_BYTES + 2] = entry;
    }
    return bytes;
  }

  #raise(index: number, rank: number): boolean {
    if (this.#sparse === null) {
      if (rank <= this.#registers[index]!) return false;
      this.#registers[index] = rank;
      return true;
    }
    if (rank <= (this.#sparse.get(index) ?? 0)) return false;
    this.#sparse.set(index, rank);
    if (this.#sparse.size > MAX_ENTRIES) this.#expand(this.#sparse);
    return true;
  }

  #expand(sparse: ReadonlyMap<number, number>): void {
    this.#registers = new Uint8Array(REGISTERS);
    for (const [index, rank] of sparse) this.#registers[index] = rank;
    this.#sparse = null;
  }

  #readRegisters(bytes: Uint8Array): void {
    let used = 0;
    let highest = 0;
    for (let index = 0; index < REGISTERS; index++) {
      const rank = bytes[index]!;
      if (rank > 0) used++;
      if (rank > highest) highest = rank;
    }
    if (used <= MAX_ENTRIES || highest > MAX_RANK) {
      throw new RangeError(
        `Cannot read a sketch with ${used} of ${REGISTERS} registers up to rank ${highest}`,
      );
    }
    this.#registers = bytes.slice();
    this.#sparse = null;
  }

  #readEntries(bytes: Uint8Array): void {
    if (
      bytes.length % ENTRY_BYTES !== 0 ||
      bytes.length > MAX_ENTRIES * ENTRY_BYTES
    ) {
      throw new RangeError(
        `Cannot read a sketch of ${bytes.length} bytes: it has ${REGISTERS}, or ${ENTRY_BYTES} for each register, at most ${
          MAX_ENTRIES * ENTRY_BYTES
        }`,
      );
    }
    let last = -1;
    for (let i = 0; i < bytes.length; i += ENTRY_BYTES) {
      const entry = bytes[i]! << 16 | bytes[i + 1]! << 8 | bytes[i + 2]!;
      const index = entry >>> 6;
      const rank = entry & 63;
      if (
        index <= last || index >= REGISTERS || rank === 0 || rank > MAX_RANK
      ) {
        throw new RangeError(
          `Cannot read a sketch with register ${index} of rank ${rank} after register ${last}`,
        );
      }
      this.#raise(index, rank);
      last = index;
    }
  }
}

const NO_REGISTERS = new Uint8Array(0);

/**
 * A key of 32 bytes as `DistinctSketch.addEntry` takes it: which register, and which rank, for any number of sketches.
 *
 * All bytes are mixed first: who chooses keys by their first or last bytes must not choose registers.
 */
export function sketchEntry(keys: Uint8Array, offset: number): number {
  let high = 0x9e3779b9;
  let low = 0x7f4a7c15;
  for (let at = offset; at < offset + 32; at += 8) {
    const first = keys[at]! | keys[at + 1]! << 8 | keys[at + 2]! << 16 |
      keys[at + 3]! << 24;
    const second = keys[at + 4]! | keys[at + 5]! << 8 | keys[at + 6]! << 16 |
      keys[at + 7]! << 24;
    // The block of MurmurHash3_x86_128, with two lanes.
    high ^= Math.imul(rotate(Math.imul(first, 0x239b961b), 15), 0xab0e9789);
    high = Math.imul(rotate(high, 19) + low, 5) + 0x561ccd1b | 0;
    low ^= Math.imul(rotate(Math.imul(second, 0x38b34ae5), 16), 0xa1e38b93);
    low = Math.imul(rotate(low, 17) + high, 5) + 0x0bcaa747 | 0;
  }
  high = high + low | 0;
  low = low + high | 0;
  high = avalanche(high);
  low = avalanche(low);
  high = high + low | 0;
  low = low + high | 0;
  const rest = high & 0xfffff;
  const rank = rest === 0 ? Math.clz32(low) + 21 : Math.clz32(rest) - 11;
  return high >>> 20 << 6 | rank;
}

function rotate(word: number, bits: number): number {
  return word << bits | word >>> (32 - bits);
}

function avalanche(word: number): number {
  word = Math.imul(word ^ word >>> 16, 0x85ebca6b);
  word = Math.imul(word ^ word >>> 13, 0xc2b2ae35);
  return word ^ word >>> 16;
}

/** By how many registers have which rank. */
function estimateOf(counts: Uint32Array): number {
  let sum = REGISTERS * tau(1 - counts[MAX_RANK]! / REGISTERS);
  for (let rank = MAX_RANK - 1; rank >= 1; rank--) {
    sum = (sum + counts[rank]!) / 2;
  }
  sum += REGISTERS * sigma(counts[0]! / REGISTERS);
  return REGISTERS * REGISTERS / (2 * Math.LN2 * sum);
}

/** What registers that are zero add; infinite when all are. */
function sigma(share: number): number {
  if (share === 1) return Infinity;
  let power = share;
  let weight = 1;
  let sum = share;
  for (let last = -1; sum !== last;) {
    last = sum;
    power *= power;
    sum += power * weight;
    weight *= 2;
  }
  return sum;
}

/** What registers of the highest rank take away; 0 without any. */
function tau(share: number): number {
  if (share === 0 || share === 1) return 0;
  let root = share;
  let weight = 1;
  let sum = 1 - share;
  for (let last = -1; sum !== last;) {
    last = sum;
    root = Math.sqrt(root);
    weight /= 2;
    sum -= (1 - root) ** 2 * weight;
  }
  return sum / 3;
}
