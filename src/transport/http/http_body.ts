/**
 * The body of an HTTP answer, up to a bound: of what it holds, and of what it makes us read.
 *
 * @module
 */
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { errorLine } from "../../base/error_text.ts";
import { fail, ok, type Result } from "../../models/result.ts";
import type { RelayFailure } from "../failure.ts";
import { printable } from "../printable.ts";
import { failureOf, type HttpHead } from "./http_exchange.ts";

/** The bytes on the wire of a body in so many chunks as make sense, times its length, and of its head. */
const WIRE_SHARE = 4;
const WIRE_BYTES = 64 * 1024;
const WATCH_EVERY_MS = 100;

export interface BodyOptions {
  readonly maxBytes: number;
  /** Where the body comes from. */
  readonly socket: Socket;
}

/** Reads the whole body; one larger than `maxBytes` is given up as soon as that shows. */
export function readBody(
  message: IncomingMessage,
  head: HttpHead,
  { maxBytes, socket }: BodyOptions,
): Promise<Result<Uint8Array, RelayFailure>> {
  const refusal = refusalOf(head, maxBytes);
  if (refusal !== null) return Promise.resolve(fail(refusal));
  const body = new Body(maxBytes);
  const { promise, resolve } = Promise.withResolvers<
    Result<Uint8Array, RelayFailure>
  >();
  const tooLarge = () => {
    const detail = `The HTTP body is larger than ${maxBytes} bytes`;
    resolve(fail({ code: "too-large", detail }));
  };
  // What surrounds chunks is no body, and may be far longer than they are.
  const maxWire = socket.bytesRead + WIRE_SHARE * maxBytes + WIRE_BYTES;
  const watch = setInterval(() => {
    if (socket.bytesRead > maxWire) tooLarge();
  }, WATCH_EVERY_MS);
  message.on("data", (part: Uint8Array) => {
    if (!body.add(part) || socket.bytesRead > maxWire) tooLarge();
  });
  message.on("end", () => resolve(ok(body.bytes())));
  // Of an answer that is malformed the parser says so a moment later.
  message.on(
    "error",
    (error) => setTimeout(() => resolve(fail(cutShort(error)))),
  );
  return promise.finally(() => clearInterval(watch));
}

/** Why the body is not read at all; null when it is. */
function refusalOf(
  { headers }: HttpHead,
  maxBytes: number,
): RelayFailure | null {
  const encoding = headers["content-encoding"]?.toLowerCase() ?? "identity";
  if (encoding !== "identity") {
    // We asked for plain bytes: a compressed answer may be a bomb, and is a breach anyway.
    const detail = `The HTTP body is encoded: ${printable(encoding)}`;
    return { code: "protocol", detail };
  }
  const transfer = headers["transfer-encoding"]?.toLowerCase() ?? "chunked";
  if (transfer !== "chunked") {
    const detail = `The HTTP body is transferred as ${printable(transfer)}`;
    return { code: "protocol", detail };
  }
  if (Number(headers["content-length"] ?? 0) <= maxBytes) return null;
  const detail = `The HTTP body is larger than ${maxBytes} bytes`;
  return { code: "too-large", detail };
}

/** An error of the parser says so; any other means that the connection ended before the body did. */
function cutShort(error: unknown): RelayFailure {
  const failure = failureOf(error);
  if (failure.code !== "closed") return failure;
  const detail = `The HTTP body is cut short: ${errorLine(error)}`;
  return { code: "closed", status: 1006, detail };
}

/** Gathers bytes by copying them: what a socket gives is a view of a larger buffer, which it would keep alive. */
class Body {
  readonly #maxBytes: number;
  #held = new Uint8Array();
  #length = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** False when it is too much; then nothing more is taken. */
  add(part: Uint8Array): boolean {
    const length = this.#length + part.length;
    if (length > this.#maxBytes) return false;
    if (length > this.#held.length) {
      const grown = new Uint8Array(Math.max(length, 2 * this.#held.length));
      grown.set(this.bytes());
      this.#held = grown;
    }
    this.#held.set(part, this.#length);
    this.#length = length;
    return true;
  }

  bytes(): Uint8Array {
    return this.#held.subarray(0, this.#length);
  }
}
