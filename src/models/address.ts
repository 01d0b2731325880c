/**
 * Which IP addresses are public: no relay is dialled at any other, unless `allowPrivate` says so.
 *
 * @module
 */
import ipaddr from "ipaddr.js";

const GLOBAL_IPV6 = ipaddr.IPv6.parse("2000::");

/**
 * Whether an IPv4 or IPv6 address (without brackets) is globally reachable unicast.
 * Private, loopback, link-local, multicast, documentation and other reserved ranges are not, and neither are
 * IPv6 ranges that embed an IPv4 address (mapped, NAT64, 6to4, Teredo): they would be a way around this check.
 * Text that is no address is not public.
 */
export function isPublicAddress(address: string): boolean {
  const parsed = parseAddress(address);
  if (parsed === null || parsed.range() !== "unicast") return false;
  // IPv6 has only 2000::/3 allotted for global use; 200::/7 (Yggdrasil), for one, is not.
  return parsed.kind() === "ipv4" || parsed.match(GLOBAL_IPV6, 3);
}

/** The one spelling of an address (RFC 5952 for IPv6), or null when the text is none. IPv4 only as four plain decimals. */
export function canonicalAddress(text: string): string | null {
  return parseAddress(text)?.toString() ?? null;
}

function parseAddress(text: string): ipaddr.IPv4 | ipaddr.IPv6 | null {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text);
  if (!text.includes(":") || text.includes("%")) return null;
  return ipaddr.IPv6.isValid(text) ? ipaddr.IPv6.parse(text) : null;
}
