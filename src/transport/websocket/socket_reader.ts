/**
 * Reader that pulls from a socket: so many bytes, up to this mark. Bounded: without a read little is buffered.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Readable } from "node:stream";
import { Notifier } from "../../base/notifier.ts";
import { errorCode, errorLine } from "../../base/error_text.ts";

/** Why nothing more can be read. */
export interface ReadEnd {
  /** The system's error code, `UNKNOWN` without one; empty when the peer simply ended. */
  readonly code: string;
  readonly detail: string;
}

/**
 * Takes over the reading side of a socket until `release`. One reader, one question at a time.
 *
 * Everything here pulls (`read` after `readable`) and nothing pauses: in Deno before 2.9 a socket that is paused
 * while a read is under way reads twice when it goes on, and mixes up its bytes.
 */
export class SocketReader {
  readonly #socket: Readable;
  #buffered: Uint8Array = new Uint8Array();
  #end: ReadEnd | undefined;
  #received = 0;
  readonly #changed = new Notifier();

  constructor(socket: Readable) {
    this.#socket = socket;
    socket.on("readable", this.#onReadable).on("end", this.#onEnd)
      .on("close", this.#onEnd).on("error", this.#onError);
  }

  /** How the peer ended; undefined while it has not. */
  get end(): ReadEnd | undefined {
    return this.#end;
  }

  /** Bytes that were read from the socket so far. */
  get received(): number {
    return this.#received;
  }

  /** Exactly so many bytes, or null when the peer ended before. */
  async exactly(bytes: number): Promise<Uint8Array | null> {
    while (this.#buffered.length < bytes) {
      if (!await this.#more()) return null;
    }
    return this.#take(bytes);
  }

  /** Text (Latin-1) up to the mark, which is taken but not given. Null when the peer ended, or `maxBytes` had no mark. */
  async until(mark: string, maxBytes: number): Promise<string | null> {
    const wanted = new TextEncoder().encode(mark);
    while (true) {
      const at = indexOf(this.#buffered, wanted);
      if (at !== -1 && at <= maxBytes) {
        const taken = this.#take(at + wanted.length);
        return latin1(taken.subarray(0, at));
      }
      if (this.#buffered.length > maxBytes || !await this.#more()) return null;
    }
  }

  /** The bytes that are there, at least one and at most `maxBytes`; null when the peer ended. */
  async some(maxBytes: number): Promise<Uint8Array | null> {
    if (this.#buffered.length === 0 && !await this.#more()) return null;
    return this.#take(Math.min(maxBytes, this.#buffered.length));
  }

  /** Gives the socket back, and what was read from it but not asked for. */
  release(): Uint8Array {
    this.#socket.off("readable", this.#onReadable).off("end", this.#onEnd)
      .off("close", this.#onEnd).off("error", this.#onError);
    this.#finish({ code: "", detail: "released" });
    return this.#take(this.#buffered.length);
  }

  #take(bytes: number): Uint8Array {
    const taken = this.#buffered.subarray(0, bytes);
    this.#buffered = this.#buffered.subarray(bytes);
    return taken;
  }

  /** Waits for bytes; false when there will be none. */
  async #more(): Promise<boolean> {
    while (this.#end === undefined) {
      const chunk: Uint8Array | null = this.#socket.read();
      if (chunk !== null) {
        this.#received += chunk.length;
        this.#buffered = this.#buffered.length === 0
          ? chunk
          : Buffer.concat([this.#buffered, chunk]);
        return true;
      }
      await this.#changed.wait();
    }
    return false;
  }

  #onReadable = (): void => this.#changed.notify();

  #onEnd = (): void => {
    this.#finish({ code: "", detail: "the peer ended the connection" });
  };

  #onError = (error: unknown): void => {
    const code = errorCode(error) || "UNKNOWN";
    this.#finish({ code, detail: errorLine(error) });
  };

  #finish(end: ReadEnd): void {
    this.#end ??= end;
    this.#changed.notify();
  }
}

function indexOf(bytes: Uint8Array, mark: Uint8Array): number {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    .indexOf(mark);
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    .toString("latin1");
}
