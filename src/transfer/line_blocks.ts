/**
 * A stream of bytes as blocks of numbered lines, with bounds, and with the byte where one could go on.
 *
 * @module
 */

import { type ChunkOptions, chunksAndPauses } from "./chunks.ts";

/** A line, without its line break. Numbers count from 1. */
export interface Line {
  readonly number: number;
  readonly text: string;
}

/** A line that is no text to look at. */
export interface LineFault {
  readonly number: number;
  readonly code: "too-large" | "encoding";
  readonly detail: string;
}

export interface LineBlock {
  /** Blank lines are left out. */
  readonly lines: readonly Line[];
  readonly faults: readonly LineFault[];
  /** The position up to which reading is final: the byte after the last line break, and the number of its line. */
  readonly end: Position;
  /** The last bytes before `end`, by which the place can be recognised. */
  readonly tail: Uint8Array;
}

/** A place between two lines. */
export interface Position {
  /** Bytes before it, uncompressed. */
  readonly offset: number;
  /** Lines before it. */
  readonly line: number;
}

export interface LineBlockOptions extends ChunkOptions {
  /** The position at which the stream begins. */
  readonly from: Position;
  /** A line of more bytes is a fault, and is not buffered. */
  readonly maxLineBytes: number;
  /** About how many bytes make a block. */
  readonly blockBytes: number;
}

const LINE_BREAK = 10;

/** How many bytes a tail has, unless the block is shorter. */
const TAIL_BYTES = 1024;

/**
 * Splits a stream into blocks of about `blockBytes` and at least one line break; smaller ones where the stream pauses.
 * A last line without a line break is read, but `end` stays before it: the writer of the file may not have finished
 * it. When the stream fails, the lines that were complete are given, and then its failure is thrown. When the signal aborts, the blocks end, and what is not in one of them is dropped.
 */
export async function* lineBlocks(
  bytes: AsyncIterable<Uint8Array>,
  options: LineBlockOptions,
): AsyncGenerator<LineBlock> {
  const splitter = new LineSplitter(options);
  const end = yield* blocksUntilEnd(bytes, { ...options, splitter });
  const rest = options.signal.aborted
    ? null
    : "failure" in end
    ? splitter.pause()
    : splitter.finish();
  if (rest !== null) yield rest;
  if ("failure" in end) throw end.failure;
}

/** Full blocks; returns how the stream ended, since what is in hand of a stream that failed is still to be given. */
async function* blocksUntilEnd(
  bytes: AsyncIterable<Uint8Array>,
  options: LineBlockOptions & { readonly splitter: LineSplitter },
): AsyncGenerator<LineBlock, { readonly failure?: unknown }> {
  const { splitter } = options;
  try {
    for await (const chunk of chunksAndPauses(bytes, options)) {
      const block = chunk === null ? splitter.pause() : splitter.take(chunk);
      if (block !== null) yield block;
    }
    return {};
  } catch (failure) {
    return { failure };
  }
}

class LineSplitter {
  readonly #maxLineBytes: number;
  readonly #blockBytes: number;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true });
  #offset: number;
  #line: number;
  /** Not yet given out; no part of it belongs to a line that is being dropped. */
  #held: Uint8Array[] = [];
  #bufferedBytes = 0;
  /** Whether a line break is among them. */
  #hasBreak = false;
  /** Bytes of a line that is too large, dropped as they came; 0 when there is none. */
  #droppedBytes = 0;

  constructor({ from, maxLineBytes, blockBytes }: LineBlockOptions) {
    this.#offset = from.offset;
    this.#line = from.line;
    this.#maxLineBytes = maxLineBytes;
    this.#blockBytes = blockBytes;
  }

  /** A block, as soon as enough has come. */
  take(chunk: Uint8Array): LineBlock | null {
    this.#held.push(chunk);
    this.#hasBreak ||= chunk.includes(LINE_BREAK);
    this.#bufferedBytes += chunk.length;
    // A block without a line break would only be searched again with the next chunk.
    const enough = this.#droppedBytes > 0 ||
      this.#bufferedBytes > this.#maxLineBytes ||
      (this.#bufferedBytes >= this.#blockBytes && this.#hasBreak);
    return enough ? this.#block() : null;
  }

  /** The lines that are complete by now. */
  pause(): LineBlock | null {
    return this.#block();
  }

  /** The rest when the stream has ended. */
  finish(): LineBlock | null {
    const block = this.#block();
    const rest = this.#join();
    if (rest.length + this.#droppedBytes === 0) return block;
    const last = this.#readLine(rest, this.#line + 1);
    return {
      lines: [...block?.lines ?? [], ...last.lines],
      faults: [...block?.faults ?? [], ...last.faults],
      end: block?.end ?? { offset: this.#offset, line: this.#line },
      tail: block?.tail ?? new Uint8Array(),
    };
  }

  /** Everything up to the last line break that is held; null when there is none. */
  #block(): LineBlock | null {
    const bytes = this.#join();
    const length = bytes.lastIndexOf(LINE_BREAK) + 1;
    const block = length === 0 ? null : this.#read(bytes.subarray(0, length));
    // Copied, so that a short rest does not keep a whole block in memory.
    const rest = bytes.slice(length);
    const drop = this.#droppedBytes > 0 || rest.length > this.#maxLineBytes;
    if (drop) this.#droppedBytes += rest.length;
    this.#held = drop ? [] : [rest];
    this.#hasBreak = false;
    this.#bufferedBytes = drop ? 0 : rest.length;
    return block;
  }

  #join(): Uint8Array {
    const [first = new Uint8Array()] = this.#held;
    if (this.#held.length < 2) return first;
    const joined = new Uint8Array(this.#bufferedBytes);
    let at = 0;
    for (const part of this.#held) {
      joined.set(part, at);
      at += part.length;
    }
    this.#held = [joined];
    return joined;
  }

  #read(bytes: Uint8Array): LineBlock {
    const lines: Line[] = [];
    const faults: LineFault[] = [];
    let start = 0;
    this.#offset += this.#droppedBytes + bytes.length;
    while (start < bytes.length) {
      const stop = bytes.indexOf(LINE_BREAK, start);
      this.#line++;
      const read = this.#readLine(bytes.subarray(start, stop), this.#line);
      lines.push(...read.lines);
      faults.push(...read.faults);
      this.#droppedBytes = 0;
      start = stop + 1;
    }
    const end = { offset: this.#offset, line: this.#line };
    return { lines, faults, end, tail: bytes.slice(-TAIL_BYTES) };
  }

  #readLine(
    bytes: Uint8Array,
    number: number,
  ): { lines: Line[]; faults: LineFault[] } {
    const length = this.#droppedBytes + bytes.length;
    if (length > this.#maxLineBytes) {
      const detail = `${length} bytes, of ${this.#maxLineBytes} allowed`;
      return { lines: [], faults: [{ number, code: "too-large", detail }] };
    }
    try {
      const text = this.#decoder.decode(bytes).trim();
      return { lines: text === "" ? [] : [{ number, text }], faults: [] };
    } catch {
      const detail = "Not UTF-8";
      return { lines: [], faults: [{ number, code: "encoding", detail }] };
    }
  }
}
