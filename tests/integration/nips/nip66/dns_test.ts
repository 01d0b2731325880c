import assert from "node:assert/strict";
import { examineDns } from "../../../../src/nips/nip66/dns.ts";
import type { DnsServer } from "../../../../src/transport/dns_client.ts";
import {
  never,
  relayAt,
  testDialer,
  testNetworks,
} from "../../../support/dialing.ts";
import { startDnsmasq } from "../../../support/dnsmasq.ts";
import { missing, unless } from "../../../support/installed.ts";
import { scriptedDnsServer } from "../../../support/scripted_dns_server.ts";

const NO_DNS = await missing("dnsmasq");
const dialer = testDialer();

function examine(
  url: string,
  servers: readonly DnsServer[],
  timeoutMs = 5_000,
) {
  const options = { signal: never, timeoutMs, servers };
  return examineDns(dialer, relayAt(url), options);
}

/** NS records are written as bytes: two labels, each after its length. */
const NAME_SERVERS = [
  "dns-rr=zone.com,2,036e7331047a6f6e6503636f6d00",
  "dns-rr=zone.com,2,036e7332047a6f6e6503636f6d00",
];
const ZONE = [
  "local=/zone.com/",
  "local=/in-addr.arpa/",
  "local=/ip6.arpa/",
  ...NAME_SERVERS,
  "host-record=a.zone.com,203.0.113.7,321",
  "host-record=a.zone.com,203.0.113.5,321",
  "host-record=a.zone.com,2001:db8::7,654",
  "cname=alias.zone.com,a.zone.com,77",
  "ptr-record=5.113.0.203.in-addr.arpa,back.zone.com",
  "txt-record=empty.zone.com,words",
];

Deno.test({
  ...unless(
    NO_DNS,
    "examineDns() reads addresses, lifetimes, alias, name servers and the way back",
  ),
  async fn() {
    await using server = await startDnsmasq(ZONE);
    const { data, logs, failure } = await examine("wss://a.zone.com", [server]);
    const expected = {
      dns_ips: ["203.0.113.5", "203.0.113.7"],
      dns_ips_v6: ["2001:db8::7"],
      dns_ttl: 321,
      dns_ttl_v6: 654,
      dns_reverse: "back.zone.com",
      dns_ns: ["ns1.zone.com", "ns2.zone.com"],
    };
    assert.deepEqual(data, expected);
    assert.deepEqual({ logs, failure }, {
      logs: { success: true },
      failure: null,
    });

    const alias = await examine("wss://alias.zone.com", [server]);
    assert.deepEqual(alias.data, { ...expected, dns_cname: "a.zone.com" });

    const literal = await examine("wss://203.0.113.5", [server]);
    assert.deepEqual(literal.data, {
      dns_ips: ["203.0.113.5"],
      dns_reverse: "back.zone.com",
    });
  },
});

Deno.test({
  ...unless(
    NO_DNS,
    "examineDns() tells a name that does not exist from one without addresses",
  ),
  async fn() {
    await using server = await startDnsmasq(ZONE);
    const none = await examine("wss://missing.zone.com", [server]);
    assert.deepEqual([none.data, none.logs["reason"]], [
      {},
      "dns: NXDOMAIN: missing.zone.com does not exist",
    ]);
    const empty = await examine("wss://empty.zone.com", [server]);
    assert.equal(
      empty.logs["reason"],
      "dns: NODATA: empty.zone.com has no address",
    );
  },
});

Deno.test({
  ...unless(
    NO_DNS,
    "examineDns() takes an answer too long for one packet by TCP",
  ),
  async fn() {
    const many = Array.from({ length: 120 }, (_, i) => `203.0.113.${i + 1}`);
    await using server = await startDnsmasq([
      "local=/zone.com/",
      ...many.map((address) => `host-record=many.zone.com,${address}`),
    ]);
    const { data } = await examine("wss://many.zone.com", [server]);
    assert.deepEqual(data["dns_ips"], many.toSorted());
  },
});

Deno.test("examineDns() tells a resolver that fails, one that refuses, a silent one and none apart", async () => {
  const reasons: Record<string, unknown> = {};
  for (const rcode of [2, 5]) {
    await using server = await scriptedDnsServer(rcode);
    const { logs } = await examine("wss://a.zone.com", [server], 2_000);
    reasons[rcode] = logs["reason"];
  }
  await using silent = await scriptedDnsServer(null);
  const late = await examine("wss://a.zone.com", [silent], 200);
  const none = await examine("wss://a.zone.com", []);
  assert.deepEqual(reasons, {
    2: "dns: SERVFAIL: the resolver has no answer for a.zone.com",
    5: "dns: REFUSED: the resolver has no answer for a.zone.com",
  });
  assert.equal(late.logs["reason"], "timeout: dns: not done within 200 ms");
  assert.equal(none.logs["reason"], "dns: No resolver is known");
});

Deno.test({
  ...unless(
    NO_DNS,
    "examineDns() goes on to the next resolver when the first one fails",
  ),
  async fn() {
    await using broken = await scriptedDnsServer(2);
    await using server = await startDnsmasq(ZONE);
    const { data } = await examine("wss://a.zone.com", [broken, server]);
    assert.deepEqual(data["dns_ips_v6"], ["2001:db8::7"]);
  },
});

Deno.test("examineDns() asks nobody about a relay behind a proxy", async () => {
  const proxied = testDialer({
    networks: testNetworks({ clearnet: "socks5://127.0.0.1:1" }),
  });
  await using server = await scriptedDnsServer(0);
  const relay = relayAt("wss://a.zone.com");
  const { failure } = await examineDns(proxied, relay, {
    signal: never,
    timeoutMs: 1_000,
    servers: [server],
  });
  assert.equal(failure?.code, "proxy");
  assert.equal(server.asked(), 0);
});
