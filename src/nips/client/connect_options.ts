/**
 * How a relay is spoken to: what a connection is opened with.
 *
 * @module
 */
import type { OpenOptions } from "../../transport/dialer.ts";
import type { AuthPolicy } from "../nip42.ts";
import type { NoticeClass } from "./reason.ts";

/** How a relay is spoken to. */
export interface ConnectOptions extends OpenOptions {
  /** Secret key for NIP-42. Without it nobody authenticates. */
  readonly authKey?: Uint8Array;
  /** Default: `when-refused`. */
  readonly authPolicy?: AuthPolicy;
  /** How long the verdict on an AUTH is waited for, ms. Default: 10,000. */
  readonly authTimeoutMs?: number;
  /** Challenges answered on one connection. Default: 3. */
  readonly maxAuths?: number;
  /** Subscriptions open at once; more wait in line. Default: 16. */
  readonly maxSubscriptions?: number;
  /** Longer EVENT messages are not read, characters. Default: 256 KiB, for those who do not archive what they read. */
  readonly maxEventBytes?: number;
  /** About what may have come and not been taken before reading stops, in bytes of memory. Default: 8 MiB. */
  readonly maxBuffered?: () => number;
  /** Called before what came is read and handed on, each time. */
  readonly onWork?: () => void;
  /** Told of each NOTICE, which names no request. */
  readonly onNotice?: (text: string, is: NoticeClass) => void;
}
