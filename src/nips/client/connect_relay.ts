/**
 * Connects to a relay as a client of NIP-01, 42, 45 and 67.
 *
 * @module
 */
import type { RelayUrl } from "../../models/relay_url.ts";
import { ok, type Result } from "../../models/result.ts";
import type { Dialer } from "../../transport/dialer.ts";
import type { RelayFailure } from "../../transport/failure.ts";
import type { ConnectOptions } from "./connect_options.ts";
import { messageBound, SMALL_EVENT_BYTES } from "./message_bounds.ts";
import type { RelayClient } from "./relay_client.ts";
import { RelayConnection } from "./relay_connection.ts";

/** A relay that greets with a challenge does so at once, so that it comes right behind the upgrade, ms. */
const GREETING_MS = 100;

/** Opens a connection; by `when-challenged` also tells who asks, if the relay wants to know. Whoever gets it has to close it. */
export async function connectRelay(
  dialer: Dialer,
  relay: RelayUrl,
  options: ConnectOptions,
): Promise<Result<RelayClient, RelayFailure>> {
  const { maxEventBytes = SMALL_EVENT_BYTES } = options;
  const socket = await dialer.open(relay, {
    boundOf: (start) => messageBound(start, maxEventBytes),
    ...options,
  });
  if (!socket.ok) return socket;
  const connection = new RelayConnection(socket.value, options);
  await connection.introduce(GREETING_MS);
  return ok(connection);
}
