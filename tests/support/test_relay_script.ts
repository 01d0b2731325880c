/**
 * How a test relay can be told to behave, and what it shows of what came in.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import type { NostrEvent } from "../../src/models/event.ts";
import type { Filter } from "../../src/models/filter.ts";
import type { NegentropyScript } from "./test_relay_negentropy.ts";
import type { Certificate } from "./tls.ts";

/** How the relay behaves; everything left out is as NIP-01 wants it. */
export interface RelayScript {
  /** What it holds at the start. */
  readonly events?: readonly NostrEvent[];
  /** Silently cuts larger limits. Default: none. */
  readonly maxLimit?: number;
  /** For a REQ without a limit. Default: `maxLimit`. */
  readonly defaultLimit?: number;
  /** Default: newest first. */
  readonly order?: "newest-first" | "oldest-first";
  /** NIP-67: EOSE says `finish` or `more`. */
  readonly eoseHint?: boolean;
  /** Kinds dropped after the limit was counted, as strfry does with 4 and 1059. */
  readonly withheldKinds?: readonly number[];
  /** NIP-42: what needs authentication. */
  readonly authRequired?: "req" | "event" | "all";
  /**
   * What an AUTH gets: `again` answers OK and still refuses, with a new challenge each time; `silent` accepts and says
   * nothing. Default: accept.
   */
  readonly authAnswer?: "accept" | "reject" | "restricted" | "again" | "silent";
  /** Called when an AUTH has been accepted and answered. */
  readonly onAuth?: () => void;
  /** NIP-45. Default: COUNT is refused by NOTICE. */
  readonly countable?: boolean | "approximate" | "silent";
  /** Overrides what a COUNT gets where `countable` is true. */
  readonly onCount?: (
    filters: readonly Filter[],
    connection: number,
  ) => { readonly count: number; readonly approximate?: boolean };
  /** NIP-77. Default: NEG-OPEN is refused by NOTICE. */
  readonly negentropy?: NegentropyScript;
  /** The answer to a plain HTTP GET. Default: 404. */
  readonly http?: HttpReply | ((request: HttpRequest) => HttpReply);
  /** Answers a plain HTTP GET below HTTP, on the socket that it has to itself from then on; wins over `http`. */
  readonly onGet?: (socket: Duplex) => void;
  /** What an upgrade request gets. Default: a WebSocket. */
  readonly upgrade?: "never" | "garbage" | "drip" | "hang-up" | HttpReply;
  /** Overrides what a REQ gets; `req.serve()` is the default. */
  readonly onReq?: (req: TestReq) => void | Promise<void>;
  /** Overrides what an EVENT gets; null is silence. Default: it is stored, OK true. */
  readonly onEvent?: (event: NostrEvent) => readonly [boolean, string] | null;
  /** Does not answer pings. */
  readonly ignoresPings?: boolean;
  /** Raw text messages sent as soon as a connection opens. */
  readonly greeting?: readonly string[];
  /** Serves wss and https with it. */
  readonly certificate?: Certificate;
  /** Every message takes so long, either way, as over a long line: the next does not wait for it. */
  readonly latencyMs?: number;
  /** Name for `url` instead of 127.0.0.1, for tests with a resolver or a proxy of their own. */
  readonly host?: string;
  /** The address it listens at. Default: 127.0.0.1. */
  readonly bind?: string;
}

/** One REQ, and all that can be done to who asked. */
export interface TestReq {
  readonly subId: string;
  readonly filters: readonly Filter[];
  /** Number of the connection it came on, from 1. */
  readonly connection: number;
  /** Number of the REQ since the relay started, from 1. */
  readonly nth: number;
  /** Whether the subscription still exists: not CLOSEd, not replaced, connection open. */
  isOpen(): boolean;
  /** Whether an AUTH was accepted on the connection. */
  isAuthenticated(): boolean;
  /** Whether the connection is open, CLOSE or not. */
  isConnected(): boolean;
  /** Everything that matches, as the script has it, then EOSE. */
  serve(): Promise<void>;
  /** Sends these as EVENT messages, matching or not; resolves when the socket took them. */
  events(events: readonly NostrEvent[]): Promise<void>;
  eose(...extra: unknown[]): void;
  closed(reason: string): void;
  notice(text: string): void;
  /** One text message, whatever it says. */
  send(text: string): void;
  sendBinary(bytes: Uint8Array): void;
  /** Bytes below WebSocket: half a frame, garbage. */
  sendBytes(bytes: Uint8Array): Promise<void>;
  /** Ends the TCP connection without a goodbye. */
  disconnect(): void;
}

export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

export interface HttpReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Never ends the body. */
  readonly unending?: boolean;
}

/** A message that came in, parsed; `[]` when it was no JSON array, `["(ping)"]` for a ping. */
export interface Received {
  readonly connection: number;
  readonly message: readonly unknown[];
}
