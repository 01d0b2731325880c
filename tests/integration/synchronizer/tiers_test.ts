import assert from "node:assert/strict";
import { STRENGTHS } from "../../../src/archive/sync/sync_coverage.ts";
import { join } from "node:path";
import { insertChecks } from "../../../src/archive/checks.ts";
import { insertRelays } from "../../../src/archive/relays.ts";
import { relayCoverage } from "../../support/archive_reads.ts";
import { silentLogger } from "../../support/silent_logger.ts";
import { type Filter, filterHash } from "../../../src/models/filter.ts";
import { synchronizerConfig } from "../../../src/services/synchronizer/config/config.ts";
import {
  openPool,
  relayDeps,
  syncDeps,
} from "../../../src/services/synchronizer/wiring.ts";
import { synchronizer } from "../../../src/services/synchronizer/mod.ts";
import {
  runOnce,
  type TestArchive,
  testArchive,
} from "../../support/archive.ts";
import { relayAt } from "../../support/dialing.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { socksProxy } from "../../support/socks.ts";
import { idOf } from "../../support/sync.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";
import { type TestRelay, testRelay } from "../../support/test_relay.ts";

const factory = eventFactory("tiers");
const EVENTS = Array.from(
  { length: 60 },
  (_, n) => factory.sign({ kind: n % 2 }),
);

const ONION =
  "ws://oxtrdevav64z64yb7x6rjg4ntzqjhedm5b5zjqulugknhzr46ny2qbad.onion";

Deno.test("tiers: a relay is looked at in the lane and at the pace of the highest that names it", async () => {
  await using archive = await testArchive();
  await using folder = await temporaryDirectory();
  await using high = await testRelay({ events: EVENTS.slice(0, 10) });
  await using medium = await testRelay({ events: EVENTS.slice(10, 30) });
  await using quiet = await testRelay({ events: EVENTS.slice(30) });
  // The one lane of the rest is taken until all others are done.
  const others = Promise.all([high.received("REQ"), medium.received("REQ")]);
  await using stuck = await testRelay({
    onReq: async (req) => {
      await others;
      await req.serve();
    },
  });
  await insertRelays(
    archive.database,
    [stuck, quiet, medium, high].map(({ relay }) => relay),
  );
  const priorityFile = join(folder.path, "medium.txt");
  await Deno.writeTextFile(
    priorityFile,
    `# ours\n${medium.url}/ # spelled otherwise\n\n${high.url}\nws://127.0.0.1:1\n`,
  );
  const config = {
    allowPrivate: true,
    networks: { clearnet: { maxConnections: 1, timeoutMs: 60_000 } },
    tiers: { high: { relays: [high.url] }, medium: { priorityFile } },
  };
  const run = await runOnce(synchronizer, archive.database, { config });

  assert.equal(await archive.count("event_relay"), EVENTS.length);
  assert.deepEqual(await leases(archive), {
    [high.url]: [60, 5],
    [medium.url]: [300, 10],
    [quiet.url]: [900, 15],
    [stuck.url]: [900, 0],
  });
  const unknown =
    "candidate where url = 'ws://127.0.0.1:1' and source = 'priority'";
  assert.equal(await archive.count(unknown), 1);
  const said = run.log.find(({ message }) =>
    message === "priority relays introduced"
  );
  assert.equal(said?.["introduced"], 1);
  const state = (state: string) => run.metric("sync_covered_relays", { state });
  assert.deepEqual([await state("complete"), await state("incomplete")], [
    4,
    0,
  ]);
  let covered = 0;
  for (const strength of STRENGTHS) {
    covered += await run.metric("sync_covered_ratio", { strength });
  }
  assert.equal(covered, 1);
  assert.equal(await run.metric("sync_leased_relays"), 0);
});

Deno.test("overrides: a relay has filters, bounds and a pace of its own, or is left alone", async () => {
  await using archive = await testArchive();
  await using own = await testRelay({ events: EVENTS });
  await using off = await testRelay({ events: EVENTS });
  await using common = await testRelay({ events: EVENTS });
  await insertRelays(
    archive.database,
    [own, off, common].map(({ relay }) => relay),
  );
  const since = EVENTS[30]!.created_at;
  const config = {
    allowPrivate: true,
    negentropy: { enabled: false },
    relays: [
      {
        url: `${own.url.toUpperCase()}/`,
        filters: [{ kinds: [1] }],
        requests: { limit: 10 },
        intervalSeconds: 77,
        since,
      },
      { url: off.url, enabled: false },
      { url: "wss://nobody.knows.me.damus.io", lookbackSeconds: 0 },
    ],
  };
  await runOnce(synchronizer, archive.database, { config });

  const asked = own.log.flatMap(({ message: [type, _id, filter] }) =>
    type === "REQ" ? [filter] : []
  );
  assert.ok(asked.length > 1);
  for (const filter of asked) {
    const { kinds, limit, since: from } = Object(filter);
    // The audit asks without kinds, too: some relays hide events from filters that name any.
    const isWanted = kinds === undefined ||
      kinds.length === 1 && kinds[0] === 1;
    assert.deepEqual([isWanted, limit <= 10, from >= since], [
      true,
      true,
      true,
    ]);
  }
  const relayId = await idOf(archive, own.relay);
  const covered = (filter: Filter) =>
    relayCoverage(archive.database, relayId, filterHash(filter));
  assert.equal((await covered({ kinds: [1] }))[0]?.since, since);
  assert.deepEqual(await covered({}), []);
  assert.equal((await leases(archive))[own.url]?.[0], 77);
  assert.equal(off.requests.length, 0);
  assert.equal(await archive.count("event_relay"), 15 + EVENTS.length);
});

Deno.test("a relay of an overlay has the lane, the proxy and the patience of its network", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay({ events: EVENTS });
  const onion = `${ONION}:${relay.port}`;
  await using proxy = await socksProxy({ names: [new URL(onion).hostname] });
  // It holds the only slot of clearnet until the onion is done.
  await using stuck = await testRelay({
    onReq: async (req) => {
      await relay.received("REQ");
      await req.serve();
    },
  });
  await insertRelays(archive.database, [stuck.relay, relayAt(onion)]);
  const config = {
    allowPrivate: true,
    networks: {
      clearnet: { maxConnections: 1, timeoutMs: 60_000 },
      tor: { enabled: true, proxyUrl: proxy.url, timeoutMs: 70_000 },
    },
    relays: [{
      url: `${onion}/hurried`,
      timeoutMs: 1_234,
      negentropy: false,
      requests: { idleTimeoutMs: 5_678 },
    }],
  };
  const run = await runOnce(synchronizer, archive.database, { config });
  const complete = { network: "tor", outcome: "complete" };
  assert.equal(await run.metric("sync_relays_total", complete), 1);
  assert.deepEqual(new Set(proxy.asked), new Set([new URL(onion).host]));

  const parsed = synchronizerConfig.parse(config);
  await using pool = await openPool(parsed, silentLogger());
  const { database } = archive;
  const deps = relayDeps(parsed, syncDeps(parsed, { database, pool }));
  const { bounds, connectTimeoutMs, negentropy } = deps(relayAt(onion));
  assert.equal(connectTimeoutMs.tor, 70_000);
  assert.deepEqual(
    [bounds.idleTimeoutMs, negentropy.probeTimeoutMs],
    [70_000, 70_000],
  );
  const hurried = deps(relayAt(`${onion}/hurried`));
  assert.equal(hurried.connectTimeoutMs.tor, 1_234);
  assert.equal(hurried.bounds.idleTimeoutMs, 5_678);
  assert.equal(hurried.negentropy.enabled, false);
});

Deno.test("source: relays in no tier are synced only if the monitor says what is asked for", async () => {
  await using archive = await testArchive();
  const { database } = archive;
  const now = Math.floor(Date.now() / 1_000);
  await using online = await testRelay({ events: EVENTS });
  await using offline = await testRelay({ events: EVENTS });
  await using stale = await testRelay({ events: EVENTS });
  await using unchecked = await testRelay({ events: EVENTS });
  await using named = await testRelay({ events: EVENTS });
  const all = [online, offline, stale, unchecked, named];
  await insertRelays(database, all.map(({ relay }) => relay));
  const check = async (
    { relay }: TestRelay,
    isOnline: boolean,
    age: number,
  ) => {
    const relayId = await idOf(archive, relay);
    return { relayId, checkedAt: now - age, online: isOnline };
  };
  await insertChecks(database, [
    await check(online, true, 60),
    await check(offline, false, 60),
    await check(stale, true, 7_200),
  ]);
  const run = async (source: object) => {
    const tiers = { low: { relays: [named.url] } };
    const config = { allowPrivate: true, source, tiers };
    await runOnce(synchronizer, database, { config });
    const counts = all.map(({ requests }) => requests.length);
    return counts.map((count) => Math.min(1, count));
  };
  const source = { requireOnline: true, maxCheckAgeSeconds: 3_600 };
  assert.deepEqual(await run(source), [1, 0, 0, 0, 1]);
  assert.deepEqual(await run({ maxCheckAgeSeconds: 3_600 }), [1, 1, 0, 0, 1]);
  assert.deepEqual(await run({ requireOnline: true }), [1, 1, 1, 0, 1]);
  assert.deepEqual(await run({}), [1, 1, 1, 1, 1]);
});

/** Interval and yield of each relay, all of which are given back. */
async function leases(
  { sql }: TestArchive,
): Promise<Record<string, [number, number]>> {
  const rows = await sql`
    select url, interval_seconds, yield, claimed_until
    from relay_lease join relay on relay.id = relay_id
    where interval_seconds is not null`;
  assert.ok(rows.every((row) => Number(row["claimed_until"]) === 0));
  return Object.fromEntries(
    rows.map((row) => [row["url"], [row["interval_seconds"], row["yield"]]]),
  );
}
