/**
 * What `check` says of a relay: for people, and for programs.
 *
 * @module
 */
import { getPublicKey } from "nostr-tools/pure";
import type { CheckDocument } from "../../nips/check_document.ts";
import type { RelayUrl } from "../../models/relay_url.ts";
import { judgeCapabilities } from "../../nips/nip66/capabilities.ts";
import { discoveryEvent } from "../../nips/nip66/discovery_event.ts";
import { CHECKS, type Findings } from "../../services/monitor/check_relay.ts";
import {
  CHECK_NAMES,
  type CheckName,
} from "../../services/monitor/checks/check.ts";
import { wrapped } from "../terminal/labelled_lines.ts";
import { duration } from "../terminal/numbers.ts";
import { type Paint, tame } from "../terminal/paint.ts";

/** A relay, what was asked about it, and what was found. */
export interface Examination {
  readonly relay: RelayUrl;
  readonly checks: ReadonlySet<CheckName>;
  readonly findings: Findings;
}

type Data = CheckDocument["data"];
/** A field as people know it, its value, and how that is painted; an empty value is not shown. */
type Row = readonly [label: string, value: string, as?: "bad" | "faint"];

const MAX_VALUE = 160;

/** One object a relay; its event is as it would be published, but unsigned. */
export function checkJson(
  examination: Examination,
  secretKey: Uint8Array | null,
) {
  const { relay, checks: wanted, findings } = examination;
  const draft = wanted.has("rtt")
    ? discoveryEvent({ relay, ...findings })
    : null;
  const author = secretKey === null ? {} : { pubkey: getPublicKey(secretKey) };
  const checks = [...documentsOf(examination)].map(
    ([name, { data, logs }]) => [name, { data, logs }] as const,
  );
  return {
    url: relay.url,
    online: findings.rtt.failure === null,
    checks: Object.fromEntries(checks),
    events: draft === null ? [] : [{ ...author, ...draft }],
  };
}

/** A few lines for each check, under the relay and its state. */
export function checkText(
  examination: Examination,
  look: { readonly paint: Paint; readonly columns: number },
): string {
  const { relay, findings } = examination;
  const { paint } = look;
  const documents = documentsOf(examination);
  const isOnline = findings.rtt.failure === null;
  const state = isOnline ? paint("online", "good") : paint("offline", "bad");
  const lines = [`${paint(relay.url, "strong")}  ${state}`];
  for (const [name, document] of documents) {
    const rows = name === "tls" && relay.scheme === "ws"
      ? NO_TLS
      : rowsOf(name, document);
    lines.push(...rowLines(name, rows, look));
  }
  const nip11 = documents.get("nip11");
  const demands = isOnline ? demandRows(documents.get("rtt"), nip11) : [];
  lines.push(...rowLines("asks", demands, look));
  return `${lines.join("\n")}\n`;
}

/** Those that were asked for, in the order for people. */
function documentsOf(
  { checks, findings }: Examination,
): Map<CheckName, CheckDocument> {
  const documents = new Map<CheckName, CheckDocument>();
  for (const name of CHECK_NAMES) {
    const type = CHECKS.find((check) => check.name === name)?.type;
    const document = type === undefined
      ? findings.rtt
      : findings.documents.get(type);
    if (checks.has(name) && document !== undefined) {
      documents.set(name, document);
    }
  }
  return documents;
}

/** Nothing is wrong with a relay that was not asked to encrypt. */
const NO_TLS: readonly Row[] = [["none", "the relay is ws://", "faint"]];

function rowsOf(name: CheckName, { data, logs }: CheckDocument): Row[] {
  const rows = ROWS[name](data);
  const said = new Set<string>();
  const reasons = Object.entries(logs).flatMap(([log, reason]): Row[] => {
    // What cannot be opened can be neither read nor written, for the same reason.
    if (typeof reason !== "string" || said.has(reason)) return [];
    said.add(reason);
    if (NEEDS_OPTION.test(reason)) return [["not made", reason, "faint"]];
    const label = log === "reason" ? "failed" : log.replace(/_reason$/, "");
    return [[label, tame(reason, MAX_VALUE), "bad"]];
  });
  const shown = [...rows, ...reasons].filter(([, value]) => value !== "");
  return shown.length > 0 ? shown : [["nothing", "-"]];
}

/** A check that was left out for want of an option is no fault of the relay. */
const NEEDS_OPTION = /^needs --/;

/** Columns before the values. */
const LABELS = 22;

/** The name stands before the first of its rows; a value that is too wide goes on below. */
function rowLines(
  name: string,
  rows: readonly Row[],
  { paint, columns }: { readonly paint: Paint; readonly columns: number },
): string[] {
  const width = Math.max(20, columns - LABELS);
  return rows.flatMap(([label, value, as], i) => {
    const head = (i === 0 ? name : "").padEnd(7);
    return wrapped(value, width).map((line, n) => {
      const text = as === undefined ? line : paint(line, as);
      if (n > 0) return `${" ".repeat(LABELS)}${text}`;
      return `  ${head}${paint(label.padEnd(13), "faint")}${text}`;
    });
  });
}

const ROWS: Readonly<Record<CheckName, (data: Data) => Row[]>> = {
  rtt: (data) => [
    ["open", measured(data, "rtt_open", " ms")],
    ["read", measured(data, "rtt_read", " ms")],
    ["write", measured(data, "rtt_write", " ms")],
  ],
  nip11: (data) => [
    ["name", words(data, ["name"])],
    ["description", words(data, ["description"])],
    ["software", words(data, ["software", "version"])],
    ["NIPs", words(data, ["supported_nips"])],
    ["contact", words(data, ["contact"])],
  ],
  tls: tlsRows,
  dns: (data) => [
    ["addresses", words(data, ["dns_ips", "dns_ips_v6"])],
    ["kept for", measured(data, "dns_ttl", " s")],
    ["alias of", words(data, ["dns_cname"])],
    ["name servers", words(data, ["dns_ns"])],
    ["points back", words(data, ["dns_reverse"])],
  ],
  geo: (data) => [
    ["place", words(data, ["geo_city", "geo_region", "geo_country"])],
    ["coordinates", words(data, ["geo_lat", "geo_lon"])],
    ["geohash", words(data, ["geo_hash"])],
    ["time zone", words(data, ["geo_tz"])],
  ],
  net: (data) => [
    ["addresses", words(data, ["net_ip", "net_ipv6"])],
    ["networks", words(data, ["net_network", "net_network_v6"])],
    ["AS number", words(data, ["net_asn"])],
    ["operator", words(data, ["net_asn_org"])],
  ],
  http: (data) => [
    ["server", words(data, ["http_server"])],
    ["powered by", words(data, ["http_powered_by"])],
  ],
};

function tlsRows(data: Data): Row[] {
  const expires = data["ssl_expires"];
  const left = typeof expires === "number"
    ? expires - Date.now() / 1_000
    : null;
  const when = typeof expires === "number"
    ? new Date(expires * 1_000).toISOString().slice(0, 10)
    : "";
  const valid = data["ssl_valid"];
  const bits = measured(data, "ssl_cipher_bits", " bits");
  return [
    [
      "certificate",
      valid === undefined ? "" : valid ? "valid" : "not valid",
    ],
    ["because", words(data, ["ssl_problems"])],
    ["expires", left === null ? "" : `${when} (${inWords(left)})`],
    ["issuer", words(data, ["ssl_issuer", "ssl_issuer_cn"])],
    ["names", words(data, ["ssl_san"]) || words(data, ["ssl_subject_cn"])],
    [
      "session",
      `${words(data, ["ssl_protocol", "ssl_cipher"])} ${bits}`.trim(),
    ],
    ["fingerprint", words(data, ["ssl_fingerprint"])],
  ];
}

function inWords(seconds: number): string {
  return seconds < 0 ? `${duration(-seconds)} ago` : `in ${duration(seconds)}`;
}

function demandRows(
  rtt: CheckDocument | undefined,
  nip11: CheckDocument | undefined,
): Row[] {
  const rows = Object.entries(judgeCapabilities(rtt, nip11));
  return rows.flatMap(([name, { value, by }]): Row[] => {
    if (value === null) return [];
    const how = by === "nip11" ? "its NIP-11 says" : `shown by ${by}`;
    return [[DEMANDS[name] ?? name, `${value ? "yes" : "no"} (${how})`]];
  });
}

const DEMANDS: Readonly<Record<string, string>> = {
  auth: "authenticate",
  payment: "pay",
  writes: "be allowed",
  pow: "do work",
};

function measured(data: Data, field: string, unit: string): string {
  const value = data[field];
  return typeof value === "number" ? `${value}${unit}` : "";
}

/** All values of these fields, with commas between. */
function words(data: Data, fields: readonly string[]): string {
  const values = fields.flatMap((field) => data[field] ?? []);
  return tame(values.map((value) => String(value)).join(", "), MAX_VALUE);
}
