/**
 * The relay URL: the key of everything. One relay has one spelling, and what cannot be a public relay has none.
 *
 * @module
 */
import { getDomain } from "tldts";
import { normalizePath, withoutUserPath } from "./relay_path.ts";
import { type HostFault, normalizeHost } from "./relay_host.ts";
import type { Network } from "./network.ts";
import { fail, ok, type Result } from "./result.ts";

/** A relay URL in normal form, and its parts. `parseRelayUrl` is the only maker. */
export interface RelayUrl {
  /** The normal form; the identity of the relay. The root path has no slash. */
  readonly url: string;
  readonly network: Network;
  /** `ws` on every overlay, which encrypts by itself; what it came with on clearnet. */
  readonly scheme: "ws" | "wss";
  /** Lowercase ASCII name or IP address, IPv6 without brackets. */
  readonly host: string;
  /** Null when it is the default of the scheme. */
  readonly port: number | null;
  /** With its leading slash; null for the root. */
  readonly path: string | null;
}

/** Why a text is not the URL of a relay that can be used. */
export type RelayUrlFault = HostFault | {
  readonly code: "too-long" | "scheme" | "port";
  readonly detail: string;
};

export interface RelayUrlOptions {
  /** Accepts private addresses, `localhost`, single-label and special-use names, all as clearnet. Default: false. */
  readonly allowPrivate?: boolean;
}

/** Longer texts are refused, before as after normalisation (a b-tree key holds 2704 bytes). */
const MAX_CHARACTERS = 2048;

const DEFAULT_PORT = { ws: 80, wss: 443 } as const;

/** The host is in normal form already, so it need not be found and validated once more. */
const DOMAIN_OPTIONS = {
  allowPrivateDomains: true,
  extractHostname: false,
  validateHostname: false,
} as const;

/**
 * Normalises a relay URL (RFC 3986, UTS 46). User info, query, fragment, default port and trailing dots and slashes
 * are dropped, and so is a path of characters that no relay needs. Never throws; its output parses to itself.
 */
export function parseRelayUrl(
  text: string,
  options: RelayUrlOptions = {},
): Result<RelayUrl, RelayUrlFault> {
  if (text.length > MAX_CHARACTERS) return tooLong(text.length);
  const parts = SYNTAX.exec(text.trim());
  if (parts === null) return badScheme(text);
  const [, givenScheme = "", authority = "", rest = ""] = parts;

  const { hostText, portText } = splitAuthority(authority);
  const host = normalizeHost(hostText, options.allowPrivate ?? false);
  if (!host.ok) return host;
  const scheme = host.value.network !== "clearnet" || givenScheme.length === 2
    ? "ws"
    : "wss";
  const port = parsePort(portText);
  if (!port.ok) return port;

  return assemble({
    scheme,
    ...host.value,
    port: port.value === DEFAULT_PORT[scheme] ? null : port.value,
    path: normalizePath(rest),
  });
}

/** The same relay over TLS, for a clearnet `ws` URL; null when there is nothing to secure. */
export function securedUrl(relay: RelayUrl): RelayUrl | null {
  if (relay.network !== "clearnet" || relay.scheme === "wss") return null;
  const port = relay.port === DEFAULT_PORT.wss ? null : relay.port;
  return withUrl({ ...relay, scheme: "wss", port });
}

/** Host and port as they stand in the URL: relays that share them share an address. */
export function authorityOf({ host, port }: RelayUrl): string {
  const name = host.includes(":") ? `[${host}]` : host;
  return port === null ? name : `${name}:${port}`;
}

/** The form NIP-66 wants in `d` tags: RFC 3986, where the root path is `/`. */
export function nip66Url(relay: RelayUrl): string {
  return relay.path === null ? `${relay.url}/` : relay.url;
}

/** The relay whose path belongs to one user (a key, an npub), without that part; null when it has none. */
export function parentUrl(relay: RelayUrl): RelayUrl | null {
  if (relay.path === null) return null;
  const path = withoutUserPath(relay.path);
  return path === relay.path ? null : withUrl({ ...relay, path });
}

/**
 * The registered domain (public suffix + 1), under which spam is budgeted. Suffixes that hosting companies
 * give to their customers count as public (`a.ngrok.io` and `b.ngrok.io` are two owners). On overlays it is the
 * address without names below it; an IP address stands for itself.
 */
export function registrableDomain(
  relay: Pick<RelayUrl, "network" | "host">,
): string {
  const { network, host } = relay;
  if (network === "clearnet") {
    return getDomain(host, DOMAIN_OPTIONS) ?? host;
  }
  const ownLabels = host.endsWith(".b32.i2p") ? 3 : 2;
  return host.split(".").slice(-ownLabels).join(".");
}

/** Scheme, authority, and what follows; a backslash ends the authority as in browsers. */
const SYNTAX = /^(wss?):\/\/([^/?#\\]*)([^]*)$/i;

function splitAuthority(
  authority: string,
): { hostText: string; portText: string } {
  const address = authority.slice(authority.lastIndexOf("@") + 1);
  const colon = address.lastIndexOf(":");
  if (colon === -1 || colon < address.lastIndexOf("]")) {
    return { hostText: address, portText: "" };
  }
  return {
    hostText: address.slice(0, colon),
    portText: address.slice(colon + 1),
  };
}

function parsePort(text: string): Result<number | null, RelayUrlFault> {
  if (text === "") return ok(null);
  const port = /^[0-9]{1,8}$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65_535) return ok(port);
  const seen = JSON.stringify(text.slice(0, 20));
  const detail = `The port must be 1 to 65535: ${seen}`;
  return fail({ code: "port", detail });
}

function assemble(
  parts: Omit<RelayUrl, "url">,
): Result<RelayUrl, RelayUrlFault> {
  const relay = withUrl(parts);
  return relay.url.length > MAX_CHARACTERS
    ? tooLong(relay.url.length)
    : ok(relay);
}

function withUrl(parts: Omit<RelayUrl, "url">): RelayUrl {
  const { network, scheme, host, port, path } = parts;
  const hostText = host.includes(":") ? `[${host}]` : host;
  const portText = port === null ? "" : `:${port}`;
  const url = `${scheme}://${hostText}${portText}${path ?? ""}`;
  return { url, network, scheme, host, port, path };
}

function tooLong(length: number): Result<never, RelayUrlFault> {
  const detail =
    `A relay URL has at most ${MAX_CHARACTERS} characters: this has ${length}`;
  return fail({ code: "too-long", detail });
}

function badScheme(text: string): Result<never, RelayUrlFault> {
  const seen = JSON.stringify(text.slice(0, 40));
  const detail = `A relay URL begins with ws:// or wss://: ${seen}`;
  return fail({ code: "scheme", detail });
}
