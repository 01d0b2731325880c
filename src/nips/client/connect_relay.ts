/**
 * Connects to a relay as a client of NIP-01, 42, 45 and 67.
 *
 * @module
 */
import type { RelayUrl } from "../../models/relay_url.ts";
import { ok, type Result } from "../../models/result.ts";
import type { Dialer, OpenOptions } from "../../transport/dialer.ts";
import type { RelayFailure } from "../../transport/failure.ts";
import type { AuthPolicy } from "../nip42.ts";
import type { NoticeClass } from "./reason.ts";
import type { RelayClient } from "./relay_client.ts";
import { RelayConnection } from "./relay_connection.ts";

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
  /** Longer EVENT messages are not read, characters. Default: 2 MiB. */
  readonly maxEventBytes?: number;
  /** What may have come and not been taken before reading stops, characters. Default: 8 MiB. */
  readonly maxBuffered?: () => number;
  /** Told of each NOTICE, which names no request. */
  readonly onNotice?: (text: string, is: NoticeClass) => void;
}

/** A relay that greets with a challenge does so at once, so that it comes right behind the upgrade, ms. */
const GREETING_MS = 100;

/** Opens a connection; by `when-challenged` also tells who asks, if the relay wants to know. Whoever gets it has to close it. */
export async function connectRelay(
  dialer: Dialer,
  relay: RelayUrl,
  options: ConnectOptions,
): Promise<Result<RelayClient, RelayFailure>> {
  const socket = await dialer.open(relay, options);
  if (!socket.ok) return socket;
  const connection = new RelayConnection(socket.value, options);
  await connection.introduce(GREETING_MS);
  return ok(connection);
}
