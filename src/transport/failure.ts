/**
 * Why a relay could not be used, as plain data: across thousands of peers failure is the common case,
 * and it must survive `postMessage`.
 *
 * @module
 */

/** The closed union of everything that a peer, or the way to it, can do wrong. */
export type RelayFailure =
  /** The name does not resolve, or the resolver failed. */
  | { readonly code: "dns"; readonly detail: string }
  /** The address is private, reserved or loopback, and `allowPrivate` is off. */
  | { readonly code: "address"; readonly detail: string }
  /** Nothing listens there, or no route leads there. */
  | { readonly code: "refused" | "unreachable"; readonly detail: string }
  /** The SOCKS5 proxy is missing, down, or no use to us: our own trouble, whatever the relay. */
  | { readonly code: "proxy"; readonly detail: string }
  /** The TLS handshake failed or the certificate does not hold. */
  | { readonly code: "tls"; readonly detail: string }
  /** A deadline passed; `detail` names the step. */
  | { readonly code: "timeout"; readonly detail: string }
  /** The HTTP answer was not the one wanted (an upgrade, a document). */
  | {
    readonly code: "http";
    readonly status: number;
    readonly detail: string;
    /** Until then it asks to be left alone (`Retry-After` of 429 and 503), seconds; a day at most. */
    readonly retryAfterSeconds?: number;
  }
  /** The peer's bytes are not WebSocket, not JSON, or not Nostr. */
  | { readonly code: "protocol"; readonly detail: string }
  /** A message, a body or a stream was larger than its bound. */
  | { readonly code: "too-large"; readonly detail: string }
  /** The connection ended; `status` is the WebSocket close code (1006 when there was none). */
  | {
    readonly code: "closed";
    readonly status: number;
    readonly detail: string;
  }
  /** NIP-42: the relay wants authentication, or refuses although it got it. */
  | { readonly code: "auth-required" | "restricted"; readonly detail: string }
  /** Our own politeness: its operator does not want to be visited. It was not even looked up. */
  | { readonly code: "opted-out"; readonly detail: string }
  /** Our own politeness: as many sockets as we allow were open to that address. Never counted against the relay. */
  | { readonly code: "busy"; readonly detail: string }
  /** We stopped it ourselves. Never counted against the relay. */
  | { readonly code: "aborted" };

/** Whether the same attempt may succeed a little later without anybody changing anything. */
export function isTransient(failure: RelayFailure): boolean {
  switch (failure.code) {
    case "dns":
    case "refused":
    case "unreachable":
    case "proxy":
    case "timeout":
    case "closed":
    case "busy":
    case "aborted":
      return true;
    case "http":
      return failure.status === 429 || failure.status >= 500;
    case "address":
    case "opted-out":
    case "tls":
    case "protocol":
    case "too-large":
    case "auth-required":
    case "restricted":
      return false;
  }
}

/** Whether the failure says something about the relay, and not only about ourselves. */
export function countsAgainstRelay({ code }: RelayFailure): boolean {
  return code !== "aborted" && code !== "busy" && code !== "proxy" &&
    code !== "opted-out";
}

/** Nobody sends us away for longer. */
export const MAX_ASKED_WAIT_SECONDS = 86_400;

/** The wait that the peer asked for, seconds, `MAX_ASKED_WAIT_SECONDS` at most; 0 when it asked for none. */
export function askedWaitSeconds(failure: RelayFailure | null): number {
  return failure?.code === "http" ? failure.retryAfterSeconds ?? 0 : 0;
}

/** The failure as a line for people: the code, and what was seen. */
export function failureText(failure: RelayFailure): string {
  switch (failure.code) {
    case "aborted":
      return "aborted";
    case "http":
    case "closed":
      return `${failure.code} ${failure.status}: ${failure.detail}`;
    default:
      return `${failure.code}: ${failure.detail}`;
  }
}
