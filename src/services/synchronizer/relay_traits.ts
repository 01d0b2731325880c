/**
 * What earlier sessions have found out about how a relay gives its events.
 *
 * @module
 */
import type { Database } from "../../core/database/connection/database.ts";
import { getState, upsertState } from "../../archive/service_state.ts";
import {
  type RelayTraits,
  UNKNOWN_TRAITS,
} from "../../workers/protocol/report.ts";

const SERVICE = "synchronizer";
const TYPE = "relay-traits";

/** `UNKNOWN_TRAITS` for a relay that nothing was found out about. */
export async function knownTraits(
  database: Database,
  url: string,
): Promise<RelayTraits> {
  const key = { serviceName: SERVICE, stateType: TYPE, stateKey: url };
  const [state] = await getState(database, key);
  return parseTraits(state?.value);
}

/** Keeps what a session has found, where it is news. */
export async function rememberTraits(
  database: Database,
  url: string,
  { before, now }: { readonly before: RelayTraits; readonly now: RelayTraits },
): Promise<void> {
  const isNews = now.order !== before.order ||
    now.largestPage > before.largestPage;
  if (!isNews) return;
  await upsertState(database, [{
    serviceName: SERVICE,
    stateType: TYPE,
    stateKey: url,
    value: { order: now.order, largestPage: now.largestPage },
  }]);
}

function parseTraits(value: unknown): RelayTraits {
  if (typeof value !== "object" || value === null) return UNKNOWN_TRAITS;
  const order = "order" in value ? value.order : null;
  const largestPage = "largestPage" in value ? value.largestPage : null;
  return {
    order: order === "newest-first" || order === "unsorted" ? order : "unknown",
    largestPage: typeof largestPage === "number" ? largestPage : 0,
  };
}
