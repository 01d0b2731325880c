/**
 * Records of a relay's host in the domain name system (NIP-66, prior art's `nip66_dns`).
 *
 * @module
 */
import ipaddr from "ipaddr.js";
import { canonicalAddress } from "../../models/address.ts";
import { registrableDomain, type RelayUrl } from "../../models/relay_url.ts";
import type { Result } from "../../models/result.ts";
import type { Dialer } from "../../transport/dialer.ts";
import {
  askDns,
  type DnsQuestion,
  type DnsReply,
  type DnsServer,
} from "../../transport/dns_client.ts";
import { failureText, type RelayFailure } from "../../transport/failure.ts";
import { type CheckDocument, failedCheck } from "../check_document.ts";

/** Whom to ask, and for how long. */
export interface DnsOptions {
  readonly signal: AbortSignal;
  /** For each question, ms. */
  readonly timeoutMs: number;
  /** The resolvers, at most three of them; `systemDnsServers()` knows the usual ones. */
  readonly servers: readonly DnsServer[];
}

type Answer = Result<DnsReply, RelayFailure>;
type Ask = (question: DnsQuestion) => Promise<Answer>;

/**
 * Addresses (`dns_ips`, `dns_ips_v6`) with their lifetimes in seconds (`dns_ttl`, `dns_ttl_v6`), alias (`dns_cname`),
 * the name the first address points back to (`dns_reverse`), and the name servers of the registrable domain (`dns_ns`).
 * A name that does not exist, one without addresses, a resolver that fails and one that is silent have failures of
 * their own. Never rejects.
 */
export async function examineDns(
  dialer: Dialer,
  relay: RelayUrl,
  { signal, timeoutMs, servers }: DnsOptions,
): Promise<CheckDocument> {
  if (dialer.isOptedOut(relay)) {
    const detail = `${relay.host} is on the opt-out list`;
    return failedCheck({ code: "opted-out", detail });
  }
  if (!dialer.isDirect(relay)) {
    const detail = "No resolver is asked about a relay behind a proxy";
    return failedCheck({ code: "proxy", detail });
  }
  const ask: Ask = (question) =>
    askDns(question, servers, { signal, timeoutMs });
  const literal = canonicalAddress(relay.host);
  return literal === null
    ? await examineName(relay, ask)
    : await examineAddress(literal, ask);
}

async function examineName(relay: RelayUrl, ask: Ask): Promise<CheckDocument> {
  const [v4, v6, ns] = await Promise.all([
    ask({ name: relay.host, type: "A" }),
    ask({ name: relay.host, type: "AAAA" }),
    ask({ name: registrableDomain(relay), type: "NS" }),
  ]);
  const a = found(v4, "A");
  const aaaa = found(v6, "AAAA");
  const [first] = [...a.values, ...aaaa.values];
  if (first === undefined) return failedCheck(whyNone(relay.host, v4, v6));
  const ptr = await ask({ name: reverseName(first), type: "PTR" });
  return documentOf({
    dns_ips: a.values,
    dns_ips_v6: aaaa.values,
    dns_ttl: a.ttl,
    dns_ttl_v6: aaaa.ttl,
    dns_cname: aliasOf(relay.host, v4, v6),
    dns_reverse: found(ptr, "PTR").values[0],
    dns_ns: found(ns, "NS").values,
  }, { a: v4, aaaa: v6, ns, ptr });
}

/** A bare address has only its reverse name to ask for. */
async function examineAddress(
  address: string,
  ask: Ask,
): Promise<CheckDocument> {
  const ptr = await ask({ name: reverseName(address), type: "PTR" });
  const field = address.includes(":") ? "dns_ips_v6" : "dns_ips";
  return documentOf(
    { [field]: [address], dns_reverse: found(ptr, "PTR").values[0] },
    { ptr },
  );
}

/** Sorted, because servers shuffle: what is the same must look the same. */
function found(
  answer: Answer,
  type: DnsQuestion["type"],
): { values: string[]; ttl: number | undefined } {
  if (!answer.ok) return { values: [], ttl: undefined };
  const records = answer.value.records.filter((it) => it.type === type);
  const values = records.map(({ data }) =>
    type === "A" || type === "AAAA" ? canonicalAddress(data) ?? data : data
  );
  const ttl = records.length === 0
    ? undefined
    : Math.min(...records.map((it) => it.ttl));
  return { values: [...new Set(values)].sort(), ttl };
}

function aliasOf(host: string, ...answers: readonly Answer[]) {
  const records = answers.flatMap((it) => it.ok ? it.value.records : []);
  return records.find(({ type, name }) => type === "CNAME" && name === host)
    ?.data;
}

function whyNone(host: string, v4: Answer, v6: Answer): RelayFailure {
  for (const answer of [v4, v6]) {
    if (!answer.ok) return answer.failure;
    const { rcode } = answer.value;
    if (rcode === "NXDOMAIN") {
      return { code: "dns", detail: `NXDOMAIN: ${host} does not exist` };
    }
    if (rcode !== "NOERROR") {
      const detail = `${rcode}: the resolver has no answer for ${host}`;
      return { code: "dns", detail };
    }
  }
  return { code: "dns", detail: `NODATA: ${host} has no address` };
}

/** The document without what is empty; what could not be asked has its reason in the logs. */
function documentOf(
  fields: Readonly<Record<string, number | string | string[] | undefined>>,
  answers: Readonly<Record<string, Answer>>,
): CheckDocument {
  const data = Object.fromEntries(
    Object.entries(fields).filter(([, value]) =>
      value !== undefined && !(Array.isArray(value) && value.length === 0)
    ),
  );
  const logs: Record<string, boolean | string> = { success: true };
  for (const [name, answer] of Object.entries(answers)) {
    const reason = answer.ok
      ? unanswered(answer.value)
      : failureText(answer.failure);
    if (reason !== null) logs[`${name}_reason`] = reason;
  }
  return { data, logs, failure: null };
}

/** A record that is known not to exist is an answer, too. */
function unanswered({ rcode }: DnsReply): string | null {
  return rcode === "NOERROR" || rcode === "NXDOMAIN" ? null : `dns: ${rcode}`;
}

/** The reverse name of an address (RFC 1035, 3.5; RFC 3596, 2.5). */
function reverseName(address: string): string {
  const bytes = ipaddr.parse(address).toByteArray();
  if (bytes.length === 4) return `${bytes.reverse().join(".")}.in-addr.arpa`;
  const nibbles = Uint8Array.from(bytes).toHex().split("").reverse();
  return `${nibbles.join(".")}.ip6.arpa`;
}
