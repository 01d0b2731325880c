/**
 * A bounded HTTP GET over the same ways as everything else: vetted addresses, proxies, deadlines.
 *
 * @module
 */
import type { IncomingMessage } from "node:http";
import { fail, ok, type Result } from "../../models/result.ts";
import { runStep } from "../deadline.ts";
import type { RelayFailure } from "../failure.ts";
import { printable } from "../printable.ts";
import { type BodyOptions, readBody } from "./http_body.ts";
import { type HttpHead, sendGet } from "./http_exchange.ts";
import { openStream, type RoutePolicy } from "../route.ts";
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
  let errorCode = "";
  const answer = await runStep<HttpAnswer>(
    "answer",
    deadline,
    (settle) =>
      sendGet(stream.value, requestOf(url, options.accept, userAgent), {
        answered: (head, message) => {
          void readAnswer(head, message, { ...options, socket })
            .then((bytes) =>
              settle(
                bytes.ok ? ok({ ...head, bytes: bytes.value, address }) : bytes,
              )
            );
        },
        upgraded: () => {
          const detail = "The HTTP answer changes to another protocol";
          settle(fail({ code: "protocol", detail }));
        },
        failed: (failure, code) => {
          errorCode = code;
          settle(fail(failure));
        },
      }),
  );
  socket.destroy();
  return answer.ok
    ? answer
    : fail(orTlsFailure(answer.failure, url.host, { info: tls, errorCode }));
}

/** `identity`, because a compressed body has no bound until it is unpacked. */
function requestOf(url: HttpUrl, accept: string, userAgent: string) {
  return {
    path: url.path,
    headers: {
      Host: url.authority,
      Accept: accept,
      "Accept-Encoding": "identity",
      "User-Agent": userAgent,
      Connection: "close",
    },
  };
}

function readAnswer(
  head: HttpHead,
  message: IncomingMessage,
  { maxBytes, contentTypes, socket }: GetOptions & BodyOptions,
): Promise<Result<Uint8Array, RelayFailure>> {
  const unwanted = wrongType(head, contentTypes);
  return unwanted === null
    ? readBody(message, head, { maxBytes, socket })
    : Promise.resolve(fail(unwanted));
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
