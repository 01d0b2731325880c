/**
 * The DNS records of a relay. No resolver is asked about a relay behind a proxy, or about an address of this machine or
 * its network.
 *
 * @module
 */
import { canonicalAddress, isPublicAddress } from "../../../models/address.ts";
import { examineDns } from "../../../nips/nip66/dns.ts";
import type { Check } from "./check.ts";

export const dns: Check = {
  name: "dns",
  type: "nip66_dns",
  applies: ({ relay, dialer }) => {
    const literal = canonicalAddress(relay.host);
    const isKnown = literal === null || isPublicAddress(literal);
    return isKnown && dialer.isDirect(relay);
  },
  run: ({ relay, dialer, dnsServers: servers }, limits) =>
    examineDns(dialer, relay, { ...limits, servers }),
};
