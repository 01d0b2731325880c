import assert from "node:assert/strict";
import {
  leaseRelays,
  type LeaseRequest,
  releaseRelays,
  renewLeases,
} from "../../../src/archive/leases.ts";
import { insertRelays } from "../../../src/archive/relays.ts";
import { testOnEachServer } from "../../support/each_server.ts";

const NOW = Math.floor(Date.now() / 1000);

testOnEachServer(
  "leaseRelays() gives a relay to one holder of a service at a time",
  async ({ database }) => {
    await insertRelays(database, relays(40));
    const leased = await Promise.all(
      ["a", "b", "c", "d"].map((holder) =>
        leaseRelays(database, request({ holder, limit: 10 }))
      ),
    );
    const ids = leased.flat().map(({ relayId }) => relayId);
    assert.equal(ids.length, 40);
    assert.equal(new Set(ids).size, 40);
    assert.deepEqual(await leaseRelays(database, request({ holder: "e" })), []);
    const other = request({ service: "monitor", holder: "e" });
    assert.equal((await leaseRelays(database, other)).length, 40);
  },
);

testOnEachServer(
  "leaseRelays() takes the longest due first, and of wanted networks and URLs only",
  async ({ database }) => {
    await insertRelays(database, [
      ...relays(3),
      { url: `ws://${"c".repeat(56)}.onion`, network: "tor" },
    ]);
    const all = await leaseRelays(
      database,
      request({ networks: ["clearnet", "tor"] }),
    );
    const clearnet = all.filter(({ network }) => network === "clearnet");
    const [late, soon, future] = clearnet.map(({ relayId }) => relayId);
    await releaseRelays(database, {
      ...HOLDER,
      relays: [
        { relayId: late!, nextDueAt: NOW - 10 },
        { relayId: soon!, nextDueAt: NOW - 100, failures: 3 },
        { relayId: future!, nextDueAt: NOW + 1000 },
      ],
    });

    const due = await leaseRelays(database, request());
    assert.deepEqual(due.map(({ relayId, failures }) => [relayId, failures]), [
      [soon, 3],
      [late, 0],
    ]);
    assert.equal(due[0]!.dueAt, NOW - 100);
    const { url } = clearnet[2]!;
    assert.deepEqual(await leaseRelays(database, request({ urls: [url] })), []);
    const asked = request({ urls: [url], evenIfNotDue: true });
    const [lease] = await leaseRelays(database, asked);
    assert.equal(lease?.url, url);
  },
);

testOnEachServer(
  "a lease of a dead holder expires, and is then not its to renew or release",
  async ({ database }) => {
    await insertRelays(database, relays(1));
    const dying = request({ holder: "dying", leaseSeconds: 0 });
    const [lease] = await leaseRelays(database, dying);
    const relayId = lease!.relayId;
    const [taken] = await leaseRelays(database, request({ holder: "next" }));
    assert.equal(taken?.relayId, relayId);

    const renewal = { service: "synchronizer", relayIds: [relayId] };
    const by = (holder: string) =>
      renewLeases(database, { ...renewal, holder, leaseSeconds: 60 });
    assert.deepEqual(await by("dying"), []);
    assert.deepEqual(await by("next"), [relayId]);
    const released = await releaseRelays(database, {
      service: "synchronizer",
      holder: "dying",
      relays: [{ relayId, nextDueAt: NOW }],
    });
    assert.equal(released, 0);
    assert.deepEqual(await leaseRelays(database, request()), []);
  },
);

testOnEachServer("a relay found later is due at once", async ({ database }) => {
  await insertRelays(database, relays(1));
  await leaseRelays(database, request());
  await insertRelays(database, relays(2));
  const [lease] = await leaseRelays(database, request());
  assert.equal(lease?.dueAt, 0);
});

testOnEachServer(
  "leaseRelays() prefers those overdue by the most of their own intervals, and leaves out whom it is told to",
  async ({ database }) => {
    await insertRelays(database, relays(3));
    const all = await leaseRelays(database, request());
    const [often, seldom, left] = all.map(({ relayId }) => relayId);
    const give = (newEvents: number) =>
      releaseRelays(database, {
        ...HOLDER,
        relays: [
          { relayId: seldom!, nextDueAt: NOW - 500, intervalSeconds: 1_000 },
          ...[often!, left!].map((relayId) => ({
            relayId,
            nextDueAt: NOW - 100,
            intervalSeconds: 10,
            newEvents,
          })),
        ],
      });
    await give(40);
    const exceptUrls = [all[2]!.url];
    const first = await leaseRelays(database, request({ exceptUrls }));
    assert.deepEqual(
      first.map((relay) => [relay.relayId, relay.intervalSeconds, relay.yield]),
      [[often, 10, 20], [seldom, 1_000, 0]],
    );
    await give(0);
    const again = await leaseRelays(database, request({ limit: 1 }));
    assert.deepEqual(again.map(({ relayId }) => relayId), [often]);
    assert.equal(again[0]!.yield, 10);
  },
);

const HOLDER = { service: "synchronizer", holder: "a" } as const;

function request(rest: Partial<LeaseRequest> = {}): LeaseRequest {
  const networks = ["clearnet"] as const;
  return { ...HOLDER, networks, limit: 100, leaseSeconds: 60, ...rest };
}

function relays(count: number) {
  return Array.from({ length: count }, (_, n) => ({
    url: `wss://relay${n}.example.com`,
    network: "clearnet" as const,
  }));
}
