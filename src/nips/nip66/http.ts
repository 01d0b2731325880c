/**
 * Which software answers in front of a relay (NIP-66, prior art's `nip66_http`): the headers of the WebSocket upgrade.
 *
 * @module
 */
import type { RelayUrl } from "../../models/relay_url.ts";
import type { Dialer } from "../../transport/dialer.ts";
import { type CheckDocument, failedCheck } from "../check_document.ts";

/** The bounds of the check. */
export interface HttpOptions {
  readonly signal: AbortSignal;
  /** Until the upgrade is answered, ms. */
  readonly timeoutMs: number;
}

const MAX_TEXT = 200;

/** Opens a WebSocket for its headers: `http_server`, `http_powered_by`. Never rejects. */
export async function examineHttp(
  dialer: Dialer,
  relay: RelayUrl,
  { signal, timeoutMs }: HttpOptions,
): Promise<CheckDocument> {
  const opened = await dialer.open(relay, { signal, timeoutMs });
  if (!opened.ok) return failedCheck(opened.failure);
  await using socket = opened.value;
  const fields = {
    http_server: socket.headers["server"],
    http_powered_by: socket.headers["x-powered-by"],
  };
  const data = Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) =>
      value === undefined || value === ""
        ? []
        : [[name, value.slice(0, MAX_TEXT)]]
    ),
  );
  return { data, logs: { success: true }, failure: null };
}
