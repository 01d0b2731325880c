/**
 * Puts a negentropy message (protocol version 1) together, range by range in ascending order.
 *
 * @module
 */
import { type Bound, ID_BYTES } from "./bound.ts";
import { MODES, PROTOCOL_VERSION } from "./message_reader.ts";
import { varintBytes } from "./varint.ts";

/** A place in a message to go back to. */
export interface Mark {
  readonly length: number;
  readonly timestamp: number;
  readonly skipped: Bound | null;
}

export class MessageWriter {
  #bytes = new Uint8Array(4_096);
  #length = 0;
  #timestamp = 0;
  /** Up to here nothing is to be said; it is written only when something follows. */
  #skipped: Bound | null = null;

  constructor() {
    this.#put(Uint8Array.of(PROTOCOL_VERSION));
  }

  /** Bytes so far. */
  get length(): number {
    return this.#length;
  }

  skip(upper: Bound): void {
    this.#skipped = upper;
  }

  fingerprint(upper: Bound, fingerprint: Uint8Array): void {
    this.#begin(upper, MODES.fingerprint);
    this.#put(fingerprint);
  }

  /** `ids` are 32 bytes each. */
  ids(upper: Bound, ids: Uint8Array): void {
    this.#begin(upper, MODES.ids);
    this.#put(varintBytes(ids.length / ID_BYTES));
    this.#put(ids);
  }

  mark(): Mark {
    return {
      length: this.#length,
      timestamp: this.#timestamp,
      skipped: this.#skipped,
    };
  }

  /** Forgets what was written since. */
  goBack({ length, timestamp, skipped }: Mark): void {
    this.#length = length;
    this.#timestamp = timestamp;
    this.#skipped = skipped;
  }

  /** The message. What follows the last range counts as skipped. */
  message(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #begin(upper: Bound, mode: number): void {
    if (this.#skipped !== null) {
      this.#bound(this.#skipped);
      this.#put(varintBytes(MODES.skip));
      this.#skipped = null;
    }
    this.#bound(upper);
    this.#put(varintBytes(mode));
  }

  #bound({ timestamp, prefix }: Bound): void {
    const offset = timestamp === Infinity ? 0 : timestamp - this.#timestamp + 1;
    this.#timestamp = timestamp;
    this.#put(varintBytes(offset));
    this.#put(varintBytes(prefix.length));
    this.#put(prefix);
  }

  #put(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(length, this.#bytes.length * 2));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length = length;
  }
}
