import assert from "node:assert/strict";
import {
  type CandidateHint,
  claimCandidates,
  dropCandidates,
  failCandidates,
  insertCandidates,
  promoteCandidates,
  releaseCandidates,
} from "../../../src/archive/candidates.ts";
import type { Database } from "../../../src/core/database/connection/database.ts";
import { findRelays, insertRelays } from "../../../src/archive/relays.ts";
import { testOnEachServer } from "../../support/each_server.ts";

const NO_BUDGETS = { maxPerHost: 0, maxPerDomain: 0, maxPerAuthor: 0 };
const LADDER = { initialSeconds: 0, maxSeconds: 0 };

testOnEachServer(
  "insertCandidates() stores a URL once and counts its mentions by source",
  async ({ database, sql }) => {
    const [a, b] = [hint("wss://a.example"), hint("wss://b.example")];
    const tagged = { ...a, source: "e-tag" };
    assert.deepEqual(
      await insertCandidates(database, [a, a, tagged, b], NO_BUDGETS),
      { inserted: 2, overBudget: 0, known: 0 },
    );
    assert.deepEqual(
      await insertCandidates(database, [tagged, tagged], NO_BUDGETS),
      { inserted: 0, overBudget: 0, known: 1 },
    );
    const [row] = await sql`
    select source, hints, host, domain from candidate where url = ${a.url}`;
    assert.deepEqual({ ...row }, {
      source: "nip65",
      hints: { "nip65": 2, "e-tag": 3 },
      host: "a.example",
      domain: "a.example",
    });
  },
);

testOnEachServer(
  "insertCandidates() skips relays in their ws and wss form",
  async ({ database }) => {
    await insertRelays(database, [
      { url: "wss://a.example", network: "clearnet" },
      { url: "ws://b.example:8080", network: "clearnet" },
    ]);
    const hints = [
      "wss://a.example",
      "ws://a.example",
      "wss://b.example:8080",
      "wss://b.example",
    ].map((url) => hint(url));
    assert.deepEqual(await insertCandidates(database, hints, NO_BUDGETS), {
      inserted: 1,
      overBudget: 0,
      known: 3,
    });
  },
);

testOnEachServer(
  "insertCandidates() keeps to the budgets of host, domain and author, relays included",
  async ({ database }) => {
    await insertRelays(database, [
      { url: "wss://one.spam.example/1", network: "clearnet" },
    ]);
    const host = (path: number) => ({
      ...hint(`wss://one.spam.example/${path}`),
      host: "one.spam.example",
    });
    const perHost = { ...NO_BUDGETS, maxPerHost: 3 };
    assert.deepEqual(
      await insertCandidates(database, [2, 3, 4, 5].map(host), perHost),
      { inserted: 2, overBudget: 2, known: 0 },
    );
    const wild = Array.from({ length: 6 }, (_, n) => ({
      ...hint(`wss://r${n}.wild.example`),
      domain: "wild.example",
    }));
    const perDomain = { ...NO_BUDGETS, maxPerDomain: 4 };
    assert.deepEqual(await insertCandidates(database, wild, perDomain), {
      inserted: 4,
      overBudget: 2,
      known: 0,
    });
    const flood = Array.from({ length: 6 }, (_, n) => ({
      ...hint(`wss://flood${n}.example`),
      author: "ab".repeat(32),
    }));
    const perAuthor = { ...NO_BUDGETS, maxPerAuthor: 1 };
    assert.deepEqual(await insertCandidates(database, flood, perAuthor), {
      inserted: 1,
      overBudget: 5,
      known: 0,
    });
    // The flood crowds nobody else out.
    const other = { ...hint("wss://other.example"), author: "cd".repeat(32) };
    const { inserted } = await insertCandidates(database, [other], perAuthor);
    assert.equal(inserted, 1);
  },
);

testOnEachServer(
  "insertCandidates() keeps to a budget when several writers share it",
  async ({ database, sql }) => {
    const budgets = { ...NO_BUDGETS, maxPerDomain: 10 };
    await Promise.all([0, 1, 2, 3].map((writer) =>
      insertCandidates(
        database,
        Array.from({ length: 8 }, (_, n) => ({
          ...hint(`wss://w${writer}n${n}.shared.example`),
          domain: "shared.example",
        })),
        budgets,
      )
    ));
    const [row] = await sql`select count(*)::int as candidates from candidate`;
    assert.equal(row!.candidates, 10);
  },
);

testOnEachServer(
  "claimCandidates() gives a candidate to one of two claimers",
  async ({ database }) => {
    const urls = Array.from({ length: 40 }, (_, n) => `wss://r${n}.example`);
    await insertCandidates(database, urls.map((url) => hint(url)), NO_BUDGETS);
    const claims = await Promise.all(
      [1, 2, 3, 4].map(() => claim(database, { limit: 10 })),
    );
    const claimed = claims.flat();
    assert.equal(claimed.length, 40);
    assert.deepEqual(new Set(claimed), new Set(urls));
    assert.deepEqual(await claim(database), []);
  },
);

testOnEachServer(
  "claimCandidates() interleaves those that share an address, and leaves out those that are full",
  async ({ database }) => {
    const crowd = Array.from(
      { length: 30 },
      (_, i) => hint(`wss://a-crowd.test/${String(i).padStart(2, "0")}`),
    );
    const full = ["a", "b"].map((path) => hint(`wss://full.test:81/${path}`));
    const others = ["x", "y", "z"].map((name) => hint(`wss://${name}.test`));
    await insertCandidates(
      database,
      [...crowd, ...full, ...others],
      NO_BUDGETS,
    );
    const crowding = { perAuthority: 2, exceptAuthorities: ["full.test:81"] };
    const claimed = await claim(database, { ...crowding, limit: 4 });
    assert.deepEqual(claimed, [
      "wss://a-crowd.test/00",
      "wss://x.test",
      "wss://y.test",
      "wss://z.test",
    ]);
    assert.deepEqual(await claim(database, { ...crowding, limit: 10 }), [
      "wss://a-crowd.test/01",
      "wss://a-crowd.test/02",
    ]);
    assert.equal((await claim(database, { limit: 100 })).length, 29);
  },
);

testOnEachServer(
  "claimCandidates() gives each of many that claim at once its part of a crowd",
  async ({ database }) => {
    const crowd = Array.from(
      { length: 40 },
      (_, i) => hint(`wss://crowd.test/${i}`),
    );
    await insertCandidates(database, crowd, NO_BUDGETS);
    const claims = await Promise.all(
      Array.from(
        { length: 20 },
        () => claim(database, { limit: 10, perAuthority: 2 }),
      ),
    );
    assert.deepEqual(claims.map(({ length }) => length), claims.map(() => 2));
    assert.equal(new Set(claims.flat()).size, 40);
  },
);

testOnEachServer(
  "claimCandidates() finds the others behind a crowd that is due before them",
  async ({ database, sql }) => {
    await sql`
      insert into candidate (url, network, host, domain, source, hints, discovered_at, due_at)
      select 'wss://crowd.test/' || n, 'clearnet', 'crowd.test', 'crowd.test', 'seed', '{}', 1, 1
      from generate_series(1, 12000) as n`;
    await insertCandidates(database, [hint("wss://behind.test")], NO_BUDGETS);
    const claimed = await claim(database, { limit: 10, perAuthority: 2 });
    assert.equal(claimed.length, 3);
    assert.ok(claimed.includes("wss://behind.test"));
  },
);

testOnEachServer(
  "claimCandidates() takes fewest failures first, of wanted networks only",
  async ({ database }) => {
    const onion = `ws://${"b".repeat(56)}.onion`;
    await insertCandidates(database, [
      hint("wss://failed.example"),
      hint("wss://fresh.example"),
      { ...hint(onion), network: "tor" },
    ], NO_BUDGETS);
    const failure = { url: "wss://failed.example", failure: "timeout" };
    await failCandidates(database, [failure], LADDER);

    assert.deepEqual(await claim(database, { networks: [] }), []);
    assert.deepEqual(await claim(database), [
      "wss://fresh.example",
      "wss://failed.example",
    ]);
    assert.deepEqual(await claim(database, { networks: ["tor"] }), [onion]);
  },
);

testOnEachServer(
  "a claim ends by itself, by release, by promotion and by failure",
  async ({ database }) => {
    const url = "wss://a.example";
    await insertCandidates(database, [hint(url)], NO_BUDGETS);
    assert.deepEqual(await claim(database, { claimSeconds: 0 }), [url]);
    assert.deepEqual(await claim(database), [url]);
    assert.deepEqual(await claim(database), []);
    assert.equal(
      await releaseCandidates(database, [url, "wss://no.example"]),
      1,
    );
    assert.deepEqual(await claim(database), [url]);
    await failCandidates(database, [{ url, failure: "dns" }], LADDER);

    const [candidate] = await claimCandidates(database, {
      holder: "a",
      networks: ["clearnet"],
      limit: 1,
      claimSeconds: 60,
    });
    assert.equal(candidate?.failures, 1);
    assert.equal(candidate.lastFailure, "dns");
    assert.ok(candidate.lastTriedAt! >= candidate.discoveredAt);
  },
);

testOnEachServer(
  "failCandidates() doubles the wait with each failure up to its bound",
  async ({ database, sql }) => {
    const url = "wss://a.example";
    await insertCandidates(database, [hint(url)], NO_BUDGETS);
    const waits: number[] = [];
    for (let i = 0; i < 40; i++) {
      await failCandidates(database, [{ url, failure: "timeout" }], {
        initialSeconds: 100,
        maxSeconds: 1000,
      });
      const [row] = await sql`
      select (due_at - last_tried_at)::int as wait from candidate`;
      waits.push(row!.wait);
    }
    assert.deepEqual(waits.slice(0, 6), [100, 200, 400, 800, 1000, 1000]);
    assert.equal(waits.at(-1), 1000);
    assert.deepEqual(await claim(database), []);
  },
);

testOnEachServer(
  "promoteCandidates() makes a relay of what answered and forgets both forms",
  async ({ database, sql }) => {
    await insertCandidates(database, [
      { ...hint("ws://a.example"), domain: "example" },
      hint("wss://a.example"),
      hint("ws://b.example"),
    ], NO_BUDGETS);
    const promotions = [
      {
        candidateUrl: "ws://a.example",
        url: "wss://a.example",
        network: "clearnet",
      },
      {
        candidateUrl: "ws://b.example",
        url: "ws://b.example",
        network: "clearnet",
      },
    ] as const;
    assert.equal(await promoteCandidates(database, promotions), 2);
    assert.equal(await promoteCandidates(database, promotions), 0);
    const relays = await findRelays(database, {});
    assert.deepEqual(relays.map(({ url }) => url), [
      "ws://b.example",
      "wss://a.example",
    ]);
    const [row] = await sql`select count(*)::int as left from candidate`;
    assert.equal(row!.left, 0);
    const [a] =
      await sql`select domain from relay where url = 'wss://a.example'`;
    assert.equal(a!.domain, "example");
  },
);

testOnEachServer(
  "dropCandidates() drops what failed too often, but nothing that is claimed",
  async ({ database, sql }) => {
    const urls = ["wss://often.example", "wss://once.example"];
    await insertCandidates(database, urls.map((url) => hint(url)), NO_BUDGETS);
    const [often, once] = urls.map((url) => ({ url, failure: "timeout" }));
    for (let i = 0; i < 3; i++) {
      await failCandidates(database, [often!], LADDER);
    }
    await failCandidates(database, [once!], LADDER);

    await claim(database);
    assert.equal(await dropCandidates(database, { maxFailures: 3 }), 0);
    await releaseCandidates(database, urls);
    assert.equal(await dropCandidates(database, { maxFailures: 3 }), 1);
    const rows = await sql`select url from candidate`;
    assert.deepEqual([...rows], [{ url: once!.url }]);
  },
);

testOnEachServer(
  "candidate functions work in a transaction of somebody else",
  async ({ database, sql }) => {
    await assert.rejects(
      database.transaction(async (connection) => {
        await insertCandidates(
          connection,
          [hint("wss://a.example")],
          NO_BUDGETS,
        );
        throw new Error("changed my mind");
      }),
      /changed my mind/,
    );
    const [row] = await sql`select count(*)::int as candidates from candidate`;
    assert.equal(row!.candidates, 0);
  },
);

function hint(url: string): CandidateHint {
  const host = new URL(url).hostname;
  return { url, network: "clearnet", host, domain: host, source: "nip65" };
}

async function claim(
  database: Database,
  options: Partial<Parameters<typeof claimCandidates>[1]> = {},
): Promise<string[]> {
  const claimed = await claimCandidates(database, {
    holder: "a",
    networks: ["clearnet"],
    limit: 100,
    claimSeconds: 60,
    ...options,
  });
  return claimed.map(({ url }) => url);
}
