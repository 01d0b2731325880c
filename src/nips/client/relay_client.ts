/**
 * What a connected relay offers to those who ask it things: the interface of `connectRelay`'s result, and its options.
 *
 * @module
 */
import type { NostrEvent } from "../../models/event.ts";
import type { Filter } from "../../models/filter.ts";
import type { RelayUrl } from "../../models/relay_url.ts";
import type { Result } from "../../models/result.ts";
import type { RelayFailure } from "../../transport/failure.ts";
import type { TlsInfo } from "../../transport/tls.ts";
import type { Dialogue } from "../negentropy/dialogue.ts";
import type {
  NegotiateOptions,
  NegotiationOutcome,
} from "../nip77/negotiation_outcome.ts";
import type { EoseHint, ReasonPrefix, ReqOutcome } from "./req_outcome.ts";

/** One connection to a relay, for any number of requests at once. */
export interface RelayClient extends AsyncDisposable {
  readonly relay: RelayUrl;
  /** From the first packet to the answered upgrade, ms. */
  readonly openMs: number;
  /** The vetted IP address that was dialled; null behind a proxy. */
  readonly address: string | null;
  readonly tls: TlsInfo | null;
  /** Counts since the connection opened. */
  readonly stats: Readonly<ClientStats>;
  /** Settles (never rejects) when the connection has ended; `aborted` when we closed it. */
  readonly closed: Promise<RelayFailure>;

  /**
   * Sends a REQ and gives what comes in chunks: the payloads of EVENT messages, parsed but NOT verified nor matched,
   * and in their order an `Unread` for each message that may have been one. A message that names no subscription counts
   * for all that are open.
   * The generator returns how the REQ ended; leaving it early sends CLOSE. It never throws for anything the relay does.
   *
   * While a consumer does not pull, about `maxBuffered` is buffered, then the whole connection stops reading: whoever waits
   * for another request of the same client between two pulls must keep that much room, or pull in parallel.
   */
  subscribe(
    filters: Filter | readonly Filter[],
    options: SubscribeOptions,
  ): AsyncGenerator<unknown[], ReqOutcome, void>;

  /** One REQ with everything it brought. Never rejects. */
  fetchPage(filter: Filter, options: RequestOptions): Promise<Page>;

  /** Sends an EVENT and waits for its OK. */
  publish(
    event: NostrEvent,
    options: AskOptions,
  ): Promise<Result<PublishAnswer, RelayFailure>>;

  /** NIP-45. A relay that does not know COUNT mostly says nothing: `timeout`, or `protocol` when it refuses. */
  count(
    filters: Filter | readonly Filter[],
    options: AskOptions,
  ): Promise<Result<CountAnswer, RelayFailure>>;

  /** NIP-77: leads a dialogue about what the relay holds that matches `filter` to its end. Never rejects. */
  negotiate(
    filter: Filter,
    dialogue: Dialogue,
    options: NegotiateOptions,
  ): Promise<NegotiationOutcome>;

  /** Asks for a sign of life. Live subscriptions hear of it when they have given all that came before it. */
  ping(options: AskOptions): Promise<PingAnswer>;

  /** Closes all subscriptions and the connection; bounded in time. Safe to call twice. */
  close(): Promise<void>;
}

/** The bounds of one REQ. All of them are needed: relays ignore limits, drip, and never end. */
export interface RequestOptions {
  readonly signal: AbortSignal;
  /** Longest silence, ms; time in which we ourselves did not read is not counted. */
  readonly idleTimeoutMs: number;
  /** Longest duration of the whole, ms; `Infinity` for a live subscription. */
  readonly totalTimeoutMs: number;
  /** More events than this end it with `over-budget`. */
  readonly maxEvents: number;
  /** More characters of messages than this end it with `over-budget`. */
  readonly maxBytes: number;
}

export interface SubscribeOptions extends RequestOptions {
  /** Keep the subscription open after EOSE, of which this tells. Neither timeout holds after it. */
  readonly live?: {
    readonly onEose: (hint: EoseHint | undefined) => void;
    /** A ping sent at this moment (Unix ms) was answered, and whatever the relay sent before that has been taken. */
    readonly onAlive?: (sentAt: number) => void;
  };
  /** How long it stays open after EOSE for what comes late, which then counts as come before; at most five times it, ms. Default: 0. */
  readonly lingerMs?: number;
  /** Told of what comes after the end by EOSE, the first 200: payloads as in the chunks. */
  readonly onLate?: (payload: unknown) => void;
}

/** What one REQ brought. */
export interface Page {
  /** Payloads of EVENT messages in order of arrival, NOT verified. */
  readonly events: unknown[];
  readonly outcome: ReqOutcome;
  /** Characters of the messages received for it. */
  readonly bytes: number;
  /** Messages that could not be read and may have been events. */
  readonly unread: number;
}

export interface AskOptions {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

/** What a ping got: an answer, none in time, or the end (of the connection, or by the signal). */
export type PingAnswer = "alive" | "silent" | "over";

/** The OK of NIP-01. */
export interface PublishAnswer {
  readonly accepted: boolean;
  readonly prefix: ReasonPrefix;
  /** As sent, cut to 500 characters. */
  readonly message: string;
}

/** The COUNT of NIP-45. */
export interface CountAnswer {
  readonly count: number;
  readonly approximate: boolean;
}

/** What came over one connection. */
export interface ClientStats {
  /** Messages of any sort. */
  messages: number;
  /** Characters of all messages. */
  bytes: number;
  /** EVENT messages given to a subscription. */
  events: number;
  /** EVENT messages for subscriptions that had ended or never existed. */
  late: number;
  /** Messages that could not be read and may have been events. */
  unread: number;
  /** Messages that are not JSON arrays with a name first: dropped. */
  garbage: number;
  /** Well-formed messages nobody here knows: dropped. */
  unknown: number;
  /** Characters of the last two. */
  unknownBytes: number;
  /** Characters of the messages that `late` counts. */
  lateBytes: number;
  /** Characters of EVENT messages that take many times as much memory: no event that anybody signed looks like that. */
  heavyBytes: number;
  notices: number;
  /** AUTH events we sent. */
  auths: number;
}

/** Of a connection that has just opened. */
export function newStats(): ClientStats {
  return {
    messages: 0,
    bytes: 0,
    events: 0,
    late: 0,
    unread: 0,
    garbage: 0,
    unknown: 0,
    unknownBytes: 0,
    lateBytes: 0,
    heavyBytes: 0,
    notices: 0,
    auths: 0,
  };
}
