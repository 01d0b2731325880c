import assert from "node:assert/strict";
import { insertChecks } from "../../../src/archive/checks.ts";
import {
  hastenRelays,
  leaseRelays,
  type LeaseRequest,
  type ReleasedRelay,
  releaseRelays,
  renewLeases,
} from "../../../src/archive/leases.ts";
import { insertRelays } from "../../../src/archive/relays.ts";
import { testOnEachServer } from "../../support/each_server.ts";
import { shiftClock } from "../../support/shifted_clock.ts";

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
        { relayId: late!, nextDueInSeconds: -10 },
        { relayId: soon!, nextDueInSeconds: -100, failures: 3 },
        { relayId: future!, nextDueInSeconds: 1_000 },
      ],
    });

    const due = await leaseRelays(database, request());
    assert.deepEqual(due.map(({ relayId, failures }) => [relayId, failures]), [
      [soon, 3],
      [late, 0],
    ]);
    const overdue = due[0]!.now() - due[0]!.dueAt;
    assert.ok(overdue >= 100 && overdue < 160, `${overdue} s overdue`);
    const { url } = clearnet[2]!;
    assert.deepEqual(await leaseRelays(database, request({ urls: [url] })), []);
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
      relays: [{ relayId, nextDueInSeconds: 0 }],
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
          { relayId: seldom!, nextDueInSeconds: -500, intervalSeconds: 1_000 },
          ...[often!, left!].map((relayId) => ({
            relayId,
            nextDueInSeconds: -100,
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

testOnEachServer(
  "releaseRelays() gives a lease back exactly as it was, but for what it is told",
  async ({ database, sql }) => {
    await insertRelays(database, relays(1));
    const [first] = await leaseRelays(database, request());
    const relayId = first!.relayId;
    const give = (relay: Omit<ReleasedRelay, "relayId">) =>
      releaseRelays(database, { ...HOLDER, relays: [{ relayId, ...relay }] });
    const state = async () => {
      const [row] = await sql`select due_at::int, failures, interval_seconds,
        memory from relay_lease`;
      return { ...row };
    };
    const memory = { a: 1 };
    const told = { failures: 4, intervalSeconds: 77, memory };
    await give({ nextDueInSeconds: -5, ...told });
    const before = await state();
    for (const failures of [undefined, 4]) {
      await leaseRelays(database, request());
      assert.equal(await give({ failures }), 1);
      assert.deepEqual(await state(), before);
    }
  },
);

testOnEachServer(
  "leases go by the database's clock, whatever ours shows",
  async ({ database, sql }) => {
    await insertRelays(database, relays(2));
    {
      using _clock = shiftClock(30 * 86_400);
      const leased = await leaseRelays(database, request());
      const [row] = await sql`select unix_now()::int as now`;
      for (const { now } of leased) {
        assert.ok(Math.abs(now() - row!.now) < 60, `${now()}`);
      }
      await releaseRelays(database, {
        ...HOLDER,
        relays: leased.map(({ relayId }) => ({
          relayId,
          nextDueInSeconds: 500,
        })),
      });
    }
    const waits = await sql<{ wait: number }[]>`
      select (due_at - unix_now())::int as wait from relay_lease`;
    assert.equal(waits.length, 2);
    for (const { wait } of waits) {
      assert.ok(wait > 440 && wait <= 500, `due in ${wait} s`);
    }
  },
);

testOnEachServer(
  "leaseRelays() takes what only a wrong clock can have set due so late, and nothing else that is not due",
  async ({ database, sql }) => {
    await insertRelays(database, relays(3));
    const all = await leaseRelays(database, request());
    const [sane, wrong, held] = all.map(({ relayId }) => relayId);
    await releaseRelays(database, {
      ...HOLDER,
      relays: [
        { relayId: sane!, nextDueInSeconds: 3_600 },
        { relayId: wrong!, nextDueInSeconds: 30 * 86_400 },
      ],
    });
    // It is leased: its holder says when it is due again.
    await sql`update relay_lease set due_at = unix_now() + 30 * 86400
      where relay_id = ${held!}`;
    const monitor = request({ service: "monitor", longestWaitSeconds: 3_600 });
    await leaseRelays(database, monitor);
    assert.deepEqual(await leaseRelays(database, request()), []);
    const longest = request({ longestWaitSeconds: 3_600 });
    const due = await leaseRelays(database, longest);
    assert.deepEqual(due.map(({ relayId }) => relayId), [wrong]);
  },
);

testOnEachServer(
  "hastenRelays() makes relays due sooner, never later, and leaves failures to wait",
  async ({ database, sql }) => {
    const urls = [
      "wss://soon.test",
      "wss://late.test",
      "wss://failed.test",
      "wss://below.late.test:8443/x",
      "wss://notlate.test",
    ];
    await insertRelays(
      database,
      urls.map((url) => ({ url, network: "clearnet" as const })),
    );
    await leaseRelays(database, request({ limit: 1, networks: ["tor"] }));
    const service = "synchronizer";
    const reset = () =>
      sql`update relay_lease l set due_at = unix_now()
          + case when url like '%soon%' then 10 else 86400 end,
        failures = (url like '%failed%')::int
        from relay where id = l.relay_id and service = ${service}`;
    const sooner = async () => {
      const rows = await sql<{ url: string }[]>`
        select url from relay_lease join relay on id = relay_id
        where service = ${service} and due_at <= unix_now() + 60 order by url`;
      return rows.map(({ url }) => url);
    };
    const [soon, late, failed, below, other] = urls;
    await reset();
    const named = { service, urls: [late!, failed!, soon!], withinSeconds: 60 };
    assert.equal(await hastenRelays(database, named), 1);
    assert.deepEqual(await sooner(), [late, soon]);
    assert.equal(await hastenRelays(database, named), 0);

    await reset();
    const host = { service, hosts: ["failed.test"], withinSeconds: 0 };
    assert.equal(await hastenRelays(database, host), 1);
    assert.deepEqual(await sooner(), [failed, soon]);

    await reset();
    const domain = { service, hosts: ["*.late.test"], withinSeconds: 0 };
    assert.equal(await hastenRelays(database, domain), 2);
    assert.deepEqual(await sooner(), [below, late, soon].toSorted());
    assert.ok(!(await sooner()).includes(other!));
    assert.equal(
      await hastenRelays(database, { ...domain, service: "monitor" }),
      0,
    );
  },
);

testOnEachServer(
  "leaseRelays() takes of those that were checked lately only, where it is told to",
  async ({ database }) => {
    await insertRelays(database, relays(3));
    const ids = (await leaseRelays(database, request({ service: "monitor" })))
      .map(({ relayId }) => relayId);
    const now = Math.floor(Date.now() / 1_000);
    await insertChecks(database, [
      { relayId: ids[0]!, checkedAt: now - 50, online: true },
      { relayId: ids[1]!, checkedAt: now - 5_000, online: true },
    ]);
    const lately = request({ checkedWithinSeconds: 500 });
    const leased = await leaseRelays(database, lately);
    assert.deepEqual(leased.map(({ relayId }) => relayId), [ids[0]]);
  },
);

testOnEachServer(
  "leaseRelays() interleaves those that share an address, and leaves out those that are full",
  async ({ database, sql }) => {
    const crowd = Array.from({ length: 3_000 }, (_, n) => ({
      url: `wss://crowd.test/${n}`,
      network: "clearnet" as const,
    }));
    const full = { url: "wss://full.test:81/a", network: "clearnet" } as const;
    await insertRelays(database, [...crowd, full, ...relays(2)]);
    const honest = relays(2).map(({ url }) => url);
    // All are enrolled by the first lease; the crowd is due the longest.
    await leaseRelays(database, request({ limit: 1, networks: ["tor"] }));
    await sql`
      update relay_lease set due_at = case when url like '%crowd%' then 1 else 1000 end
      from relay where relay.id = relay_id`;
    const crowding = { perAuthority: 2, exceptAuthorities: ["full.test:81"] };
    const take = async (rest: Partial<LeaseRequest>) => {
      const leased = await leaseRelays(database, request(rest));
      return leased.map(({ url }) => url);
    };
    const urls = await take({ ...crowding, limit: 10 });
    assert.deepEqual(
      new Set(urls.filter((url) => !url.includes("crowd"))),
      new Set(honest),
    );
    assert.equal(urls.length, 4);
    assert.match(urls[0]!, /crowd/, "the longest due is first");
    assert.deepEqual(honest.includes(urls[1]!), true, "and not its neighbour");
    const named = crowd.slice(100, 110).map(({ url }) => url);
    assert.equal((await take({ ...crowding, urls: named })).length, 2);
    assert.deepEqual(
      await take({ ...crowding, urls: [full.url] }),
      [],
    );
    assert.deepEqual(await take({ urls: [full.url] }), [full.url]);
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
