/**
 * The tags of a relay discovery event (NIP-66, kind 30166), each from the check that showed it.
 *
 * `rtt-*`, `R`, `T`, `N`, `t`, `k`, `g` and the `l` of languages are the NIP's; `ssl-*`, `net-*`, `geo-*`, `dns-*`,
 * `http-*`, `W` and their labels are what monitors in the wild add (BigBrotr, nostr-watch).
 *
 * @module
 */
import type { MetadataType } from "../../models/metadata.ts";
import type { CheckDocument } from "../check_document.ts";
import { type Capabilities, judgeCapabilities } from "./capabilities.ts";
import { refusedKinds } from "./refused_kinds.ts";
import { relayTypes } from "./relay_types.ts";

type Tag = string[];
type Documents = ReadonlyMap<MetadataType, CheckDocument>;

/** A relay can claim as much as it likes; we repeat so many of each. */
const MAX_REPEATED = 100;
const MAX_TEXT = 200;

/** Everything but `d` and `n`. */
export function discoveryTags(rtt: CheckDocument, documents: Documents): Tag[] {
  const nip11 = documents.get("nip11_info");
  const capabilities = judgeCapabilities(rtt, nip11);
  const tags = [
    ...single(rtt, ["rtt_open", "rtt_read", "rtt_write"]),
    ...requirementTags(capabilities),
    ...relayTypes(rtt, nip11, capabilities).map((type) => ["T", type]),
    ...claimedTags(nip11),
    ...sslTags(documents.get("nip66_ssl")),
    ...netTags(documents.get("nip66_net")),
    ...geoTags(documents.get("nip66_geo")),
    ...dnsTags(documents.get("nip66_dns")),
    ...single(documents.get("nip66_http"), ["http_server", "http_powered_by"]),
  ];
  return [...namespaces(tags), ...tags];
}

/** A label belongs to a namespace, which the event has to name, too (NIP-32). */
function namespaces(tags: readonly Tag[]): Tag[] {
  const named = tags.flatMap(([name, , namespace]) =>
    name === "l" && namespace !== undefined ? [namespace] : []
  );
  return [...new Set(named)].map((namespace) => ["L", namespace]);
}

/** A field of a document becomes a tag of its name; lists give their first. */
function single(
  document: CheckDocument | undefined,
  fields: readonly string[],
): Tag[] {
  return fields.flatMap((field) => {
    const value = text(document?.data[field]);
    return value === undefined ? [] : [[field.replaceAll("_", "-"), value]];
  });
}

function labelled(
  document: CheckDocument | undefined,
  field: string,
  namespace: string,
): Tag[] {
  return single(document, [field]).flatMap((tag) => {
    const [, value = ""] = tag;
    return [tag, ["l", value, namespace]];
  });
}

function text(value: unknown): string | undefined {
  const item: unknown = Array.isArray(value) ? value[0] : value;
  if (typeof item === "number" && Number.isFinite(item)) return String(item);
  return typeof item === "string" && item !== ""
    ? item.slice(0, MAX_TEXT)
    : undefined;
}

/** `R` tags of the demands that are known. */
function requirementTags({ auth, payment, writes, pow }: Capabilities): Tag[] {
  return Object.entries({ auth, payment, writes, pow }).flatMap(
    ([name, { value }]) =>
      value === null ? [] : [["R", value ? name : `!${name}`]],
  );
}

/** The relay's description of itself. */
function claimedTags(nip11: CheckDocument | undefined): Tag[] {
  const data = nip11?.data ?? {};
  const repeated = (tag: string, values: readonly string[]) =>
    values.map((value): Tag => [tag, value]);
  return [
    ...repeated("N", list(data["supported_nips"])),
    ...repeated("t", list(data["tags"])),
    ...repeated("k", refusedKinds(data["retention"]).map((kind) => `!${kind}`)),
    ...languages(data["language_tags"])
      .map((language) => ["l", language, "ISO-639-1"]),
    ...repeated("W", list(data["attributes"])),
  ];
}

function list(value: unknown): string[] {
  const items = Array.isArray(value) ? value : [];
  const texts = items.slice(0, MAX_REPEATED).map(text)
    .filter((item) => item !== undefined);
  return [...new Set(texts)];
}

/** `en-GB` is `en`; `*`, any language, is none in particular. */
function languages(value: unknown): string[] {
  const given = list(value);
  if (given.includes("*")) return [];
  const codes = given.map((it) => it.split("-")[0]?.toLowerCase() ?? "")
    .filter((code) => /^[a-z]{2}$/.test(code));
  return [...new Set(codes)];
}

function sslTags(ssl: CheckDocument | undefined): Tag[] {
  const valid = ssl?.data["ssl_valid"];
  const verdict = typeof valid === "boolean"
    ? [["ssl", valid ? "valid" : "!valid"]]
    : [];
  return [...verdict, ...single(ssl, ["ssl_expires", "ssl_issuer"])];
}

function netTags(net: CheckDocument | undefined): Tag[] {
  return [
    ...single(net, ["net_ip", "net_ipv6"]),
    ...labelled(net, "net_asn", "IANA-asn"),
    ...labelled(net, "net_asn_org", "IANA-asnOrg"),
  ];
}

function geoTags(geo: CheckDocument | undefined): Tag[] {
  const hash = text(geo?.data["geo_hash"]);
  return [
    ...(hash === undefined ? [] : [["g", hash]]),
    ...labelled(geo, "geo_country", "ISO-3166-1"),
    ...labelled(geo, "geo_city", "nip66.label.city"),
    ...single(geo, ["geo_lat", "geo_lon"]),
    ...labelled(geo, "geo_tz", "IANA-tz"),
  ];
}

function dnsTags(dns: CheckDocument | undefined): Tag[] {
  const renamed = { dns_ips: "dns-ip", dns_ips_v6: "dns-ip6" };
  const addresses = Object.entries(renamed).flatMap(([field, tag]) => {
    const value = text(dns?.data[field]);
    return value === undefined ? [] : [[tag, value]];
  });
  return [...addresses, ...single(dns, ["dns_cname", "dns_ttl"])];
}
