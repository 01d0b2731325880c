import assert from "node:assert/strict";
import { openMmdb } from "../../../src/nips/nip66/mmdb.ts";
import { runOnce, testArchive } from "../../support/archive.ts";
import { testDialer } from "../../support/dialing.ts";
import { startDnsmasq } from "../../support/dnsmasq.ts";
import { missing, unless } from "../../support/installed.ts";
import { mmdbFile } from "../../support/mmdb_file.ts";
import {
  addRelay,
  documentsOf,
  monitorDeps,
  monitorWith,
  reply,
  visitAgain,
} from "../../support/monitor.ts";
import { testRelay } from "../../support/test_relay.ts";
import { makeCertificate } from "../../support/tls.ts";
import { until } from "../../support/until.ts";

const NO_DNS = await missing("dnsmasq");
const HOST = "relay.example.test";
const NETWORKS = { clearnet: { maxConnections: 10, timeoutMs: 5_000 } };

/** A relay with a name and a certificate, and all that there is to know about it. */
async function namedRelay() {
  await using stack = new AsyncDisposableStack();
  const certificate = await makeCertificate({ names: [HOST] });
  const relay = stack.use(
    await testRelay({
      certificate,
      host: HOST,
      http: reply({ name: "A relay", supported_nips: [1, 11] }),
    }),
  );
  const server = stack.use(
    await startDnsmasq([
      `host-record=${HOST},127.0.0.1,299`,
      "ptr-record=1.0.0.127.in-addr.arpa,back.example.test",
      "local=/test/",
    ]),
  );
  const place = openMmdb(mmdbFile({
    "127.0.0.0/8": {
      country: { iso_code: "NL" },
      location: { latitude: 52.4, longitude: 4.9 },
      autonomous_system_number: 64_496,
      autonomous_system_organization: "Loopback",
    },
  }, { type: "Test" }));
  const deps = monitorDeps({
    dialer: testDialer({
      resolve: () => Promise.resolve(["127.0.0.1"]),
      caCertificates: [certificate.ca],
    }),
    secretKey: new Uint8Array(32).fill(7),
    dnsServers: [server],
    databases: { city: () => place, asn: () => place },
  });
  const owned = stack.move();
  return {
    relay,
    service: monitorWith(deps),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

Deno.test({
  ...unless(
    NO_DNS,
    "monitor stores every document of a relay with a name and TLS, right",
  ),
  async fn() {
    await using archive = await testArchive();
    await using place = await namedRelay();
    const id = await addRelay(archive, place.relay.url);
    const config = { allowPrivate: true, networks: NETWORKS };
    await runOnce(place.service, archive.database, { config });
    const documents = await documentsOf(archive, id);
    const logs = { success: true };
    assert.deepEqual(documents.get("nip11_info"), {
      data: { name: "A relay", supported_nips: [1, 11] },
      logs,
    });
    const rtt = Object(documents.get("nip66_rtt"));
    assert.deepEqual(Object.keys(rtt.data).sort(), [
      "rtt_open",
      "rtt_read",
      "rtt_write",
    ]);
    assert.deepEqual(rtt.logs, {
      open_success: true,
      read_success: true,
      write_success: true,
    });
    const ssl = Object(documents.get("nip66_ssl")).data;
    assert.equal(ssl.ssl_valid, true);
    assert.deepEqual([ssl.ssl_subject_cn, ssl.ssl_issuer_cn, ssl.ssl_san], [
      HOST,
      "Test authority",
      [HOST],
    ]);
    assert.deepEqual(documents.get("nip66_dns"), {
      data: {
        dns_ips: ["127.0.0.1"],
        dns_reverse: "back.example.test",
        // As zones have it: resolvers count it down.
        dns_ttl: 300,
      },
      logs,
    });
    const geo = Object(documents.get("nip66_geo")).data;
    assert.deepEqual([geo.geo_country, geo.geo_lat, geo.geo_lon], [
      "NL",
      52.4,
      4.9,
    ]);
    assert.deepEqual(documents.get("nip66_net"), {
      data: {
        net_ip: "127.0.0.1",
        net_asn: 64_496,
        net_asn_org: "Loopback",
        net_network: "127.0.0.0/8",
      },
      logs,
    });
    assert.deepEqual(documents.get("nip66_http"), { logs });
    assert.equal(documents.size, 7);
  },
});

const SWITCHED = {
  nip11: "nip11_info",
  tls: "nip66_ssl",
  dns: "nip66_dns",
  geo: "nip66_geo",
  net: "nip66_net",
  http: "nip66_http",
} as const;

Deno.test({
  ...unless(
    NO_DNS,
    "monitor does not make a check that is disabled, nor keep a document that is not to be stored",
  ),
  async fn() {
    await using place = await namedRelay();
    for (const [name, type] of Object.entries(SWITCHED)) {
      for (const change of [{ enabled: false }, { store: false }]) {
        await using archive = await testArchive();
        const id = await addRelay(archive, place.relay.url);
        const { metric } = await runOnce(place.service, archive.database, {
          config: {
            allowPrivate: true,
            networks: NETWORKS,
            checks: { [name]: change },
          },
        });
        const documents = await documentsOf(archive, id);
        assert(!documents.has(type), name);
        assert.equal(documents.size, 6, `${name} costs no other`);
        const made = { check: name, network: "clearnet", outcome: "ok" };
        const expected = "store" in change ? 1 : 0;
        assert.equal(await metric("monitor_checks_total", made), expected);
      }
    }
  },
});

Deno.test("monitor shows the failure of a check with its reason, and keeps the good document before it", async () => {
  await using archive = await testArchive();
  let isGood = true;
  await using relay = await testRelay({
    http: () =>
      isGood ? reply({ name: "Good" }) : { status: 200, body: "<html>" },
  });
  const id = await addRelay(archive, relay.url);
  const service = monitorWith(monitorDeps());
  const config = { allowPrivate: true, networks: NETWORKS };
  await runOnce(service, archive.database, { config });
  await visitAgain(archive);
  await archive.sql`update relay_lease set memory = '{}'`;
  isGood = false;
  const { metric } = await runOnce(service, archive.database, { config });
  const { data, logs } = Object(
    (await documentsOf(archive, id)).get("nip11_info"),
  );
  assert.deepEqual([data, logs.success], [undefined, false]);
  assert.match(logs.reason, /no content type instead of application/);
  const kept = "relay_metadata join metadata on id = metadata_id";
  assert.equal(
    await archive.count(`${kept} where data -> 'data' ->> 'name' = 'Good'`),
    1,
  );
  const failed = { check: "nip11", network: "clearnet", outcome: "http" };
  assert.equal(await metric("monitor_checks_total", failed), 1);
});

Deno.test("monitor makes a check again that failed for a while, as often as it is told to", async () => {
  await using archive = await testArchive();
  let asked = 0;
  await using relay = await testRelay({
    http: () =>
      ++asked % 3 === 0 ? reply({ name: "At last" }) : { status: 503 },
  });
  await using refuses = await testRelay({ http: { status: 404 } });
  const id = await addRelay(archive, relay.url);
  await addRelay(archive, refuses.url);
  const run = (retries: number) =>
    runOnce(monitorWith(monitorDeps()), archive.database, {
      config: {
        allowPrivate: true,
        networks: NETWORKS,
        checks: { nip11: { retries, retryDelayMs: 10 } },
      },
    });
  const { metric } = await run(2);
  assert.equal(asked, 3);
  const labels = { check: "nip11", network: "clearnet" };
  assert.equal(await metric("monitor_check_retries_total", labels), 2);
  const found = (await documentsOf(archive, id)).get("nip11_info");
  assert.deepEqual(Object(found).data, { name: "At last" });
  const plain = refuses.requests.filter(({ headers }) => !headers["upgrade"]);
  assert.equal(plain.length, 1, "what is refused for good is not asked again");
  await archive.sql`update relay_lease set due_at = 0, memory = '{}'`;
  await run(0);
  assert.equal(asked, 4);
});

Deno.test("monitor lets a check that hangs delay neither the other checks of the relay nor another relay", async () => {
  await using archive = await testArchive();
  await using hangs = await testRelay({
    http: { ...reply({}), unending: true },
  });
  await using quick = await testRelay({ http: reply({ name: "Quick" }) });
  const id = await addRelay(archive, hangs.url);
  for (let i = 0; i < 20; i++) await addRelay(archive, `${quick.url}/${i}`);
  const stop = new AbortController();
  const run = runOnce(monitorWith(monitorDeps()), archive.database, {
    config: {
      allowPrivate: true,
      networks: { clearnet: { maxConnections: 2, timeoutMs: 20_000 } },
      checks: { nip11: { timeoutMs: 300_000 } },
    },
    signal: stop.signal,
  });
  // Of the hanging one: its round trip, its document, its headers.
  await hangs.requested(3);
  const named = "relay_metadata where metadata_type = 'nip11_info'";
  await until("the others are done, by the other slot", async () => {
    return await archive.count(named) === 20;
  });
  assert.equal((await documentsOf(archive, id)).has("nip66_http"), false);
  stop.abort();
  await run;
  assert((await documentsOf(archive, id)).has("nip66_http"));
  assert.equal(await archive.count("relay_check where online"), 21);
});

Deno.test("monitor gives a check its own time, and a relay that is slow with one document all the others", async () => {
  await using archive = await testArchive();
  await using hangs = await testRelay({
    http: { ...reply({}), unending: true },
  });
  const id = await addRelay(archive, hangs.url);
  await runOnce(monitorWith(monitorDeps()), archive.database, {
    config: {
      allowPrivate: true,
      networks: NETWORKS,
      checks: { nip11: { timeoutMs: 300, retries: 0 } },
    },
  });
  const documents = await documentsOf(archive, id);
  const { logs } = Object(documents.get("nip11_info"));
  assert.match(logs.reason, /^timeout: .*300 ms/);
  assert.deepEqual(Object(documents.get("nip66_http")).logs, { success: true });
});

Deno.test("monitor stores what the connection showed while a document is still awaited, and the rest when it is there", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay({
    http: { ...reply({}), unending: true },
  });
  await using silent = await testRelay({
    http: { ...reply({}), unending: true },
    upgrade: "never",
  });
  const id = await addRelay(archive, relay.url);
  const silentId = await addRelay(archive, silent.url);
  const stop = new AbortController();
  const deps = monitorDeps({ secretKey: new Uint8Array(32).fill(7) });
  const run = runOnce(monitorWith(deps), archive.database, {
    config: {
      allowPrivate: true,
      networks: { clearnet: { maxConnections: 2, timeoutMs: 1_000 } },
      checks: { nip11: { timeoutMs: 300_000, retries: 0 } },
    },
    signal: stop.signal,
  });
  const checks = "relay_check where online and write_ms is not null";
  await until("the check of the relay is stored", async () => {
    return await archive.count(checks) === 1;
  });
  const held = (relayId: number) =>
    archive.count(`relay_lease where relay_id = ${relayId} and due_at = 0`);
  await until("the visit to the silent relay is over", async () => {
    return await held(silentId) === 0;
  });
  assert.equal(await archive.count("relay_metadata"), 0);
  assert.equal(await held(id), 1, "the visit to the other is not");
  stop.abort();
  const { metric } = await run;
  assert.equal(await archive.count("relay_check"), 2, "stored once");
  assert((await documentsOf(archive, id)).has("nip66_http"));
  const labels = { network: "clearnet", outcome: "online" };
  assert.equal(await metric("monitor_relays_checked_total", labels), 1);
});
