/**
 * Whether a relay knows NIP-77, as earlier sessions have found.
 *
 * @module
 */
import type { Database } from "../../core/database/database.ts";
import { getState, upsertState } from "../../core/database/service_state.ts";
import type {
  NegentropyJob,
  NegentropySupport,
} from "../../workers/protocol.ts";

const SERVICE = "synchronizer";
const TYPE = "relay-nip77";

/** How NIP-77 is used. */
export interface NegentropyPolicy {
  readonly enabled: boolean;
  /** Silence by which a relay shows that it does not know it, ms. */
  readonly probeTimeoutMs: number;
  /** A relay that did not know it, and events that a relay withheld, are asked again after so long. */
  readonly retestSeconds: number;
}

/** How a session is to use it; null for not at all. */
export async function negentropyJob(
  database: Database,
  url: string,
  { enabled, probeTimeoutMs, retestSeconds }: NegentropyPolicy,
): Promise<NegentropyJob | null> {
  if (!enabled) return null;
  const key = { serviceName: SERVICE, stateType: TYPE, stateKey: url };
  const [state] = await getState(database, key);
  const now = Math.floor(Date.now() / 1_000);
  if (state?.value === "supported") {
    return { support: "supported", probeTimeoutMs };
  }
  const isFresh = state !== undefined && state.updatedAt + retestSeconds > now;
  return isFresh ? null : { support: "unknown", probeTimeoutMs };
}

/** Keeps what a session has found. */
export async function rememberSupport(
  database: Database,
  url: string,
  support: NegentropySupport,
): Promise<void> {
  if (support === "unknown") return;
  await upsertState(database, [
    { serviceName: SERVICE, stateType: TYPE, stateKey: url, value: support },
  ]);
}
