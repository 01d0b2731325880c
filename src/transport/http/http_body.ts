/**
 * The body of an HTTP/1.1 answer (RFC 9112, section 6), up to a bound: of what it holds, and of what it makes us read.
 *
 * @module
 */
import { fail, ok, type Result } from "../../models/result.ts";
import type { RelayFailure } from "../failure.ts";
import { printable } from "../printable.ts";
import type { HttpHead } from "./http_head.ts";
import type { SocketReader } from "../websocket/socket_reader.ts";

/** Chunk sizes and trailers are short. */
const MAX_LINE_BYTES = 8 * 1024;

/** Reads the whole body; one larger than `maxBytes` is given up as soon as that shows. */
export function readBody(
  reader: SocketReader,
  { status, headers }: HttpHead,
  maxBytes: number,
): Promise<Result<Uint8Array, RelayFailure>> {
  if (status === 204 || status === 304) return Promise.resolve(ok(EMPTY));
  const encoding = headers["content-encoding"]?.toLowerCase() ?? "identity";
  if (encoding !== "identity") {
    // We asked for plain bytes: a compressed answer may be a bomb, and is a breach anyway.
    const detail = `The HTTP body is encoded: ${printable(encoding)}`;
    return Promise.resolve(fail({ code: "protocol", detail }));
  }
  const transfer = headers["transfer-encoding"]?.toLowerCase();
  const body = new Body(maxBytes, reader);
  if (transfer !== undefined) {
    return transfer === "chunked"
      ? readChunks(reader, body)
      : Promise.resolve(malformed(`transfer-encoding ${transfer}`));
  }
  const length = headers["content-length"];
  if (length === undefined) return readToEnd(reader, body);
  return /^[0-9]{1,15}$/.test(length)
    ? readLength(reader, body, Number(length))
    : Promise.resolve(malformed(`content-length ${length}`));
}

const EMPTY = new Uint8Array();

/** The bytes on the wire of a body in so many chunks as make sense, times its length, and of what surrounds it. */
const WIRE_SHARE = 4;
const WIRE_BYTES = 64 * 1024;

/** Gathers bytes by copying them: what a socket gives is a view of a larger buffer, which it would keep alive. */
class Body {
  readonly #maxBytes: number;
  readonly #reader: SocketReader;
  /** What surrounds chunks is no body, and may be far longer than they are. */
  readonly #maxWire: number;
  #held = new Uint8Array();
  #length = 0;

  constructor(maxBytes: number, reader: SocketReader) {
    this.#maxBytes = maxBytes;
    this.#reader = reader;
    this.#maxWire = reader.received + WIRE_SHARE * maxBytes + WIRE_BYTES;
  }

  fits(more: number): boolean {
    return this.#length + more <= this.#maxBytes &&
      this.#reader.received <= this.#maxWire;
  }

  add(part: Uint8Array): void {
    const length = this.#length + part.length;
    if (length > this.#held.length) {
      const grown = new Uint8Array(Math.max(length, 2 * this.#held.length));
      grown.set(this.#bytes());
      this.#held = grown;
    }
    this.#held.set(part, this.#length);
    this.#length = length;
  }

  /** Takes exactly so many bytes from the reader; false when the peer ended before. */
  async take(length: number): Promise<boolean> {
    for (let left = length; left > 0;) {
      const part = await this.#reader.some(left);
      if (part === null) return false;
      this.add(part);
      left -= part.length;
    }
    return true;
  }

  tooLarge(): Result<never, RelayFailure> {
    const detail = `The HTTP body is larger than ${this.#maxBytes} bytes`;
    return fail({ code: "too-large", detail });
  }

  done(): Result<Uint8Array, RelayFailure> {
    return ok(this.#bytes());
  }

  #bytes(): Uint8Array {
    return this.#held.subarray(0, this.#length);
  }
}

async function readLength(
  reader: SocketReader,
  body: Body,
  length: number,
): Promise<Result<Uint8Array, RelayFailure>> {
  if (!body.fits(length)) return body.tooLarge();
  return await body.take(length) ? body.done() : cutShort(reader);
}

/** Neither length nor chunks: the body ends with the connection, so a cut one cannot be told from a whole one. */
async function readToEnd(
  reader: SocketReader,
  body: Body,
): Promise<Result<Uint8Array, RelayFailure>> {
  while (true) {
    const part = await reader.some(Infinity);
    if (part === null) {
      return reader.end?.code === "" ? body.done() : cutShort(reader);
    }
    if (!body.fits(part.length)) return body.tooLarge();
    body.add(part);
  }
}

async function readChunks(
  reader: SocketReader,
  body: Body,
): Promise<Result<Uint8Array, RelayFailure>> {
  while (true) {
    const line = await reader.until("\r\n", MAX_LINE_BYTES);
    if (line === null) {
      return reader.end === undefined
        ? malformed(`a chunk size of more than ${MAX_LINE_BYTES} bytes`)
        : cutShort(reader);
    }
    const size = /^([0-9a-fA-F]{1,12})[ \t]*(?:;.*)?$/.exec(line)?.[1];
    if (size === undefined) return malformed(`chunk size ${line}`);
    const length = Number.parseInt(size, 16);
    // The trailers are of no interest: the connection is closed after this answer.
    if (length === 0) return body.done();
    if (!body.fits(length)) return body.tooLarge();
    if (!await body.take(length)) return cutShort(reader);
    const end = await reader.exactly(2);
    if (end === null) return cutShort(reader);
    if (end[0] !== 13 || end[1] !== 10) return malformed("chunk end");
  }
}

function cutShort({ end }: SocketReader): Result<never, RelayFailure> {
  const detail = `The HTTP body is cut short: ${end?.detail ?? "no line end"}`;
  return fail({ code: "closed", status: 1006, detail });
}

function malformed(what: string): Result<never, RelayFailure> {
  const detail = `The HTTP body is malformed: ${printable(what)}`;
  return fail({ code: "protocol", detail });
}
