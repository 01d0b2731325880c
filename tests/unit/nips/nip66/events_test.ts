import assert from "node:assert/strict";
import {
  METADATA_TYPES,
  type MetadataType,
} from "../../../../src/models/metadata.ts";
import { parseRelayUrl } from "../../../../src/models/relay_url.ts";
import type { CheckDocument } from "../../../../src/nips/check_document.ts";
import { discoveryEvent } from "../../../../src/nips/nip66/discovery_event.ts";
import {
  announcementEvent,
  profileEvent,
  relayListEvent,
} from "../../../../src/nips/nip66/monitor_events.ts";
import { parseNip11 } from "../../../../src/nips/nip11_fields.ts";
import {
  readAnnouncement,
  readDiscovery,
} from "../../../support/nip66_reader.ts";

const ONLINE = document({ rtt_open: 12, rtt_read: 34, rtt_write: 56 }, {
  open_success: true,
  read_success: true,
  write_success: true,
});

function document(
  data: CheckDocument["data"],
  logs: CheckDocument["logs"] = { success: true },
): CheckDocument {
  return { data, logs, failure: null };
}

function relayAt(url: string) {
  const parsed = parseRelayUrl(url, { allowPrivate: true });
  assert(parsed.ok);
  return parsed.value;
}

function eventOf(
  documents: Partial<Record<MetadataType, CheckDocument>>,
  { rtt = ONLINE, url = "wss://relay.example.com" } = {},
) {
  const types = new Map<MetadataType, CheckDocument>();
  for (const type of METADATA_TYPES) {
    const found = documents[type];
    if (found !== undefined) types.set(type, found);
  }
  return discoveryEvent({
    relay: relayAt(url),
    checkedAt: 1_700_000_000,
    rtt,
    documents: types,
  });
}

const INFO = {
  name: "A relay",
  supported_nips: [1, 11, 50],
  tags: ["bitcoin", "art"],
  language_tags: ["en", "en-GB", "de-CH"],
  attributes: ["Hosted"],
  limitation: { auth_required: true, payment_required: false },
  retention: [
    { kinds: [0, 1, [5, 7]], time: 3_600 },
    { kinds: [[40, 42], 4, 41, [20_000, 29_999], [9, 8]], time: 0 },
    { time: 0 },
  ],
  unheard_of: [1],
};

const ALL = {
  nip11_info: document(parseNip11(INFO)),
  nip66_ssl: document({
    ssl_valid: true,
    ssl_expires: 1_800_000_000,
    ssl_issuer: "Let's Encrypt",
  }),
  nip66_net: document({
    net_ip: "192.0.2.1",
    net_ipv6: "2001:db8::1",
    net_asn: 64_496,
    net_asn_org: "Example",
  }),
  nip66_geo: document({
    geo_country: "GB",
    geo_city: "Manchester",
    geo_lat: 53.4809,
    geo_lon: -2.2374,
    geo_tz: "Europe/London",
    geo_hash: "gcw2jpfub",
  }),
  nip66_dns: document({
    dns_ips: ["192.0.2.1", "192.0.2.2"],
    dns_ips_v6: ["2001:db8::1"],
    dns_cname: "edge.example.com",
    dns_ttl: 300,
  }),
  nip66_http: document({ http_server: "nginx", http_powered_by: "khatru" }),
};

Deno.test("discoveryEvent() is understood by a reader of the NIP", () => {
  const event = eventOf(ALL);
  assert(event !== null);
  assert.deepEqual(readDiscovery(event), {
    url: "wss://relay.example.com/",
    seenAt: 1_700_000_000,
    network: "clearnet",
    rtt: { open: 12, read: 34, write: 56 },
    nips: [1, 11, 50],
    // It took an event without being told who wrote it: the test counts more than the claim.
    requirements: { auth: false, payment: false, writes: false, pow: false },
    types: ["Search", "PublicInbox"],
    topics: ["bitcoin", "art"],
    kinds: { 4: false, 40: false, 41: false, 42: false },
    geohashes: ["gcw2jpfub"],
    labels: {
      "ISO-639-1": ["en", "de"],
      "IANA-asn": ["64496"],
      "IANA-asnOrg": ["Example"],
      "ISO-3166-1": ["GB"],
      "nip66.label.city": ["Manchester"],
      "IANA-tz": ["Europe/London"],
    },
    info: INFO,
  });
});

Deno.test("discoveryEvent() has the tags that monitors add to those of the NIP", () => {
  const tags = eventOf(ALL)?.tags ?? [];
  const added = tags.filter(([name = ""]) =>
    /^(ssl|net|geo|dns|http)/.test(name)
  );
  assert.deepEqual([...added, ...tags.filter(([name]) => name === "W")], [
    ["ssl", "valid"],
    ["ssl-expires", "1800000000"],
    ["ssl-issuer", "Let's Encrypt"],
    ["net-ip", "192.0.2.1"],
    ["net-ipv6", "2001:db8::1"],
    ["net-asn", "64496"],
    ["net-asn-org", "Example"],
    ["geo-country", "GB"],
    ["geo-city", "Manchester"],
    ["geo-lat", "53.4809"],
    ["geo-lon", "-2.2374"],
    ["geo-tz", "Europe/London"],
    ["dns-ip", "192.0.2.1"],
    ["dns-ip6", "2001:db8::1"],
    ["dns-cname", "edge.example.com"],
    ["dns-ttl", "300"],
    ["http-server", "nginx"],
    ["http-powered-by", "khatru"],
    ["W", "Hosted"],
  ]);
});

Deno.test("discoveryEvent() says nothing that no check showed", () => {
  const rtt = document({ rtt_open: 9 }, {
    open_success: true,
    read_success: false,
    read_reason: "blocked: go away",
  });
  assert.deepEqual(eventOf({}, { rtt, url: "wss://a.example.com/path" }), {
    kind: 30_166,
    created_at: 1_700_000_000,
    tags: [
      ["d", "wss://a.example.com/path"],
      ["n", "clearnet"],
      ["rtt-open", "9"],
    ],
    content: "",
  });
  const bad = eventOf({ nip66_ssl: document({ ssl_valid: false }) }, { rtt });
  assert.deepEqual(bad?.tags.at(-1), ["ssl", "!valid"]);
});

Deno.test("discoveryEvent() takes from NIP-11 what is not shown otherwise", () => {
  const rtt = document({ rtt_open: 9, rtt_read: 9 }, {
    open_success: true,
    read_success: true,
  });
  const event = eventOf(ALL, { rtt });
  assert(event !== null);
  const { requirements, types } = readDiscovery(event);
  assert.deepEqual(requirements, { auth: true, payment: false });
  assert.deepEqual(types, ["Search"]);
});

Deno.test("discoveryEvent() tells outbox, storage and private inbox by what was refused", () => {
  const typesFor = (logs: CheckDocument["logs"]) => {
    const event = eventOf({}, {
      rtt: document({}, { open_success: true, ...logs }),
    });
    assert(event !== null);
    return readDiscovery(event).types;
  };
  const restricted = {
    write_success: false,
    write_reason: "restricted: members only",
  };
  const refused = { read_success: false, read_reason: "auth-required: who?" };
  const silent = { write_success: false, write_reason: "timeout: EVENT" };
  assert.deepEqual(typesFor({ read_success: true, ...restricted }), [
    "PublicOutbox",
  ]);
  assert.deepEqual(typesFor({ ...refused, ...restricted }), ["PrivateStorage"]);
  assert.deepEqual(typesFor({ ...refused, write_success: true }), [
    "PrivateInbox",
  ]);
  assert.deepEqual(typesFor({ read_success: true, ...silent }), []);
});

Deno.test("discoveryEvent() takes the types that follow from a NIP from what the relay claims", () => {
  const nip11_info = document({ supported_nips: [1, 29, 50, 95] });
  const event = eventOf({ nip11_info }, {
    rtt: document({}, { open_success: true }),
  });
  assert(event !== null);
  assert.deepEqual(readDiscovery(event).types, ["Community", "Search", "Blob"]);
});

Deno.test("discoveryEvent() is not made of a relay that was not found online", () => {
  const failure = { code: "refused", detail: "Nothing listens" } as const;
  const rtt = { ...document({}, { open_success: false }), failure };
  assert.equal(eventOf(ALL, { rtt }), null);
  const mute = {
    ...document({ rtt_open: 3 }, { open_success: true }),
    failure,
  };
  assert.equal(eventOf(ALL, { rtt: mute }), null);
});

Deno.test("discoveryEvent() bounds what a relay claims", () => {
  const flood = document({
    name: "x".repeat(20_000),
    supported_nips: Array.from({ length: 500 }, (_, i) => i),
    tags: Array.from({ length: 500 }, (_, i) => `${i}`.padEnd(500, "x")),
    language_tags: ["*", "en"],
  });
  const event = eventOf({ nip11_info: flood });
  assert(event !== null);
  const read = readDiscovery(event);
  assert.equal(event.content, "");
  assert.equal(read.nips.length, 100);
  assert.deepEqual(read.labels, {});
  assert(read.topics.every((topic) => topic.length <= 200));
});

Deno.test("announcementEvent() is understood by a reader of the NIP", () => {
  const event = announcementEvent({
    createdAt: 1_700_000_000,
    frequencySeconds: 3_600,
    timeoutsMs: new Map([["open", 5_000], ["nip11", 3_000]]),
    networks: ["clearnet", "tor"],
    geohash: "gcw2j",
  });
  assert.deepEqual(readAnnouncement(event), {
    frequencySeconds: 3_600,
    checks: ["open", "nip11"],
    timeoutsMs: { open: 5_000, nip11: 3_000 },
    geohashes: ["gcw2j"],
  });
  assert.deepEqual(
    event.tags.filter(([name]) => name === "n" || name === "timeout"),
    [["timeout", "open", "5000"], ["timeout", "nip11", "3000"], [
      "n",
      "clearnet",
    ], ["n", "tor"]],
  );
});

Deno.test("relayListEvent() and profileEvent() say where a monitor publishes, and who it is", () => {
  assert.deepEqual(relayListEvent([relayAt("wss://a.example.com")], 7), {
    kind: 10_002,
    created_at: 7,
    tags: [["r", "wss://a.example.com/", "write"]],
    content: "",
  });
  assert.deepEqual(profileEvent({ name: "M", about: "" }, 7), {
    kind: 0,
    created_at: 7,
    tags: [],
    content: `{"name":"M"}`,
  });
});
