/**
 * An open WebSocket to a relay, as the protocol above it sees it.
 *
 * @module
 */
import type { RelayUrl } from "../../models/relay_url.ts";
import type { RelayFailure } from "../failure.ts";
import type { TlsInfo } from "../tls.ts";
import type { SocketMessage } from "./held_message.ts";

/**
 * An open connection to a relay.
 *
 * Iterating gives the text messages in batches: all that came since the last one, never empty, so that a fast relay
 * costs one promise a batch instead of one a message. While they are not taken, reading from the socket stops after
 * about a quarter of a megabyte. The iteration ends when the connection does, for whatever reason: `closed` says which.
 */
export interface RelaySocket
  extends AsyncIterable<readonly SocketMessage[]>, AsyncDisposable {
  readonly relay: RelayUrl;
  /** From the first packet to the answered upgrade, ms; waiting in our own queue not counted. */
  readonly openMs: number;
  /** The vetted IP address that was dialled; null behind a proxy. */
  readonly address: string | null;
  /** Null without TLS. */
  readonly tls: TlsInfo | null;
  /** Headers of the answered upgrade; names in lowercase. */
  readonly headers: Readonly<Record<string, string>>;
  /** Larger messages end the connection with `too-large`. */
  readonly maxMessageBytes: number;
  /** Settles (never rejects) when the connection has ended: `aborted` when we closed it. */
  readonly closed: Promise<RelayFailure>;
  /** Sends a text message; false when the connection has ended, or the peer has not taken megabytes sent before. */
  send(text: string): boolean;
  /** Pings the relay (RFC 6455): how many messages came before the pong; null when the connection ended instead. */
  ping(): Promise<number | null>;
  /** Says goodbye and waits for the answer, a second at most. Safe to call twice. */
  close(status?: number, reason?: string): Promise<void>;
}
