/**
 * Place of a relay's address (NIP-66, prior art's `nip66_geo`), by a city database.
 *
 * @module
 */
import type { RelayUrl } from "../../models/relay_url.ts";
import type { Result } from "../../models/result.ts";
import type { Dialer } from "../../transport/dialer.ts";
import {
  type CheckDocument,
  failedCheck,
  unknowable,
} from "../check_document.ts";
import { geohash } from "./geohash.ts";
import type { Mmdb, MmdbFault } from "./mmdb.ts";
import { placeFields } from "./place_fields.ts";

/** The database to look it up in. */
export interface GeoOptions {
  readonly signal: AbortSignal;
  /** For finding the addresses, ms. */
  readonly timeoutMs: number;
  /** A city or country database, or why there is none. */
  readonly database: Result<Mmdb, MmdbFault>;
  /** Characters of `geo_hash`, 1 to 12. Default: 9. */
  readonly geohashPrecision?: number;
}

/**
 * Looks up the addresses the relay is dialled at, IPv4 first, until the database knows one. That it knows none, or
 * that there is no database, is not the relay's failure. Never rejects.
 */
export async function examineGeo(
  dialer: Dialer,
  relay: RelayUrl,
  { signal, timeoutMs, database, geohashPrecision = 9 }: GeoOptions,
): Promise<CheckDocument> {
  if (!database.ok) return unknowable(database.failure.detail);
  const addresses = await dialer.addresses(relay, { signal, timeoutMs });
  if (!addresses.ok) return failedCheck(addresses.failure);
  // Sorted, because name servers shuffle: what is the same must look the same.
  const sorted = addresses.value.toSorted();
  const isIpv6 = (address: string) => Number(address.includes(":"));
  const inOrder = sorted.toSorted((a, b) => isIpv6(a) - isIpv6(b));
  for (const address of inOrder) {
    const entry = database.value.lookUp(address);
    if (entry === null) continue;
    const place = placeFields(entry.fields);
    const { geo_lat: latitude, geo_lon: longitude } = place;
    const geo_hash = latitude === undefined || longitude === undefined
      ? undefined
      : geohash({ latitude, longitude }, geohashPrecision);
    const data = withoutUndefined({ ...place, geo_hash });
    if (Object.keys(data).length === 0) continue;
    return { data, logs: { success: true }, failure: null };
  }
  const { type } = database.value;
  return unknowable(`The database ${type} knows no ${inOrder.join(", ")}`);
}

function withoutUndefined(fields: object): Record<string, unknown> {
  const known = Object.entries(fields)
    .filter(([, value]) => value !== undefined);
  return Object.fromEntries(known);
}
