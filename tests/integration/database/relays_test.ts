import assert from "node:assert/strict";
import {
  findRelays,
  insertRelays,
  relayIds,
} from "../../../src/archive/relays.ts";
import { testOnEachServer } from "../../support/each_server.ts";

const ONION = `ws://${"a".repeat(56)}.onion`;

testOnEachServer(
  "insertRelays() stores each relay once, with host and domain",
  async ({ database, sql }) => {
    const relays = [
      { url: "wss://a.example.org:4848/x", network: "clearnet" },
      { url: "wss://[2606:4700::1111]/x", network: "clearnet" },
      { url: ONION, network: "tor" },
    ] as const;
    assert.equal(await insertRelays(database, relays), 3);
    assert.equal(await insertRelays(database, [...relays, ...relays]), 0);
    assert.equal(await insertRelays(database, []), 0);

    const rows = await sql`select id, host, domain from relay order by id`;
    assert.deepEqual(rows.map(({ host, domain }) => [host, domain]), [
      [ONION.slice(5), ONION.slice(5)],
      ["[2606:4700::1111]", "[2606:4700::1111]"],
      ["a.example.org", "a.example.org"],
    ]);
  },
);

testOnEachServer(
  "insertRelays() uses up no ids for relays that are there",
  async ({ database }) => {
    const first = { url: "wss://a.example.org", network: "clearnet" } as const;
    for (let i = 0; i < 5; i++) await insertRelays(database, [first]);
    await insertRelays(database, [{ ...first, url: "wss://b.example.org" }]);
    const ids = (await findRelays(database, {})).map(({ id }) => id);
    assert.deepEqual(ids, [1, 2]);
  },
);

testOnEachServer(
  "insertRelays() refuses an unknown network and a URL without bounds",
  async ({ database }) => {
    await assert.rejects(
      insertRelays(database, [
        // deno-lint-ignore no-explicit-any
        { url: "wss://a.example.org", network: "freenet" as any },
      ]),
      { code: "23514" },
    );
    const url = `wss://a.example.org/${"x".repeat(2048)}`;
    await assert.rejects(
      insertRelays(database, [{ url, network: "clearnet" }]),
      {
        code: "23514",
      },
    );
  },
);

testOnEachServer(
  "findRelays() finds by network and URL, relayIds() leaves out what is no relay",
  async ({ database }) => {
    const url = "wss://a.example.org";
    await insertRelays(database, [
      { url, network: "clearnet" },
      { url: ONION, network: "tor" },
    ]);
    const [onion] = await findRelays(database, { networks: ["tor"] });
    assert.equal(onion?.url, ONION);
    assert.ok(onion.discoveredAt > 1_700_000_000);
    assert.deepEqual(await findRelays(database, { networks: [] }), []);
    assert.deepEqual(await findRelays(database, { urls: [] }), []);
    assert.deepEqual(
      await findRelays(database, { networks: ["tor"], urls: [url] }),
      [],
    );
    const ids = await relayIds(database, [url, "wss://b.example.org"]);
    assert.deepEqual([...ids.keys()], [url]);
  },
);
