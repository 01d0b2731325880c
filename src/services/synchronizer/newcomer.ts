/**
 * Relay that somebody names and the archive does not know: a candidate until it answers.
 *
 * @module
 */
import { insertCandidates } from "../../archive/candidates.ts";
import { insertRelays, relayIds } from "../../archive/relays.ts";
import type { Database } from "../../core/database/connection/database.ts";
import { registrableDomain, type RelayUrl } from "../../models/relay_url.ts";
import { ok, type Result } from "../../models/result.ts";
import { handshake } from "../../nips/client/handshake.ts";
import type { Dialer } from "../../transport/dialer.ts";
import type { RelayFailure } from "../../transport/failure.ts";

/** Somebody chose it, so no budget bounds it. */
const NO_BUDGETS = { maxPerHost: 0, maxPerDomain: 0, maxPerAuthor: 0 };

/**
 * The id of the relay. One that is new is dialled first, and is a relay when it gives a Nostr answer; else it stays a
 * candidate, which the validator tries again. Throws what the database throws.
 */
export async function admitRelay(
  { database, dialer }: {
    readonly database: Database;
    readonly dialer: Dialer;
  },
  relay: RelayUrl,
  bounds: { readonly signal: AbortSignal; readonly timeoutMs: number },
): Promise<Result<number, RelayFailure>> {
  const known = await idOf(database, relay);
  if (known !== undefined) return ok(known);
  const domain = registrableDomain(relay);
  const candidate = { ...relay, domain, source: "operator" };
  await insertCandidates(database, [candidate], NO_BUDGETS);
  const answer = await handshake(dialer, relay, bounds);
  if (!answer.ok) return answer;
  await insertRelays(database, [{ ...relay, domain }]);
  const id = await idOf(database, relay);
  if (id === undefined) throw new Error(`There is no ${relay.url} any more`);
  return ok(id);
}

async function idOf(
  database: Database,
  { url }: RelayUrl,
): Promise<number | undefined> {
  return (await relayIds(database, [url])).get(url);
}
