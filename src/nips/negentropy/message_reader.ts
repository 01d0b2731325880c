/**
 * Takes a negentropy message (protocol version 1) apart. What comes from a relay is hostile until it is taken apart.
 *
 * @module
 */
import { fail, ok, type Result } from "../../models/result.ts";
import {
  type Bound,
  compareBounds,
  HIGHEST,
  ID_BYTES,
  LOWEST,
} from "./bound.ts";
import type { NegentropyFault } from "./fault.ts";
import { FINGERPRINT_BYTES } from "./id_sum.ts";

/** The first byte of a message. */
export const PROTOCOL_VERSION = 0x61;

export const MODES = { skip: 0, fingerprint: 1, ids: 2 } as const;

/** Content of one range of a message. A range begins where the one before it ends, the first at the lowest bound. */
export interface MessageRange {
  readonly lower: Bound;
  /** Not included. */
  readonly upper: Bound;
  readonly content: RangeContent;
}

export type RangeContent =
  /** Nothing to do here. */
  | { readonly mode: "skip" }
  /** The fingerprint of everything the sender holds here. */
  | { readonly mode: "fingerprint"; readonly fingerprint: Uint8Array }
  /** All the sender holds here, 32 bytes each. */
  | { readonly mode: "ids"; readonly ids: Uint8Array };

/** More ranges than any message needs: the largest known frames have 60,000. */
const MAX_RANGES = 100_000;

/** The ranges of a message: ascending, without holes, the last one open to the top. */
export function parseMessage(
  message: Uint8Array,
): Result<MessageRange[], NegentropyFault> {
  const version = message[0];
  if (version === undefined || version < 0x60 || version > 0x6f) {
    return malformed(`a message begins with ${version ?? "nothing"}`);
  }
  if (version !== PROTOCOL_VERSION) return fail({ code: "version", version });
  const reader = new Reader(message.subarray(1));
  const ranges: MessageRange[] = [];
  let lower = LOWEST;
  while (!reader.isAtEnd) {
    const upper = reader.bound();
    const content = reader.content();
    if (reader.fault !== null) return malformed(reader.fault);
    if (compareBounds(upper, lower) < 0) {
      return malformed(`range ${ranges.length} ends before it begins`);
    }
    if (ranges.length === MAX_RANGES) {
      return malformed(`a message has more than ${MAX_RANGES} ranges`);
    }
    ranges.push({ lower, upper, content });
    lower = upper;
  }
  if (lower.timestamp !== Infinity) {
    ranges.push({ lower, upper: HIGHEST, content: { mode: "skip" } });
  }
  return ok(ranges);
}

function malformed(detail: string) {
  return fail<NegentropyFault>({ code: "malformed", detail });
}

/** Longer numbers do not fit into 64 bits. */
const MAX_VARINT_BYTES = 10;

/** Reads on after a fault, zeros from then on; `fault` is to be looked at before anything is believed. */
class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;
  #timestamp = 0;
  fault: string | null = null;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  bound(): Bound {
    const offset = this.#varint();
    this.#timestamp = offset === 0 ? Infinity : this.#timestamp + offset - 1;
    // A number that no double holds exactly is above every `created_at` here.
    if (!Number.isSafeInteger(this.#timestamp)) this.#timestamp = Infinity;
    const length = this.#varint();
    if (length > ID_BYTES) this.#fail(`a bound has ${length} bytes of an id`);
    // A copy, so that a bound that is kept does not keep the whole message.
    const prefix = this.#take(length).slice();
    return this.#timestamp === Infinity
      ? HIGHEST
      : { timestamp: this.#timestamp, prefix };
  }

  content(): RangeContent {
    const mode = this.#varint();
    switch (mode) {
      case MODES.fingerprint:
        return {
          mode: "fingerprint",
          fingerprint: this.#take(FINGERPRINT_BYTES),
        };
      case MODES.ids:
        return { mode: "ids", ids: this.#take(this.#varint() * ID_BYTES) };
      case MODES.skip:
        break;
      default:
        this.#fail(`a range has the mode ${mode}`);
    }
    return { mode: "skip" };
  }

  /** Numbers too large to be exact are `Infinity`. */
  #varint(): number {
    let value = 0;
    for (let i = 0; i < MAX_VARINT_BYTES; i++) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) return this.#fail("a message is cut off");
      value = value * 128 + (byte & 127);
      if (byte < 128) return Number.isSafeInteger(value) ? value : Infinity;
    }
    return this.#fail(`a number has more than ${MAX_VARINT_BYTES} bytes`);
  }

  #take(length: number): Uint8Array {
    if (length > this.#bytes.length - this.#at) {
      this.#fail("a message is cut off");
      return new Uint8Array();
    }
    const start = this.#at;
    this.#at += length;
    return this.#bytes.subarray(start, this.#at);
  }

  #fail(detail: string): number {
    this.fault ??= detail;
    this.#at = this.#bytes.length;
    return 0;
  }
}
