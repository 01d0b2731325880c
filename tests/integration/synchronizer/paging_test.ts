import assert from "node:assert/strict";
import { join } from "node:path";
import type { NostrEvent } from "../../../src/models/event.ts";
import { testArchive } from "../../support/archive.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { assertTruthful, syncOnce } from "../../support/sync.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";
import type { TestReq } from "../../support/test_relay_script.ts";
import { testRelay } from "../../support/test_relay.ts";

const factory = eventFactory("paging");
const FIRST = 1_700_000_000;

/** Notes, reactions and articles of ten authors; `perSecond` of them share a second. */
function makeEvents(count: number, perSecond = 1): NostrEvent[] {
  return Array.from({ length: count }, (_, i) =>
    factory.sign({
      createdAt: FIRST + Math.floor(i / perSecond) * 30,
      kind: [1, 7, 30_023][i % 3]!,
      author: i % 10,
    }));
}

Deno.test("syncRelay() archives everything behind a silent cap, and proves it", async () => {
  const events = makeEvents(2_000);
  await using archive = await testArchive();
  await using relay = await testRelay({ events, maxLimit: 100 });
  const result = await syncOnce({ archive, relay: relay.relay });
  assert.equal(result.stored, 2_000);
  assert.equal(result.complete, true);
  assert.equal(result.method, "paging");
  assert.deepEqual(result.gaps, []);
  assert.equal(result.received, relay.sent);
  // What was claimed is asked about in a few places.
  assert.ok(result.received <= 2_500, `received ${result.received}`);
  // One asks whether the relay knows NIP-77, one whether it counts.
  assert.equal(result.requests, 2 + relay.count("REQ"));
  assert.equal(
    await assertTruthful(archive, { relay: relay.relay, events }),
    2_000,
  );
});

Deno.test("syncRelay() loses nothing where seconds are shared across page borders", async () => {
  const events = makeEvents(1_500, 50);
  await using archive = await testArchive();
  await using relay = await testRelay({ events, maxLimit: 120 });
  const result = await syncOnce({ archive, relay: relay.relay });
  assert.equal(result.stored, 1_500);
  assert.equal(result.complete, true);
  await assertTruthful(archive, { relay: relay.relay, events });
});

Deno.test("syncRelay() never claims a second with more events than the relay gives", async () => {
  const burst = Array.from(
    { length: 800 },
    (_, i) => factory.sign({ createdAt: FIRST + 5_000, author: i % 3 }),
  );
  const events = [...makeEvents(300), ...burst];
  await using archive = await testArchive();
  await using relay = await testRelay({ events, maxLimit: 500 });
  const result = await syncOnce({ archive, relay: relay.relay });
  assert.equal(result.complete, false);
  assert.deepEqual(result.gaps, [
    { since: FIRST + 5_000, until: FIRST + 5_000, reason: "saturated" },
  ]);
  const stored = await assertTruthful(archive, { relay: relay.relay, events });
  assert.equal(stored, 1_100, "three authors can be told apart");

  const again = await syncOnce({ archive, relay: relay.relay });
  assert.equal(again.stored, 0);
  assert.ok(again.requests <= 3, "a gap like this is left alone for a while");
});

Deno.test("syncRelay() proves a crowded second by its parts when the filter names them", async () => {
  const burst = Array.from(
    { length: 800 },
    (_, i) => factory.sign({ createdAt: FIRST, kind: [1, 7][i % 2]! }),
  );
  await using archive = await testArchive();
  await using relay = await testRelay({ events: burst, maxLimit: 500 });
  const result = await syncOnce({
    archive,
    relay: relay.relay,
    config: { filters: [{ kinds: [1, 7] }] },
  });
  assert.equal(result.stored, 800);
  assert.equal(result.complete, true);
  const filter = { kinds: [1, 7] };
  await assertTruthful(archive, { relay: relay.relay, events: burst, filter });
});

Deno.test("syncRelay() walks several filters by themselves", async () => {
  const events = makeEvents(1_200);
  await using archive = await testArchive();
  await using relay = await testRelay({ events, maxLimit: 100 });
  const filters = [{ kinds: [1] }, { kinds: [7] }];
  const config = { filters };
  const result = await syncOnce({ archive, relay: relay.relay, config });
  assert.equal(result.stored, 800);
  assert.equal(result.complete, true);
  for (const filter of filters) {
    await assertTruthful(archive, { relay: relay.relay, events, filter });
  }

  const rest = await syncOnce({ archive, relay: relay.relay });
  assert.equal(rest.stored, 400);
  assert.equal(rest.known, 800);
});

Deno.test("syncRelay() transfers nearly nothing the second time, and then only what is new", async () => {
  const events = makeEvents(600);
  await using archive = await testArchive();
  await using relay = await testRelay({ events, maxLimit: 100 });
  await syncOnce({ archive, relay: relay.relay });
  const second = await syncOnce({ archive, relay: relay.relay });
  // A few known events show that the relay answers.
  assert.ok(second.received <= 30, `${second.received} received`);
  assert.ok(second.requests <= 2, `${second.requests} requests`);

  const fresh = factory.sign({ createdAt: Math.floor(Date.now() / 1_000) - 5 });
  relay.add([fresh]);
  const third = await syncOnce({ archive, relay: relay.relay });
  assert.equal(third.stored, 1);
  assert.equal(third.complete, true);
});

Deno.test("syncRelay() asks a relay that it has caught up with four times at most, and twice on average", async () => {
  const now = Math.floor(Date.now() / 1_000);
  const recent = Array.from(
    { length: 40 },
    (_, i) => factory.sign({ createdAt: now - 600 - 1_000 * i }),
  );
  const contents = {
    "a day with events": [...makeEvents(300), ...recent],
    "a day without": makeEvents(300),
    "nothing at all": [],
  };
  const allCosts: number[] = [];
  for (const [what, events] of Object.entries(contents)) {
    await using archive = await testArchive();
    await using relay = await testRelay({ events, maxLimit: 100 });
    const first = await syncOnce({ archive, relay: relay.relay });
    assert.equal(first.complete, true, what);
    for (const _ of [1, 2]) {
      const asked = relay.count("REQ") + relay.count("NEG-OPEN");
      const again = await syncOnce({ archive, relay: relay.relay });
      const costs = relay.count("REQ") + relay.count("NEG-OPEN") - asked;
      // One page, and an audit question, of which some need another.
      assert.ok(costs <= 4, `${what}: ${costs} requests`);
      allCosts.push(costs);
      assert.deepEqual([again.complete, again.stored], [true, 0], what);
    }
    await assertTruthful(archive, { relay: relay.relay, events });
  }
  const sum = allCosts.reduce((total, costs) => total + costs);
  assert.ok(sum <= 2.5 * allCosts.length, `${allCosts}`);
});

Deno.test("syncRelay() asks a relay far away sixteen things at once at most, and receives little twice", async () => {
  const events = makeEvents(2_000);
  await using archive = await testArchive();
  await using relay = await testRelay({ events, maxLimit: 50, latencyMs: 40 });
  const result = await syncOnce({ archive, relay: relay.relay });
  assert.deepEqual([result.stored, result.complete], [2_000, true]);
  assert.ok(
    result.received <= 1.25 * events.length,
    `received ${result.received}`,
  );
  await assertTruthful(archive, { relay: relay.relay, events });
  let open = 0;
  let most = 0;
  for (const { message: [type] } of relay.log) {
    if (type === "REQ") most = Math.max(most, ++open);
    // Each is closed by us when its EOSE has come.
    else if (type === "CLOSE") open -= 1;
  }
  assert.ok(most <= 16, `${most} at once`);
});

Deno.test("syncRelay() gets everything from a relay that bears a single subscription", async () => {
  const events = makeEvents(1_500);
  await using archive = await testArchive();
  await using relay = await testRelay({
    maxLimit: 50,
    events,
    latencyMs: 5,
    onReq: singleSubscription(),
  });
  const config = { requests: { idleTimeoutMs: 1_000 } };
  const result = await syncOnce({ archive, relay: relay.relay, config });
  assert.deepEqual([result.stored, result.complete], [1_500, true]);
  await assertTruthful(archive, { relay: relay.relay, events });
});

/** A newer REQ closes the older. */
function singleSubscription() {
  let latest = "";
  return async (req: TestReq) => {
    if (latest !== "") {
      req.send(JSON.stringify(["CLOSED", latest, "error: one"]));
    }
    latest = req.subId;
    await new Promise((resolve) => setTimeout(resolve, 10));
    if (latest !== req.subId) return;
    latest = "";
    await req.serve();
  };
}

Deno.test("syncRelay() finds what arrived late and back-dated within the lookback", async () => {
  const now = Math.floor(Date.now() / 1_000);
  await using archive = await testArchive();
  await using relay = await testRelay({
    events: [100, 200].map((age) => factory.sign({ createdAt: now - age })),
  });
  await syncOnce({ archive, relay: relay.relay });
  // A question about the past could find it, too.
  const config = { audit: { requestsPerSync: 0 } };
  const late = factory.sign({ createdAt: now - 3_000 });
  const tooLate = factory.sign({ createdAt: now - 90_000 });
  relay.add([late, tooLate]);
  const { stored, known } = await syncOnce({
    archive,
    relay: relay.relay,
    config,
  });
  assert.deepEqual({ stored, known }, { stored: 1, known: 2 });
});

Deno.test("syncRelay() gives events the archive has a sighting, without verifying them", async () => {
  const events = makeEvents(500);
  await using archive = await testArchive();
  await using one = await testRelay({ events });
  // Were they verified, these would be refused.
  const copies = events.map((event) => ({ ...event, sig: "0".repeat(128) }));
  await using other = await testRelay({ events: copies });
  await syncOnce({ archive, relay: one.relay });
  const result = await syncOnce({ archive, relay: other.relay });
  assert.deepEqual([result.stored, result.known], [0, 500]);
  assert.deepEqual(result.rejected, {});
  assert.equal(await archive.count("event"), 500);
  assert.equal(await archive.count("event_relay"), 1_000);
});

Deno.test("syncRelay() stays within since and until", async () => {
  const events = makeEvents(300);
  await using archive = await testArchive();
  await using relay = await testRelay({ events, maxLimit: 50 });
  const config = { since: FIRST + 3_000, until: FIRST + 5_999 };
  const result = await syncOnce({ archive, relay: relay.relay, config });
  assert.equal(result.stored, 100);
  assert.equal(result.complete, true);
  const again = await syncOnce({ archive, relay: relay.relay, config });
  assert.equal(again.requests, 0, "nothing is left to ask");
  const all = await syncOnce({ archive, relay: relay.relay });
  assert.equal(all.stored, 200);
});

Deno.test("syncRelay() archives future-dated events, and claims nothing about the future", async () => {
  const events = [
    ...makeEvents(20),
    factory.sign({ createdAt: 43_019_827_200 }),
    factory.sign({ createdAt: 1_700_000_000_000 }),
    factory.sign({ createdAt: 0 }),
  ];
  await using archive = await testArchive();
  await using relay = await testRelay({ events, maxLimit: 10 });
  const result = await syncOnce({ archive, relay: relay.relay });
  assert.equal(result.stored, 23);
  assert.equal(result.complete, true);
  const [row] = await archive.sql`
    select upper(range_merge(covered)) as top from sync_coverage`;
  assert.ok(Number(row!["top"]) <= Date.now() / 1_000 + 1);
});

Deno.test("syncRelay() believes a relay that says it has sent all, when another question agrees", async () => {
  const events = makeEvents(80);
  await using archive = await testArchive();
  await using relay = await testRelay({ events, eoseHint: true });
  const result = await syncOnce({ archive, relay: relay.relay });
  assert.deepEqual(
    [result.stored, result.requests, result.complete],
    [80, result.requests, true],
  );
  assert.ok(result.requests <= 20, `${result.requests} requests`);
  const proofs = await archive.sql`select method from sync_proof`;
  assert.deepEqual(proofs.map((row) => row["method"]).sort(), [
    "finish",
    "paging",
  ]);
});

Deno.test("syncRelay() extracts relay hints from what is new", async () => {
  const list = factory.sign({
    kind: 10_002,
    tags: [["r", "wss://relay.example.com"], ["r", "wss://other.example.org"]],
  });
  await using archive = await testArchive();
  await using relay = await testRelay({ events: [list, ...makeEvents(30)] });
  await syncOnce({ archive, relay: relay.relay });
  const rows = await archive
    .sql`select url, source from candidate order by url`;
  assert.deepEqual(rows.map((row) => row["url"]), [
    "wss://other.example.org",
    "wss://relay.example.com",
  ]);
});

Deno.test("syncRelay() leaves a gap where an event is too large, and goes on below it", async () => {
  const large = factory.sign({
    createdAt: FIRST + 3_000,
    content: "x".repeat(100_000),
  });
  const events = [...makeEvents(200), large];
  await using archive = await testArchive();
  await using relay = await testRelay({ events });
  const config = { requests: { maxEventBytes: 50_000 } };
  const result = await syncOnce({ archive, relay: relay.relay, config });
  assert.equal(result.stored, 200);
  assert.ok(result.rejected["too-large"]! > 0);
  assert.equal(result.complete, false);
  assert.deepEqual(result.gaps, [
    { since: FIRST + 3_000, until: FIRST + 3_000, reason: "too-large" },
  ]);
  await assertTruthful(archive, { relay: relay.relay, events });
});

Deno.test("syncRelay() answers who it is when it has a key", async () => {
  const events = makeEvents(50);
  await using archive = await testArchive();
  await using folder = await temporaryDirectory();
  await using relay = await testRelay({ events, authRequired: "req" });
  const secretKeyFile = join(folder.path, "key");
  await Deno.writeTextFile(secretKeyFile, `${"01".repeat(32)}\n`);
  const config = { keys: { secretKeyFile } };
  const result = await syncOnce({ archive, relay: relay.relay, config });
  assert.deepEqual([result.stored, result.complete], [50, true]);
  // One for each connection: the audit takes another.
  assert.equal(relay.count("AUTH"), 2);
});
