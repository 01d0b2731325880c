/**
 * The interface of a check: each is a file beside this one, listed in `check_relay.ts`.
 *
 * @module
 */
import type { MetadataType } from "../../../models/metadata.ts";
import type { Networks } from "../../../models/network.ts";
import type { RelayUrl } from "../../../models/relay_url.ts";
import type { Result } from "../../../models/result.ts";
import type { CheckDocument } from "../../../nips/check_document.ts";
import type { Mmdb, MmdbFault } from "../../../nips/nip66/mmdb.ts";
import type { Dialer } from "../../../transport/dialer.ts";
import type { DnsServer } from "../../../transport/dns_client.ts";
import type { ChecksConfig } from "../checks_config.ts";

/** Every check, in the order in which they are listed to people. */
export const CHECK_NAMES = [
  "rtt",
  "nip11",
  "tls",
  "dns",
  "geo",
  "net",
  "http",
] as const;

export type CheckName = (typeof CHECK_NAMES)[number];

/** The checks whose document is kept; the round-trip times are in `relay_check`. */
export type DocumentName = Exclude<CheckName, "rtt">;

/** The deps of checks. */
export interface CheckDeps {
  readonly dialer: Dialer;
  /** Signs what needs a signature; null when nobody gave one. */
  readonly secretKey: Uint8Array | null;
  readonly dnsServers: readonly DnsServer[];
  /** Each asked for anew, because files are replaced. */
  readonly databases: {
    readonly city: () => Result<Mmdb, MmdbFault>;
    readonly asn: () => Result<Mmdb, MmdbFault>;
  };
}

/** The relay to check, with the deps. */
export interface CheckTarget extends CheckDeps {
  readonly relay: RelayUrl;
  readonly config: {
    readonly networks: Networks;
    readonly checks: ChecksConfig;
  };
  readonly signal: AbortSignal;
}

/** How long a check may take. */
export interface CheckLimits {
  readonly signal: AbortSignal;
  /** For each step, ms. */
  readonly timeoutMs: number;
  /** How long to wait for a slot at the address, ms. Default: the dialer's. */
  readonly slotTimeoutMs?: number | undefined;
}

/** A check whose document is kept. It never throws. */
export interface Check {
  readonly name: DocumentName;
  readonly type: MetadataType;
  /** Whether it makes sense for this relay, and what it takes of our own is there. */
  applies(target: CheckTarget): boolean;
  run(target: CheckTarget, limits: CheckLimits): Promise<CheckDocument>;
}
