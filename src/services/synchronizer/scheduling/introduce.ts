/**
 * Relays of the tiers that the archive does not know yet become candidates: a relay named by the operator is wanted.
 *
 * @module
 */
import { insertCandidates } from "../../../archive/candidates.ts";
import type { Database } from "../../../core/database/connection/database.ts";
import { parseRelayUrl, registrableDomain } from "../../../models/relay_url.ts";

/** No bounds: an operator chose these relays. */
const NO_BUDGETS = { maxPerHost: 0, maxPerDomain: 0, maxPerAuthor: 0 };

/** Adds relays as candidates; gives how many were new. URLs that may not be dialled are left out. */
export async function introduceRelays(
  database: Database,
  urls: readonly string[],
  { allowPrivate }: { readonly allowPrivate: boolean },
): Promise<number> {
  const hints = urls.flatMap((url) => {
    const relay = parseRelayUrl(url, { allowPrivate });
    if (!relay.ok) return [];
    const domain = registrableDomain(relay.value);
    return [{ ...relay.value, domain, source: "priority" }];
  });
  const { inserted } = await insertCandidates(database, hints, NO_BUDGETS);
  return inserted;
}
