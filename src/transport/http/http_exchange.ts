/**
 * One GET over an open stream by node:http, which takes the socket that was dialled to the vetted address, and parses the
 * answer strictly and within bounds.
 *
 * @module
 */
import { type IncomingMessage, request } from "node:http";
import type { Socket } from "node:net";
import { errorCode, errorLine } from "../../base/error_text.ts";
import type { RelayFailure } from "../failure.ts";
import { printable } from "../printable.ts";
import type { Stream } from "../route.ts";

/** Status and headers of an answer. */
export interface HttpHead {
  readonly status: number;
  /** Names in lowercase; repeated ones are joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface HttpRequest {
  /** Path and query, percent-encoded. */
  readonly path: string;
  /** `Host` among them. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Hears of the answer: of one of these, once, and then maybe that it failed. */
export interface HttpListener {
  /** The head came; the body is read from the message. */
  answered(head: HttpHead, message: IncomingMessage): void;
  /**
   * The protocol was changed (101); these bytes followed the head. What comes next comes by `socket`: some releases of
   * Deno (2.7) give another one than was dialled.
   */
  upgraded(head: HttpHead, rest: Uint8Array, socket: Socket): void;
  /** `code` is the system's error code, or empty. */
  failed(failure: RelayFailure, code: string): void;
}

/** Longer heads are refused. */
const MAX_HEAD_BYTES = 32 * 1024;
const MAX_HEADERS = 200;
/** Interim answers (1xx) before the final one. */
const MAX_INTERIM = 5;

/** Sends a GET. The function it returns ends the exchange; the socket is the caller's. */
export function sendGet(
  { socket }: Pick<Stream, "socket">,
  { path, headers }: HttpRequest,
  on: HttpListener,
): () => void {
  let interim = 0;
  const exchange = request({
    method: "GET",
    path,
    headers,
    maxHeaderSize: MAX_HEAD_BYTES,
    createConnection: () => socket,
  });
  const fail = (failure: RelayFailure, code = "") => {
    on.failed(failure, code);
    exchange.destroy();
  };
  const take = (message: IncomingMessage, then: (head: HttpHead) => void) => {
    const head = headOf(message);
    if (head !== null) return then(head);
    const detail = `The HTTP answer has more than ${MAX_HEADERS} headers`;
    fail({ code: "protocol", detail });
  };
  // Dialled sockets are paused, so that nothing is read before there is a reader.
  exchange.on("socket", () => socket.resume());
  exchange.on("information", () => {
    if (++interim <= MAX_INTERIM) return;
    const detail = "The HTTP answer never gets beyond interim ones";
    fail({ code: "protocol", detail });
  });
  exchange.on(
    "upgrade",
    (message, upgraded: Socket, rest) =>
      take(message, (head) => on.upgraded(head, rest, upgraded)),
  );
  let answer: IncomingMessage | undefined;
  exchange.on("response", (message) => {
    answer = message;
    // An error that nobody listens to would end the process.
    message.on("error", () => {});
    take(message, (head) => on.answered(head, message));
  });
  exchange.on("error", (error) => {
    // Whatever follows a whole answer is of no interest.
    if (answer?.complete) return;
    on.failed(failureOf(error), errorCode(error));
  });
  exchange.end();
  return () => exchange.destroy();
}

/** Null when there are too many headers. */
function headOf({ statusCode = 0, rawHeaders }: IncomingMessage) {
  if (rawHeaders.length > 2 * MAX_HEADERS) return null;
  const headers = new Map<string, string>();
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]?.toLowerCase() ?? "";
    const value = rawHeaders[i + 1] ?? "";
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return { status: statusCode, headers: Object.fromEntries(headers) };
}

/** The failure that an error of node:http is; its parser's errors begin with `HPE_`. */
export function failureOf(error: unknown): RelayFailure {
  const code = errorCode(error);
  if (code === "HPE_HEADER_OVERFLOW") {
    const detail = `The HTTP head is longer than ${MAX_HEAD_BYTES} bytes`;
    return { code: "too-large", detail };
  }
  if (code.startsWith("HPE_") && code !== "HPE_INVALID_EOF_STATE") {
    const detail = `The answer is not HTTP: ${printable(errorLine(error))}`;
    return { code: "protocol", detail };
  }
  const detail = `No HTTP answer: ${errorLine(error)}`;
  return { code: "closed", status: 1006, detail };
}
