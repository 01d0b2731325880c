/**
 * Relays of the tiers that the archive has never heard of become candidates: whoever asks for a relay by name wants it.
 *
 * @module
 */
import { insertCandidates } from "../../../archive/candidates.ts";
import type { Database } from "../../../core/database/connection/database.ts";
import { parseRelayUrl, registrableDomain } from "../../../models/relay_url.ts";

/** An operator chose them, so no budget bounds them. */
const NO_BUDGETS = { maxPerHost: 0, maxPerDomain: 0, maxPerAuthor: 0 };

/** Says how many were new. Those that may not be dialled are left out. */
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
