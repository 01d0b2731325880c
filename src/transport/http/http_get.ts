/**
 * A bounded HTTP GET over the same ways as everything else: vetted addresses, proxies, deadlines.
 *
 * @module
 */
import { fail, ok, type Result } from "../../models/result.ts";
import { runStep } from "../deadline.ts";
import type { RelayFailure } from "../failure.ts";
import { readBody } from "./http_body.ts";
import { printable } from "../printable.ts";
import { type HttpHead, readHead } from "./http_head.ts";
import { openStream, type RoutePolicy } from "../route.ts";
import { SocketReader } from "../websocket/socket_reader.ts";
import type { HttpUrl } from "./http_url.ts";
import { orTlsFailure } from "../tls.ts";

/** The bounds of a GET. */
export interface GetOptions {
  readonly signal: AbortSignal;
  /** For each request, of which redirects make up to three more, ms; waiting in our own queues not counted. */
  readonly timeoutMs: number;
  /** The body's. */
  readonly maxBytes: number;
  /** How long to wait for a slot at the address, ms; 0 for whoever has other work. Default: the dialer's. */
  readonly slotTimeoutMs?: number | undefined;
  /** The `Accept` header. */
  readonly accept: string;
  /** Media types a 2xx answer may have, in lowercase, without parameters. Default: any. */
  readonly contentTypes?: readonly string[];
}

/** An answer of whatever status. */
export interface HttpAnswer {
  readonly status: number;
  /** Names in lowercase. */
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Uint8Array;
  /** The vetted address that was dialled; null behind a proxy. */
  readonly address: string | null;
}

/** Sends one request and reads its answer; no redirects. */
export async function get(
  url: HttpUrl,
  { policy, userAgent }: { policy: RoutePolicy; userAgent: string },
  options: Omit<GetOptions, "slotTimeoutMs"> & {
    readonly slotTimeoutMs?: number;
    readonly verify: boolean;
  },
): Promise<Result<HttpAnswer, RelayFailure>> {
  const stream = await openStream(url, policy, options);
  if (!stream.ok) return stream;
  const { socket, deadline, address, tls } = stream.value;
  const reader = new SocketReader(socket);
  const answer = await runStep<HttpAnswer>("answer", deadline, (settle) => {
    socket.write(requestHead(url, options.accept, userAgent));
    readAnswer(reader, options).then((read) =>
      settle(read.ok ? ok({ ...read.value, address }) : read)
    );
    return () => {};
  });
  const end = reader.end;
  reader.release();
  socket.destroy();
  return answer.ok
    ? answer
    : fail(orTlsFailure(answer.failure, url.host, { info: tls, end }));
}

/** `identity`, because a compressed body has no bound until it is unpacked. */
function requestHead(url: HttpUrl, accept: string, userAgent: string): string {
  return [
    `GET ${url.path} HTTP/1.1`,
    `Host: ${url.authority}`,
    `Accept: ${accept}`,
    "Accept-Encoding: identity",
    `User-Agent: ${userAgent}`,
    "Connection: close",
    "",
    "",
  ].join("\r\n");
}

async function readAnswer(
  reader: SocketReader,
  { maxBytes, contentTypes }: GetOptions,
): Promise<Result<Omit<HttpAnswer, "address">, RelayFailure>> {
  const head = await readHead(reader);
  if (!head.ok) return head;
  const unwanted = wrongType(head.value, contentTypes);
  if (unwanted !== null) return fail(unwanted);
  const bytes = await readBody(reader, head.value, maxBytes);
  return bytes.ok ? ok({ ...head.value, bytes: bytes.value }) : bytes;
}

function wrongType(
  { status, headers }: HttpHead,
  wanted: readonly string[] | undefined,
): RelayFailure | null {
  if (wanted === undefined || status < 200 || status > 299) return null;
  const given = headers["content-type"] ?? "";
  const type = given.split(";")[0]?.trim().toLowerCase() ?? "";
  if (wanted.includes(type)) return null;
  const seen = type === "" ? "no content type" : printable(type);
  const detail = `${seen} instead of ${wanted.join(" or ")}`;
  return { code: "http", status, detail };
}
