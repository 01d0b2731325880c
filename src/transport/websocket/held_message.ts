/**
 * What is held of a message that has not come to its end: never more than it may have, of a longer one its two ends, and
 * of all connections together no more than their thread has for it.
 *
 * @module
 */
import { Buffer } from "node:buffer";

/** A text message: whole, or the two ends of one that is longer than was to be read. */
export type SocketMessage = string | CutMessage;

/** A message of which only the ends were kept. */
export interface CutMessage {
  readonly start: string;
  readonly end: string;
  /** The length of the whole message, bytes. */
  readonly bytes: number;
}

/** The bytes of a message, by how it begins, that are read at most; of a longer one only the ends are kept. */
export type ReadBound = (start: string) => number;

/** A message of up to so many bytes is read however it begins: before that, nothing is asked. */
export const ALWAYS_READ_BYTES = 64 * 1024;

/** By so many bytes a message is judged. */
const JUDGED_BYTES = 200;
/** What is kept of either end of a message that is cut: the fields of an event that tell which it was are at one of them. */
const END_BYTES = 16 * 1024;
const FIRST_BYTES = 1_024;

/** Decodes what is cut somewhere, maybe within a character. */
const lenient = new TextDecoder("utf-8", { ignoreBOM: true });

export class HeldMessage {
  readonly #boundOf: ReadBound;
  readonly #memory: UnfinishedMessages;
  #held: Uint8Array<ArrayBufferLike> = EMPTY;
  #length = 0;
  #end: Uint8Array<ArrayBufferLike> = EMPTY;
  #bytes = 0;
  #bound: number | null = null;
  #isCut = false;

  constructor(boundOf: ReadBound, memory: UnfinishedMessages) {
    this.#boundOf = boundOf;
    this.#memory = memory;
  }

  /** Bytes that have come of it. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Memory that it takes, bytes. */
  get heldBytes(): number {
    return this.#held.length + this.#end.length;
  }

  /** Adds what came; `announced` is the length that the message has at least by now, bytes. */
  append(part: Uint8Array, announced: number): void {
    this.#bytes += part.length;
    if (this.#isCut) return this.#keepEnd(part);
    this.#hold(part);
    if (announced <= ALWAYS_READ_BYTES || this.#length < JUDGED_BYTES) return;
    this.#bound ??= this.#boundOf(
      Buffer.from(this.#held.subarray(0, JUDGED_BYTES)).toString("latin1"),
    );
    if (announced > Math.max(this.#bound, ALWAYS_READ_BYTES)) this.cut();
    else this.#memory.update(this);
  }

  /** Keeps only its ends from now on. */
  cut(): void {
    if (this.#isCut) return;
    this.#isCut = true;
    const came = this.#held.subarray(0, this.#length);
    this.#held = came.slice(0, END_BYTES);
    this.#length = this.#held.length;
    this.#keepEnd(came.subarray(this.#length));
    this.#memory.forget(this);
  }

  /** The message at its end. Throws where it is not valid UTF-8. */
  take(decode: (bytes: Uint8Array) => string): SocketMessage {
    this.#memory.forget(this);
    const held = this.#held.subarray(0, this.#length);
    if (!this.#isCut) return decode(held);
    const end = this.#end.subarray(-END_BYTES);
    return {
      start: lenient.decode(held),
      end: lenient.decode(end),
      bytes: this.#bytes,
    };
  }

  /** Gives its memory back: the message will not come to its end. */
  drop(): void {
    this.#isCut = true;
    this.#held = EMPTY;
    this.#length = 0;
    this.#end = EMPTY;
    this.#memory.forget(this);
  }

  /** Copies: what a socket gives is a view of a larger buffer, which it would keep alive. */
  #hold(part: Uint8Array): void {
    const length = this.#length + part.length;
    if (length > this.#held.length) {
      const grown = new Uint8Array(
        Math.max(length, 2 * this.#held.length, FIRST_BYTES),
      );
      grown.set(this.#held.subarray(0, this.#length));
      this.#held = grown;
    }
    this.#held.set(part, this.#length);
    this.#length = length;
  }

  #keepEnd(part: Uint8Array): void {
    const last = part.subarray(-END_BYTES);
    if (this.#end.length + last.length <= 2 * END_BYTES) {
      this.#end = Buffer.concat([this.#end, last]);
    } else {
      const before = this.#end.subarray(last.length - END_BYTES || Infinity);
      this.#end = Buffer.concat([before, last]);
    }
  }
}

/**
 * The large messages that a thread holds unfinished. When they are too many, the one that was begun first is cut: who
 * never finishes what he began makes room for those who do.
 */
export class UnfinishedMessages {
  readonly #maxBytes: number;
  /** In the order in which they became large, with what each holds. */
  readonly #held = new Map<HeldMessage, number>();
  #bytes = 0;

  /** `maxBytes` is for all together; a message that is alone is not bounded by it. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** A message holds more than before. */
  update(message: HeldMessage): void {
    const { heldBytes } = message;
    this.#bytes += heldBytes - (this.#held.get(message) ?? 0);
    this.#held.set(message, heldBytes);
    for (const oldest of this.#held.keys()) {
      if (this.#bytes <= this.#maxBytes || this.#held.size === 1) return;
      oldest.cut();
    }
  }

  forget(message: HeldMessage): void {
    this.#bytes -= this.#held.get(message) ?? 0;
    this.#held.delete(message);
  }
}

const EMPTY = new Uint8Array();
