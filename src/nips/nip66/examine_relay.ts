/**
 * All checks of NIP-66 on one relay, at the same time.
 *
 * @module
 */
import type { MetadataType } from "../../models/metadata.ts";
import type { RelayUrl } from "../../models/relay_url.ts";
import type { Result } from "../../models/result.ts";
import type { Dialer } from "../../transport/dialer.ts";
import type { DnsServer } from "../../transport/dns_client.ts";
import type { CheckDocument } from "../check_document.ts";
import { handshake } from "../handshake.ts";
import { fetchNip11 } from "../nip11.ts";
import type { RelayReport } from "./discovery_event.ts";
import { examineDns } from "./dns.ts";
import { examineGeo } from "./geo.ts";
import { examineHttp } from "./http.ts";
import type { Mmdb, MmdbFault } from "./mmdb.ts";
import { examineNet } from "./net.ts";
import { measureRtt } from "./rtt.ts";
import { examineTls } from "./tls.ts";

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

/** What to check, and with what. */
export interface ExamineOptions {
  readonly signal: AbortSignal;
  /** For each step of each check, ms. */
  readonly timeoutMs: number;
  readonly checks: ReadonlySet<CheckName>;
  /** A longer NIP-11 document is refused. */
  readonly maxNip11Bytes: number;
  /** Tries to write with it, and authenticates where that is asked for; null does neither. */
  readonly secretKey: Uint8Array | null;
  readonly dnsServers: readonly DnsServer[];
  readonly cities: Result<Mmdb, MmdbFault>;
  readonly asns: Result<Mmdb, MmdbFault>;
}

/** What was found. */
export interface Examination {
  readonly relay: RelayUrl;
  /** Unix seconds. */
  readonly checkedAt: number;
  /** It opened and spoke. */
  readonly isOnline: boolean;
  /** Of the checks that were asked for, in their order. */
  readonly documents: ReadonlyMap<CheckName, CheckDocument>;
}

/** Runs the checks. Takes a few times `timeoutMs` at most; never rejects. */
export async function examineRelay(
  dialer: Dialer,
  relay: RelayUrl,
  options: ExamineOptions,
): Promise<Examination> {
  const checkedAt = Math.floor(Date.now() / 1_000);
  const run = (name: Exclude<CheckName, "rtt">) =>
    options.checks.has(name) ? RUNS[name](dialer, relay, options) : undefined;
  const nip11 = run("nip11");
  const [isOnline, ...found] = await Promise.all([
    nip11?.then((nip11) => spoke(dialer, relay, { ...options, nip11 })) ??
      spoke(dialer, relay, options),
    nip11,
    run("tls"),
    run("dns"),
    run("geo"),
    run("net"),
    run("http"),
  ]);
  const documents = new Map<CheckName, CheckDocument>();
  for (const [i, name] of CHECK_NAMES.entries()) {
    const document = name === "rtt" ? isOnline.rtt : found[i - 1];
    if (document !== undefined) documents.set(name, document);
  }
  return { relay, checkedAt, isOnline: isOnline.value, documents };
}

/** The examination as events are made of it. */
export function reportOf(
  { relay, checkedAt, documents }: Examination,
): RelayReport | null {
  const rtt = documents.get("rtt");
  if (rtt === undefined) return null;
  const typed = new Map<MetadataType, CheckDocument>();
  for (const [name, document] of documents) typed.set(TYPES[name], document);
  return { relay, checkedAt, rtt, documents: typed };
}

/** The proof of work that a relay says it wants, bits; 0 when it says nothing. */
export function wantedPow(nip11: CheckDocument | undefined): number {
  const limitation = nip11?.data["limitation"];
  if (typeof limitation !== "object" || limitation === null) return 0;
  const fields: Readonly<Record<string, unknown>> = { ...limitation };
  const bits = fields["min_pow_difficulty"];
  return typeof bits === "number" && bits > 0 && bits <= 256 ? bits : 0;
}

const TYPES: Readonly<Record<CheckName, MetadataType>> = {
  nip11: "nip11_info",
  rtt: "nip66_rtt",
  tls: "nip66_ssl",
  dns: "nip66_dns",
  geo: "nip66_geo",
  net: "nip66_net",
  http: "nip66_http",
};

type Run = (
  dialer: Dialer,
  relay: RelayUrl,
  options: ExamineOptions,
) => Promise<CheckDocument>;

const RUNS: Readonly<Record<Exclude<CheckName, "rtt">, Run>> = {
  nip11: (dialer, relay, options) =>
    fetchNip11(dialer, relay, { ...options, maxBytes: options.maxNip11Bytes }),
  tls: examineTls,
  dns: (dialer, relay, options) =>
    examineDns(dialer, relay, { ...options, servers: options.dnsServers }),
  geo: (dialer, relay, options) =>
    examineGeo(dialer, relay, { ...options, database: options.cities }),
  net: (dialer, relay, options) =>
    examineNet(dialer, relay, { ...options, database: options.asns }),
  http: examineHttp,
};

/** After NIP-11, because whether a write is taken can depend on the proof of work that it names. */
async function spoke(
  dialer: Dialer,
  relay: RelayUrl,
  options: ExamineOptions & { readonly nip11?: CheckDocument },
): Promise<{ value: boolean; rtt?: CheckDocument }> {
  const { signal, timeoutMs, checks, secretKey, nip11 } = options;
  if (!checks.has("rtt")) {
    const spoken = await handshake(dialer, relay, { signal, timeoutMs });
    return { value: spoken.ok };
  }
  const rtt = await measureRtt(dialer, relay, {
    signal,
    timeoutMs,
    minPow: wantedPow(nip11),
    ...(secretKey === null ? {} : { secretKey }),
  });
  return { value: rtt.failure === null, rtt };
}
