/**
 * Whether a relay gives the newest events first, as earlier sessions have found.
 *
 * @module
 */
import type { Database } from "../../core/database/database.ts";
import { getState, upsertState } from "../../core/database/service_state.ts";
import type { RelayOrder } from "../../workers/walk/pace.ts";

const SERVICE = "synchronizer";
const TYPE = "relay-order";

/** `unknown` for a relay that nothing was found out about. */
export async function knownOrder(
  database: Database,
  url: string,
): Promise<RelayOrder> {
  const key = { serviceName: SERVICE, stateType: TYPE, stateKey: url };
  const [state] = await getState(database, key);
  return state?.value === "newest-first" || state?.value === "unsorted"
    ? state.value
    : "unknown";
}

/** Keeps what a session has found. */
export async function rememberOrder(
  database: Database,
  url: string,
  order: RelayOrder,
): Promise<void> {
  if (order === "unknown") return;
  await upsertState(database, [
    { serviceName: SERVICE, stateType: TYPE, stateKey: url, value: order },
  ]);
}
