/**
 * The host of a relay URL: its normal form, its network, and whether it can be a public relay at all.
 *
 * @module
 */
import { canonicalAddress, isPublicAddress } from "./address.ts";
import type { Network } from "./network.ts";
import { fail, ok, type Result } from "./result.ts";

/** Why a host is refused. */
export interface HostFault {
  /** `host`: malformed; `special-use`: a name that means nothing in public; `address`: not a public IP address. */
  readonly code: "host" | "special-use" | "address";
  readonly detail: string;
}

/** A host in normal form. */
export interface NormalHost {
  readonly host: string;
  readonly network: Network;
}

/**
 * Names that resolve nowhere, or somewhere else for everybody: RFC 6761, 6762, 7686, 8375, 9476,
 * ICANN's `.internal`, and the private suffixes that leak most (RFC 6762 appendix G).
 */
const SPECIAL_USE = new Set(
  (
    "localhost localdomain local internal intranet private corp home lan " +
    "test example invalid alt arpa"
  ).split(" "),
);

/** Second-level names reserved for documentation (RFC 6761, section 6.5). */
const DOCUMENTATION = /(?:^|\.)example\.(?:com|net|org)$/;

/** A v3 service, or one of the old v2, and names below it. */
const ONION = /(?:^|\.)(?:[a-z2-7]{56}|[a-z2-7]{16})\.onion$/;
/** A destination's hash (52), or the key of an encrypted one (56 and more; I2P proposal 149). */
const I2P_HASH = /^(?:[a-z2-7]{52}|[a-z2-7]{56,63})\.b32\.i2p$/;
/** A service node's key in z-base-32, which is an alphabet of its own. */
const LOKI = /^[a-km-uw-z13-9]{52}\.loki$/;
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;

/** Characters that may not occur in a host, percent-decoded or not (WHATWG's forbidden host code points). */
// deno-lint-ignore no-control-regex
const FORBIDDEN = /[\x00-\x20"#%/:<>?@[\\\]^`{|}\x7f]/;

/** Normalises the host of an authority (IPv6 in brackets), and tells its network. */
export function normalizeHost(
  text: string,
  allowPrivate: boolean,
): Result<NormalHost, HostFault> {
  if (/^\[.*:.*\]$/.test(text)) {
    return checkAddress(text.slice(1, -1), allowPrivate);
  }
  const name = decodeName(text);
  if (name === null) return bad(text, "is not a host name");
  if (endsInNumber(name)) return checkAddress(name, allowPrivate);
  if (
    name.length > 253 || !name.split(".").every((label) => LABEL.test(label))
  ) {
    return bad(text, "is not a host name");
  }
  return classify(name, allowPrivate);
}

/** The lowercase ASCII form of a name without its root dots, or null. */
function decodeName(text: string): string | null {
  const decoded = text.includes("%") ? percentDecode(text) : text;
  if (decoded === null || FORBIDDEN.test(decoded)) return null;
  const ascii = needsIdna(decoded) ? toAscii(decoded) : decoded.toLowerCase();
  return ascii?.replace(/\.+$/, "") ?? null;
}

function percentDecode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

/** Also true for punycode: what it encodes has rules of its own. */
function needsIdna(name: string): boolean {
  return /[^ -~]|(?:^|\.)xn--/i.test(name);
}

/** UTS 46, as the platform's URL parser does it. */
function toAscii(name: string): string | null {
  const url = URL.parse(`wss://${name}`);
  if (url === null) return null;
  // A name that becomes an IP address by mapping is a disguise, not a relay.
  return endsInNumber(url.hostname) ? null : url.hostname;
}

/** Whether URL parsers take the name for an IPv4 address (WHATWG: "ends in a number"). */
function endsInNumber(name: string): boolean {
  return /(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)$/.test(name);
}

function checkAddress(
  text: string,
  allowPrivate: boolean,
): Result<NormalHost, HostFault> {
  const host = canonicalAddress(text);
  if (host === null) return bad(text, "is not an IP address in plain form");
  if (!allowPrivate && !isPublicAddress(host)) {
    return fail({
      code: "address",
      detail: `The address is not public: ${host}`,
    });
  }
  return ok({ host, network: "clearnet" });
}

function classify(
  host: string,
  allowPrivate: boolean,
): Result<NormalHost, HostFault> {
  const suffix = host.slice(host.lastIndexOf(".") + 1);
  const overlay = overlayOf(suffix);
  if (overlay !== undefined) {
    return overlay.holds(host)
      ? ok({ host, network: overlay.network })
      : bad(host, `is not a ${overlay.network} address`);
  }
  if (allowPrivate) return ok({ host, network: "clearnet" });
  if (SPECIAL_USE.has(suffix) || DOCUMENTATION.test(host)) {
    const detail = `The name has no public meaning: ${host.slice(0, 80)}`;
    return fail({ code: "special-use", detail });
  }
  if (suffix === host) return bad(host, "has no dot");
  return ok({ host, network: "clearnet" });
}

interface Overlay {
  readonly network: Network;
  readonly holds: (host: string) => boolean;
}

function overlayOf(suffix: string): Overlay | undefined {
  switch (suffix) {
    case "onion":
      return { network: "tor", holds: (host) => ONION.test(host) };
    case "i2p":
      return { network: "i2p", holds: isI2p };
    case "loki":
      return { network: "loki", holds: (host) => LOKI.test(host) };
    default:
      return undefined;
  }
}

/** A hash under `.b32.i2p`, or a name of the I2P address book. */
function isI2p(host: string): boolean {
  if (host.endsWith(".b32.i2p")) return I2P_HASH.test(host);
  return host !== "i2p" && host !== "b32.i2p";
}

function bad(text: string, what: string): Result<never, HostFault> {
  const detail = `The host ${what}: ${JSON.stringify(text.slice(0, 80))}`;
  return fail({ code: "host", detail });
}
