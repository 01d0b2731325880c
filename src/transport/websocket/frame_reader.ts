/**
 * Frames of a WebSocket server (RFC 6455, section 5) to messages: no extensions, nothing masked, text only.
 *
 * npm:ws, which writes our frames, holds a message until all of it is there, and in the pieces in which it came. Here
 * what is held is bounded by how the message begins, and a longer one passes by.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import {
  ALWAYS_READ_BYTES,
  HeldMessage,
  type ReadBound,
  type SocketMessage,
  type UnfinishedMessages,
} from "./held_message.ts";

/** Takes what the frames say, in their order, while they are read. */
export interface FrameSink {
  message(message: SocketMessage): void;
  ping(data: Uint8Array): void;
  pong(data: Uint8Array): void;
  /** The peer says goodbye; 1005 stands for a close frame without a status. */
  close(status: number, reason: string): void;
  /** Nothing more can be read. */
  breach(breach: FrameBreach): void;
}

/** Why nothing more can be read: `status` is what a close frame says of it. */
export interface FrameBreach {
  readonly status: 1002 | 1003 | 1007 | 1009;
  readonly detail: string;
}

export interface FrameReaderOptions {
  /** A longer message is a breach. */
  readonly maxMessageBytes: number;
  /** Of a longer message only the ends are read. */
  readonly boundOf: ReadBound;
  readonly memory: UnfinishedMessages;
  readonly sink: FrameSink;
}

/** Longest payload of a control frame. */
const MAX_CONTROL_BYTES = 125;

const CONTINUATION = 0;
const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

interface Header {
  readonly bytes: number;
  readonly isFinal: boolean;
  /** RSV bits, opcode and mask bit as they are. */
  readonly reserved: number;
  readonly opcode: number;
  readonly isMasked: boolean;
  readonly length: number;
}

export class FrameReader {
  readonly #options: FrameReaderOptions;
  /** The start of a header that has not come whole. */
  #rest: Uint8Array<ArrayBufferLike> = EMPTY;
  #frame: Header | null = null;
  /** Bytes of the frame that are to come. */
  #left = 0;
  #control: Uint8Array<ArrayBufferLike> = EMPTY;
  /** The message that has begun and not ended. */
  #message: HeldMessage | null = null;
  #hasEnded = false;

  constructor(options: FrameReaderOptions) {
    this.#options = options;
  }

  /** Reads what came; all that is whole by now has been given when it returns. Nothing after the end. */
  write(bytes: Uint8Array): void {
    const chunk = this.#rest.length === 0
      ? bytes
      : Buffer.concat([this.#rest, bytes]);
    this.#rest = EMPTY;
    for (let at = 0; at < chunk.length && !this.#hasEnded;) {
      if (this.#frame === null) {
        const header = parseHeader(chunk, at);
        if (header === null) {
          this.#rest = chunk.slice(at);
          return;
        }
        at += header.bytes;
        const end = at + header.length;
        if (end <= chunk.length && this.#isWhole(header)) {
          this.#give(chunk.subarray(at, end));
          at = end;
          continue;
        }
        this.#begin(header);
        if (header.length > 0) continue;
      }
      const part = chunk.subarray(at, at + this.#left);
      at += part.length;
      this.#take(part);
    }
  }

  /** Nothing more will come: what is unfinished is dropped. */
  end(): void {
    this.#hasEnded = true;
    this.#message?.drop();
    this.#message = null;
  }

  /** Whether the frame is a small message by itself, as nearly all are. */
  #isWhole(header: Header): boolean {
    const { isFinal, reserved, opcode, isMasked, length } = header;
    return isFinal && opcode === TEXT && reserved === 0 && !isMasked &&
      length <= ALWAYS_READ_BYTES && length <= this.#options.maxMessageBytes &&
      this.#message === null;
  }

  #begin(header: Header): void {
    const breach = this.#breachOf(header);
    if (breach !== null) {
      this.end();
      return this.#options.sink.breach(breach);
    }
    this.#frame = header;
    this.#left = header.length;
    if (header.opcode >= CLOSE) this.#control = EMPTY;
    else {
      const { boundOf, memory } = this.#options;
      this.#message ??= new HeldMessage(boundOf, memory);
    }
  }

  #breachOf(header: Header): FrameBreach | null {
    const { isFinal, reserved, opcode, isMasked, length } = header;
    if (reserved !== 0) return notWebSocket("reserved bits are set");
    if (isMasked) return notWebSocket("a frame of the server is masked");
    if (opcode >= CLOSE && opcode <= PONG) {
      if (!isFinal) return notWebSocket("a control frame in parts");
      return length > MAX_CONTROL_BYTES
        ? notWebSocket("a control frame is too long")
        : null;
    }
    if (opcode > BINARY) return notWebSocket(`unknown opcode ${opcode}`);
    if (opcode === BINARY) {
      return { status: 1003, detail: "A binary message came" };
    }
    if ((opcode === CONTINUATION) !== (this.#message !== null)) {
      return notWebSocket(
        opcode === CONTINUATION
          ? "a continuation of nothing"
          : "a message within another",
      );
    }
    const { maxMessageBytes } = this.#options;
    const detail = `A message is larger than ${maxMessageBytes} bytes`;
    return (this.#message?.bytes ?? 0) + length > maxMessageBytes
      ? { status: 1009, detail }
      : null;
  }

  #take(part: Uint8Array): void {
    const frame = this.#frame;
    if (frame === null) return;
    if (frame.opcode >= CLOSE) {
      this.#control = Buffer.concat([this.#control, part]);
    } else {
      const message = this.#message;
      message?.append(part, message.bytes + this.#left);
    }
    this.#left -= part.length;
    if (this.#left > 0) return;
    this.#frame = null;
    if (frame.opcode >= CLOSE) this.#takeControl(frame.opcode);
    else if (frame.isFinal) this.#finish();
  }

  #finish(): void {
    const message = this.#message;
    this.#message = null;
    if (message === null) return;
    this.#decoded(() => message.take(decodeUtf8));
  }

  #give(bytes: Uint8Array): void {
    this.#decoded(() => decodeUtf8(bytes));
  }

  #decoded(decode: () => SocketMessage): void {
    let message: SocketMessage;
    try {
      message = decode();
    } catch {
      this.end();
      const detail = "A message is not valid UTF-8";
      return this.#options.sink.breach({ status: 1007, detail });
    }
    this.#options.sink.message(message);
  }

  #takeControl(opcode: number): void {
    const { sink } = this.#options;
    const data = this.#control;
    if (opcode === PING) return sink.ping(data);
    if (opcode === PONG) return sink.pong(data);
    this.end();
    const status = data.length === 0 ? 1005 : statusOf(data);
    if (status === null) sink.breach(notWebSocket("an invalid close status"));
    else sink.close(status, new TextDecoder().decode(data.subarray(2)));
  }
}

/** Null when it has not come whole. */
function parseHeader(bytes: Uint8Array, at: number): Header | null {
  const came = bytes.length - at;
  if (came < 2) return null;
  const first = bytes[at] ?? 0;
  const second = bytes[at + 1] ?? 0;
  const short = second & 0x7f;
  const size = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (came < size) return null;
  let length = short;
  if (size > 2) {
    length = 0;
    for (let i = at + 2; i < at + size; i++) {
      length = length * 256 + (bytes[i] ?? 0);
    }
  }
  return {
    bytes: size,
    isFinal: (first & 0x80) !== 0,
    reserved: first & 0x70,
    opcode: first & 0x0f,
    isMasked: (second & 0x80) !== 0,
    length,
  };
}

/** The status of a close frame; null for one that may not be sent (RFC 6455, section 7.4). */
function statusOf(data: Uint8Array): number | null {
  if (data.length < 2) return null;
  const status = (data[0] ?? 0) * 256 + (data[1] ?? 0);
  const isDefined = status >= 1000 && status <= 1014 &&
    ![1004, 1005, 1006].includes(status);
  return isDefined || (status >= 3000 && status <= 4999) ? status : null;
}

function notWebSocket(what: string): FrameBreach {
  return { status: 1002, detail: `Not WebSocket: ${what}` };
}

const lenient = new TextDecoder("utf-8", { ignoreBOM: true });
const strict = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

/**
 * The text; throws where it is not valid UTF-8. Deno decodes leniently four times as fast as strictly, and what it mends
 * shows by U+FFFD, which few texts have by themselves.
 */
function decodeUtf8(data: Uint8Array): string {
  const text = lenient.decode(data);
  return text.includes("\ufffd") ? strict.decode(data) : text;
}

const EMPTY = new Uint8Array();
