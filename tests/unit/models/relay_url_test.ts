/**
 * Relay URLs: every row of the edge-case table, and what must hold for any text at all.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  nip66Url,
  parentUrl,
  parseRelayUrl,
  registrableDomain,
  type RelayUrl,
  type RelayUrlOptions,
  securedUrl,
} from "../../../src/models/relay_url.ts";
import vectors from "../../fixtures/relay_urls.json" with { type: "json" };

const ONION = "oxtrdevav64z64yb7x6rjg4ntzqjhedm5b5zjqulugknhzr46ny2qbad.onion";

Deno.test("parseRelayUrl() keeps every row of the edge-case table", () => {
  for (const row of vectors.rows) checkRow(row);
});

Deno.test("parseRelayUrl() corrects the rows that were wrong, each for a reason", () => {
  for (const { row, why } of vectors.corrections) {
    checkRow(row);
    assert.ok(why.length > 0);
  }
});

Deno.test("parseRelayUrl() takes URLs apart", () => {
  assert.deepEqual(relay("wss://[2606:4700:0::1111]:7447/a/b?c#d"), {
    url: "wss://[2606:4700::1111]:7447/a/b",
    network: "clearnet",
    scheme: "wss",
    host: "2606:4700::1111",
    port: 7447,
    path: "/a/b",
  });
  assert.deepEqual(relay(`wss://${ONION}`), {
    url: `ws://${ONION}`,
    network: "tor",
    scheme: "ws",
    host: ONION,
    port: null,
    path: null,
  });
});

Deno.test("parseRelayUrl() accepts private hosts where they are allowed, as clearnet", () => {
  const hosts = [
    "localhost",
    "relay",
    "relay.local",
    "relay.test",
    "127.0.0.1",
    "10.1.2.3",
    "[::1]",
    "[fd12:3456::1]",
  ];
  for (const host of hosts) {
    const url = `ws://${host}:7777`;
    const { network, ...parsed } = relay(url, { allowPrivate: true });
    assert.equal(network, "clearnet");
    assert.equal(parsed.url, url);
  }
});

Deno.test("parseRelayUrl() refuses what is malformed even where private hosts are allowed", () => {
  for (const host of ["short.onion", "127.1", "a..b", "x.b32.i2p", "[::1"]) {
    const parsed = parseRelayUrl(`ws://${host}`, { allowPrivate: true });
    assert.equal(parsed.ok, false, host);
  }
});

Deno.test("parseRelayUrl() never throws, and what it gives parses to itself", () => {
  const piece = fc.oneof(
    fc.constantFrom(..."wss:// ws:// WSS: / // : @ . .. % %2F %41 %00 [ ] ? #"
      .split(" ")),
    fc.constantFrom("relay", "xn--caf-dma", "127.0.0.1", "::1", "onion", "i2p"),
    fc.constantFrom("。", "ß", "é", "１", "\ud800", "\0", "\t", "\\", "-", "_"),
    fc.domain(),
    fc.ipV4(),
    fc.ipV6(),
    fc.webPath(),
    fc.string({ unit: "binary" }),
  );
  const text = fc.array(piece, { maxLength: 8 }).map((pieces) =>
    pieces.join("")
  );
  const url = fc.oneof(text, text.map((rest) => `wss://${rest}`));
  let read = 0;
  fc.assert(
    fc.property(url, fc.boolean(), (input, allowPrivate) => {
      const parsed = parseRelayUrl(input, { allowPrivate });
      if (!parsed.ok) return;
      read++;
      const again = parseRelayUrl(parsed.value.url, { allowPrivate });
      assert.deepEqual(again, parsed);
    }),
    { numRuns: 3000, seed: 1 },
  );
  assert(read > 100, `only ${read} texts were URLs at all`);
});

Deno.test("parseRelayUrl() agrees with the platform's URL about host and port", () => {
  const url = fc.webUrl({ withQueryParameters: true, withFragments: true })
    .map((text) => text.replace(/^http/, "ws"));
  let read = 0;
  fc.assert(
    fc.property(url, (input) => {
      const parsed = parseRelayUrl(input);
      if (!parsed.ok) return;
      read++;
      const platform = new URL(input);
      assert.equal(parsed.value.host, platform.hostname);
      assert.equal(String(parsed.value.port ?? ""), platform.port);
      assert.equal(new URL(parsed.value.url).href, nip66Url(parsed.value));
    }),
    { numRuns: 500, seed: 1 },
  );
  assert(read > 250, `only ${read} URLs were taken`);
});

Deno.test("parseRelayUrl() knows the seed list: everything but private and reserved names", () => {
  const path = new URL("../../../config/seed_relays.txt", import.meta.url);
  const counts: Record<string, number> = {};
  for (const line of Deno.readTextFileSync(path).split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const parsed = parseRelayUrl(line);
    const outcome = parsed.ok ? parsed.value.network : parsed.failure.code;
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  assert.deepEqual(counts, {
    clearnet: 6532,
    tor: 935,
    address: 1390,
    "special-use": 7,
    host: 1,
  });
});

Deno.test("securedUrl() gives the TLS twin of a clearnet ws URL, and of nothing else", () => {
  const twins = [
    ["ws://relay.damus.io", "wss://relay.damus.io"],
    ["ws://relay.damus.io:7777/a", "wss://relay.damus.io:7777/a"],
    ["ws://relay.damus.io:443", "wss://relay.damus.io"],
    ["wss://relay.damus.io", undefined],
    [`ws://${ONION}`, undefined],
  ];
  for (const [url = "", twin] of twins) {
    const secured = securedUrl(relay(url));
    assert.equal(secured?.url, twin);
    if (secured !== null) assert.deepEqual(secured, relay(secured.url));
  }
});

Deno.test("nip66Url() has a slash for the root, as RFC 3986 wants it", () => {
  assert.equal(nip66Url(relay("wss://nos.lol")), "wss://nos.lol/");
  assert.equal(nip66Url(relay("wss://nos.lol/a")), "wss://nos.lol/a");
});

Deno.test("parentUrl() folds the path of one user into the relay", () => {
  const npub = `npub1${"q".repeat(58)}`;
  const key = "ab".repeat(32);
  const parents = [
    [`/${npub}`, "wss://filter.nostr.wine"],
    [`/${key}`, "wss://filter.nostr.wine"],
    [`/inbox/${npub}/x`, "wss://filter.nostr.wine/inbox"],
    ["/users/alice", "wss://filter.nostr.wine"],
    ["/v1/u/alice", "wss://filter.nostr.wine/v1"],
    ["/npub1zaps", undefined],
    ["/users", undefined],
    ["/nostrrelay/alice", undefined],
    ["", undefined],
  ];
  for (const [path, parent] of parents) {
    const folded = parentUrl(relay(`wss://filter.nostr.wine${path}`));
    assert.equal(folded?.url, parent);
    if (folded !== null) assert.deepEqual(folded, relay(folded.url));
  }
});

Deno.test("registrableDomain() is what somebody registered, or the address", () => {
  const hash = "a".repeat(52);
  const domains = [
    ["wss://relay.damus.io", "damus.io"],
    ["wss://a.b.nostr.co.uk", "nostr.co.uk"],
    ["wss://abc.ngrok.io", "abc.ngrok.io"],
    ["wss://8.8.8.8", "8.8.8.8"],
    ["wss://[2606:4700::1111]", "2606:4700::1111"],
    [`ws://x.y.${ONION}`, ONION],
    [`ws://${hash}.b32.i2p`, `${hash}.b32.i2p`],
    ["ws://a.relay.i2p", "relay.i2p"],
    [`ws://${hash}.loki`, `${hash}.loki`],
  ];
  for (const [url = "", domain] of domains) {
    assert.equal(registrableDomain(relay(url)), domain);
  }
});

function checkRow([input, url, code]: readonly (string | null)[]): void {
  const parsed = parseRelayUrl(input ?? "");
  if (parsed.ok) return assert.equal(parsed.value.url, url, input ?? "");
  assert.equal(url, null, `${input}: ${parsed.failure.detail}`);
  assert.equal(parsed.failure.code, code, input ?? "");
}

function relay(text: string, options?: RelayUrlOptions): RelayUrl {
  const parsed = parseRelayUrl(text, options);
  if (!parsed.ok) throw new Error(parsed.failure.detail);
  return parsed.value;
}
