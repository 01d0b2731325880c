/**
 * Files that hold one JSON array of events, as many tools write them, read as JSONL.
 *
 * @module
 */
import type { ByteReader } from "./byte_reader.ts";
import { DamagedError } from "./decompress.ts";

/**
 * The bytes with each element of the array on a line of its own. Every byte stands where it stood, so that offsets
 * mean the same; several arrays may follow each other. Throws {@linkcode DamagedError} when the last one is not closed.
 */
export async function* elementsAsLines(
  input: ByteReader,
): AsyncGenerator<Uint8Array> {
  const scanner = new ArrayScanner();
  for await (const chunk of input.rest()) yield scanner.lines(chunk);
  if (scanner.isOpen) {
    throw new DamagedError("ends in the middle of its JSON array");
  }
}

const SPACE = 0x20;
const LINE_BREAK = 0x0a;
const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPENING: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const CLOSING: ReadonlySet<number> = new Set([0x5d, 0x7d]);

class ArrayScanner {
  /** Brackets and braces that are open. */
  #depth = 0;
  #isInText = false;
  #isEscaped = false;

  get isOpen(): boolean {
    return this.#depth > 0;
  }

  lines(chunk: Uint8Array): Uint8Array {
    const lines = chunk.slice();
    for (let at = 0; at < lines.length; at++) {
      const byte = lines[at] ?? 0;
      if (this.#isInText) this.#inText(byte);
      else lines[at] = this.#outside(byte);
    }
    return lines;
  }

  #inText(byte: number): void {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (byte === BACKSLASH) this.#isEscaped = true;
    else if (byte === QUOTE) this.#isInText = false;
  }

  /** The byte to write for one that is in no text. */
  #outside(byte: number): number {
    if (byte === QUOTE) this.#isInText = true;
    else if (OPENING.has(byte)) return this.#depth++ === 0 ? SPACE : byte;
    else if (CLOSING.has(byte) && this.isOpen) {
      return --this.#depth === 0 ? LINE_BREAK : byte;
    } else if (byte === COMMA && this.#depth === 1) return LINE_BREAK;
    else if (byte === LINE_BREAK && this.isOpen) return SPACE;
    return byte;
  }
}
