/**
 * WebSocket (RFC 6455) over an open stream: the upgrade, and the socket that the protocol is spoken over.
 *
 * The frames are written by npm:ws, and read by `frame_reader.ts`. The upgrade is ours, because ws leaves it to node:http,
 * which gives the bytes behind the head only while nobody reads the socket.
 *
 * @module
 */
import { createHash, randomBytes } from "node:crypto";
import { authorityOf, type RelayUrl } from "../../models/relay_url.ts";
import { fail, ok, type Result } from "../../models/result.ts";
import { runStep } from "../deadline.ts";
import type { RelayFailure } from "../failure.ts";
import { type HttpHead, readHead } from "../http/http_head.ts";
import { printable } from "../printable.ts";
import { httpFailure } from "../http/http_failure.ts";
import type { ReadBound, UnfinishedMessages } from "./held_message.ts";
import { OpenRelaySocket } from "./open_relay_socket.ts";
import type { RelaySocket } from "./relay_socket.ts";
import type { Stream } from "../route.ts";
import { SocketReader } from "./socket_reader.ts";
import { orTlsFailure } from "../tls.ts";

/** Options of an upgrade. */
export interface UpgradeOptions {
  readonly userAgent: string;
  readonly maxMessageBytes: number;
  /** Of a longer message only the ends are given. Default: nothing is cut. */
  readonly boundOf?: ReadBound;
  /** The unfinished messages of all connections of this thread. */
  readonly memory: UnfinishedMessages;
  /** Silence after which the peer is asked whether it is alive, ms. Default: 30 000. */
  readonly pingAfterMs?: number;
}

/** Asks for the upgrade and gives the open WebSocket. A failure destroys the stream. */
export async function upgrade(
  stream: Stream,
  relay: RelayUrl,
  options: UpgradeOptions,
): Promise<Result<RelaySocket, RelayFailure>> {
  const key = randomBytes(16).toString("base64");
  const { socket } = stream;
  const reader = new SocketReader(socket);
  const answer = await runStep<HttpHead>(
    "upgrade",
    stream.deadline,
    (settle) => {
      socket.write(requestHead(relay, key, options.userAgent));
      readHead(reader).then((head) => settle(checkAnswer(head, key)));
      return () => {};
    },
  );
  const end = reader.end;
  const rest = reader.release();
  if (!answer.ok) {
    socket.destroy();
    const seen = { info: stream.tls, end };
    return fail(orTlsFailure(answer.failure, relay.host, seen));
  }
  return ok(
    new OpenRelaySocket(stream, {
      relay,
      headers: answer.value.headers,
      maxMessageBytes: options.maxMessageBytes,
      boundOf: options.boundOf ?? (() => Infinity),
      memory: options.memory,
      pingAfterMs: options.pingAfterMs ?? 30_000,
      rest,
    }),
  );
}

/** Extensions are not offered: compressed messages could be bombs, and cost more than they save here. */
function requestHead(relay: RelayUrl, key: string, userAgent: string): string {
  return [
    `GET ${relay.path ?? "/"} HTTP/1.1`,
    `Host: ${authorityOf(relay)}`,
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Key: ${key}`,
    "Sec-WebSocket-Version: 13",
    `User-Agent: ${userAgent}`,
    "",
    "",
  ].join("\r\n");
}

function checkAnswer(
  head: Result<HttpHead, RelayFailure>,
  key: string,
): Result<HttpHead, RelayFailure> {
  if (!head.ok) return head;
  const { status, headers } = head.value;
  if (status !== 101) return fail(notUpgraded(head.value));
  const refused = headers["upgrade"]?.toLowerCase() !== "websocket"
    ? "no upgrade to websocket"
    : headers["sec-websocket-accept"] !== acceptOf(key)
    ? "a wrong sec-websocket-accept"
    : headers["sec-websocket-extensions"] !== undefined
    ? "an extension that was not asked for"
    : null;
  if (refused === null) return head;
  const detail = `The WebSocket upgrade was answered with ${refused}`;
  return fail({ code: "protocol", detail });
}

function acceptOf(key: string): string {
  return createHash("sha1")
    .update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest("base64");
}

function notUpgraded(head: HttpHead): RelayFailure {
  const { headers } = head;
  const location = headers["location"];
  const detail = location === undefined
    ? `${
      printable(headers["content-type"] ?? "something")
    } instead of WebSocket`
    : `a redirect to ${printable(location)} instead of WebSocket`;
  return httpFailure(head, detail);
}
