/**
 * The network that a relay's address belongs to (NIP-66, prior art's `nip66_net`), by an ASN database.
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
import type { Mmdb, MmdbEntry, MmdbFault } from "./mmdb.ts";

/** The database to look it up in. */
export interface NetOptions {
  readonly signal: AbortSignal;
  /** For finding the addresses, ms. */
  readonly timeoutMs: number;
  /** An ASN database, or why there is none. */
  readonly database: Result<Mmdb, MmdbFault>;
}

/**
 * The first address of each family (`net_ip`, `net_ipv6`), the networks they are in (`net_network`, `net_network_v6`)
 * and their operator (`net_asn`, `net_asn_org`; that of the IPv4 address where both are known). Never rejects.
 */
export async function examineNet(
  dialer: Dialer,
  relay: RelayUrl,
  { signal, timeoutMs, database }: NetOptions,
): Promise<CheckDocument> {
  if (!database.ok) return unknowable(database.failure.detail);
  const addresses = await dialer.addresses(relay, { signal, timeoutMs });
  if (!addresses.ok) return failedCheck(addresses.failure);
  // Sorted, because name servers shuffle: what is the same must look the same.
  const sorted = addresses.value.toSorted();
  const ip = sorted.find((address) => !address.includes(":"));
  const ipv6 = sorted.find((address) => address.includes(":"));
  const v4 = ip === undefined ? null : database.value.lookUp(ip);
  const v6 = ipv6 === undefined ? null : database.value.lookUp(ipv6);
  const fields = {
    net_ip: ip,
    net_ipv6: ipv6,
    ...(operatorOf(v4) ?? operatorOf(v6)),
    net_network: v4?.network,
    net_network_v6: v6?.network,
  };
  const known = Object.entries(fields)
    .filter(([, value]) => value !== undefined);
  return {
    data: Object.fromEntries(known),
    logs: { success: true },
    failure: null,
  };
}

/** Null when the entry names no autonomous system. */
function operatorOf(
  entry: MmdbEntry | null,
): { net_asn: number; net_asn_org: string | undefined } | null {
  const asn = entry?.fields["autonomous_system_number"];
  const org = entry?.fields["autonomous_system_organization"];
  if (typeof asn !== "number" || !Number.isSafeInteger(asn)) return null;
  const net_asn_org = typeof org === "string" && org !== ""
    ? org.slice(0, 200)
    : undefined;
  return { net_asn: asn, net_asn_org };
}
