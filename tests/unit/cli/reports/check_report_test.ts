import assert from "node:assert/strict";
import {
  checkJson,
  checkText,
} from "../../../../src/cli/reports/check_report.ts";
import type { Paint } from "../../../../src/cli/terminal/paint.ts";
import { parseRelayUrl } from "../../../../src/models/relay_url.ts";
import type { CheckDocument } from "../../../../src/nips/check_document.ts";
import { CHECKS } from "../../../../src/services/monitor/check_relay.ts";
import type { CheckName } from "../../../../src/services/monitor/checks/check.ts";

const plain: Paint = (text) => text;
const marked: Paint = (text, as) => `<${as}>${text}</${as}>`;

function examination(
  documents: Partial<Record<CheckName, CheckDocument["data"]>>,
  logs: CheckDocument["logs"] = { open_success: true },
) {
  const relay = parseRelayUrl("wss://relay.com");
  assert(relay.ok);
  const document = (name: CheckName): CheckDocument => {
    const data = documents[name] ?? {};
    return { data, logs, failure: null };
  };
  const names: string[] = Object.keys(documents);
  const found = CHECKS.filter(({ name }) => names.includes(name));
  return {
    relay: relay.value,
    checks: new Set<CheckName>([
      ...(names.includes("rtt") ? ["rtt" as const] : []),
      ...found.map(({ name }) => name),
    ]),
    findings: {
      checkedAt: 1_700_000_000,
      rtt: document("rtt"),
      documents: new Map(
        found.map(({ name, type }) => [type, document(name)]),
      ),
    },
  };
}

Deno.test("checkText() has a line for each thing that was found, and none for what was not", () => {
  const day = Math.floor(Date.now() / 86_400_000) * 86_400;
  const expires = day + 10.9 * 86_400;
  const text = checkText(
    examination({
      rtt: { rtt_open: 12, rtt_read: 3 },
      nip11: { name: "A relay", supported_nips: [1, 11] },
      tls: {
        ssl_valid: false,
        ssl_problems: ["expired", "wrong-host"],
        ssl_expires: expires,
        ssl_issuer_cn: "R3",
        ssl_san: ["relay.com", "*.relay.com"],
        ssl_protocol: "TLSv1.3",
        ssl_cipher: "TLS_AES_128_GCM_SHA256",
        ssl_cipher_bits: 128,
      },
      dns: { dns_ips: ["192.0.2.1"], dns_ttl: 60, dns_ns: ["ns1.relay.com"] },
      geo: { geo_country: "NL", geo_lat: 52.4, geo_lon: 4.9, geo_hash: "u173" },
      net: { net_ip: "192.0.2.1", net_asn: 64_496, net_asn_org: "Example" },
      http: {},
    }),
    { paint: plain, columns: Infinity },
  );
  const date = new Date(expires * 1_000).toISOString().slice(0, 10);
  assert.match(text, new RegExp(`expires {6}${date} \\(in 1\\d d\\)`));
  assert.deepEqual(text.replace(/\(in .*\)/, "").split("\n"), [
    "wss://relay.com  online",
    "  rtt    open         12 ms",
    "         read         3 ms",
    "  nip11  name         A relay",
    "         NIPs         1, 11",
    "  tls    certificate  not valid",
    "         because      expired, wrong-host",
    `         expires      ${date} `,
    "         issuer       R3",
    "         names        relay.com, *.relay.com",
    "         session      TLSv1.3, TLS_AES_128_GCM_SHA256 128 bits",
    "  dns    addresses    192.0.2.1",
    "         kept for     60 s",
    "         name servers ns1.relay.com",
    "  geo    place        NL",
    "         coordinates  52.4, 4.9",
    "         geohash      u173",
    "  net    addresses    192.0.2.1",
    "         AS number    64496",
    "         operator     Example",
    "  http   nothing      -",
    "",
  ]);
});

Deno.test("checkText() paints what is wrong, and says one reason once", () => {
  const reason = "refused: Nothing listens";
  const logs = { open_reason: reason, read_reason: reason };
  const online = examination({ rtt: {} }, logs);
  const failure = { code: "refused", detail: "Nothing listens" } as const;
  const rtt = { ...online.findings.rtt, failure };
  const offline = { ...online, findings: { ...online.findings, rtt } };
  assert.equal(
    checkText(offline, { paint: marked, columns: 80 }),
    "<strong>wss://relay.com</strong>  <bad>offline</bad>\n" +
      `  rtt    <faint>open         </faint><bad>${reason}</bad>\n`,
  );
});

Deno.test("checkText() keeps within the terminal, and blames no relay for what was not asked of it", () => {
  const secured = examination(
    { geo: {}, nip11: { description: "a word ".repeat(22) } },
    { reason: "needs --city-database PATH" },
  );
  const relay = { ...secured.relay, scheme: "ws" as const };
  const tls = examination({ tls: {} }, { reason: "no TLS" });
  const text = checkText(
    { ...tls, relay },
    { paint: marked, columns: 60 },
  );
  assert.match(text, /tls.*<faint>the relay is ws:\/\/<\/faint>/);
  const page = checkText(secured, { paint: marked, columns: 60 });
  assert.match(page, /not made.*<faint>needs --city-database PATH<\/faint>/);
  const bare = checkText(secured, { paint: plain, columns: 60 });
  assert.ok(bare.split("\n").every((line) => line.length <= 60), bare);
  assert.equal(bare.match(/word/g)?.length, 22);
});

Deno.test("checkJson() names the author only where there is a key", () => {
  const found = examination({ rtt: { rtt_open: 12 } });
  const { events: [unsigned] } = checkJson(found, null);
  assert.equal(unsigned && "pubkey" in unsigned, false);
  const { events: [event] } = checkJson(found, new Uint8Array(32).fill(5));
  assert(event && "pubkey" in event);
  assert.match(String(event.pubkey), /^[0-9a-f]{64}$/);
});
