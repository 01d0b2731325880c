import assert from "node:assert/strict";
import { HostList, parseHostPattern } from "../../../src/models/host_list.ts";

Deno.test("parseHostPattern() takes names, addresses and whole domains, in any spelling", () => {
  const normal: Readonly<Record<string, string>> = {
    "Relay.Damus.IO.": "relay.damus.io",
    "*.Damus.io": "*.damus.io",
    "b\u00fccher.de": "xn--bcher-kva.de",
    "192.0.2.7": "192.0.2.7",
    "2001:DB8::1": "2001:db8::1",
    "[2001:db8::1]": "2001:db8::1",
    "localhost": "localhost",
  };
  for (const [text, expected] of Object.entries(normal)) {
    assert.deepEqual(parseHostPattern(text), { ok: true, value: expected });
  }
});

Deno.test("parseHostPattern() refuses what is no host, so that nobody is missed by a slip of the pen", () => {
  for (
    const text of [
      "",
      "*",
      "*.",
      "*.*.damus.io",
      "relay.*.io",
      "wss://relay.damus.io",
      "relay.damus.io:443",
      "relay.damus.io/path",
      "*.192.0.2.7",
    ]
  ) assert(!parseHostPattern(text).ok, text);
});

Deno.test("HostList has its hosts, and of a domain everything at and below it", () => {
  const list = new HostList(["relay.damus.io", "*.nos.lol", "2001:db8::1"]);
  for (
    const host of [
      "relay.damus.io",
      "nos.lol",
      "relay.nos.lol",
      "a.b.nos.lol",
      "2001:db8::1",
    ]
  ) assert(list.has(host), host);
  for (
    const host of ["damus.io", "x.relay.damus.io", "notnos.lol", "lol", "::1"]
  ) assert(!list.has(host), host);
});

Deno.test("HostList.replace() gives those that are no more in it", () => {
  const list = new HostList(["a.test", "*.b.test"]);
  assert.deepEqual(list.replace(["*.b.test", "c.test"]), ["a.test"]);
  assert.ok(!list.has("a.test") && list.has("x.b.test") && list.has("c.test"));
  assert.deepEqual(list.patterns, ["*.b.test", "c.test"]);
});
