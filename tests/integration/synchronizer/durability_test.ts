import assert from "node:assert/strict";
import type { NostrEvent } from "../../../src/models/event.ts";
import { parseRelayUrl, type RelayUrl } from "../../../src/models/relay_url.ts";
import { type TestArchive, testArchive } from "../../support/archive.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { faultyPool } from "../../support/faulty_pool.ts";
import { assertTruthful, syncOnce, syncWith } from "../../support/sync.ts";
import { type TestRelay, testRelay } from "../../support/test_relay.ts";

const factory = eventFactory("durability");
const FIRST = 1_700_000_000;
const EVENTS: readonly NostrEvent[] = Array.from(
  { length: 1_000 },
  (_, i) => factory.sign({ createdAt: FIRST + i * 10, author: i % 5 }),
);

for (const fault of ["crash", "hang"]) {
  Deno.test(`a worker that a ${fault} takes away is replaced, its relays go on from coverage, the others never notice`, async () => {
    await using archive = await testArchive();
    await using troubled = await slowRelay();
    await using calm = await slowRelay();
    const losses: string[] = [];
    await using pool = await faultyPool(losses);
    const [other, result] = await Promise.all([
      syncWith(pool, { archive, relay: calm.relay, config: SLOW }),
      syncWith(pool, {
        archive,
        relay: withPath(troubled.relay, `/${fault}`),
        config: SLOW,
      }),
    ]);
    assert.equal(losses.length, 1, losses.join());
    assert.deepEqual([other.complete, result.complete], [true, true]);
    const relay = withPath(troubled.relay, `/${fault}`);
    const sighted = await assertTruthful(archive, { relay, events: EVENTS });
    assert.equal(sighted, EVENTS.length);
    assert.ok(
      result.requests < 2 * other.requests,
      "what was archived before the loss is not asked for again",
    );
  });
}

Deno.test("syncRelay() gives up a relay that takes down every worker it gets", async () => {
  await using archive = await testArchive();
  await using relay = await slowRelay();
  const entry = new URL("../../support/deadly_worker.ts", import.meta.url);
  const losses: string[] = [];
  await using pool = await faultyPool(losses, entry);
  const result = await syncWith(pool, { archive, relay: relay.relay });
  assert.equal(result.failure?.code, "protocol");
  assert.equal(losses.length, 3);
});

Deno.test("backends that are terminated in mid-batch cost nothing but time", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay({ events: EVENTS, maxLimit: 50 });
  let killed = 0;
  let killing = Promise.resolve();
  const result = await syncOnce({
    archive,
    relay: relay.relay,
    config: { batchSize: 100 },
    onProgress: () => {
      if (killed === 5) return;
      killed++;
      killing = killing.then(() => terminateBackends(archive));
    },
  });
  await killing;
  assert.equal(killed, 5);
  assert.equal(result.complete, true);
  const truth = { relay: relay.relay, events: EVENTS };
  assert.equal(await assertTruthful(archive, truth), EVENTS.length);
});

Deno.test("an event that the database refuses is quarantined, and the rest of its batch stored", async () => {
  await using archive = await testArchive();
  const poison = factory.sign({ createdAt: FIRST + 555, content: "poison" });
  await archive.sql`
    alter table event add constraint no_poison check (content <> 'poison')`;
  const events = [...EVENTS.slice(0, 300), poison];
  await using relay = await testRelay({ events });
  const result = await syncOnce({ archive, relay: relay.relay });
  assert.equal(result.stored, 300);
  assert.deepEqual(result.rejected, { database: 1 });
  assert.equal(result.complete, true);
  const rows = await archive.sql`
    select reason, detail, encode(event_id, 'hex') as id from rejected_event`;
  assert.deepEqual(rows.map((row) => [row["reason"], row["id"]]), [
    ["database", poison.id],
  ]);
  assert.match(rows[0]!["detail"], /no_poison/);
});

Deno.test("syncRelay() throws when the database is of no use, and claims nothing", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay({ events: EVENTS });
  await archive.sql`alter table sighting_page rename to elsewhere`;
  await assert.rejects(syncOnce({ archive, relay: relay.relay }));
  assert.equal(await archive.count("sync_coverage"), 0);
});

Deno.test("a sync that is stopped hands in what it has, and the next one goes on from there", async () => {
  await using archive = await testArchive();
  await using relay = await slowRelay();
  const stop = new AbortController();
  const first = await syncOnce({
    archive,
    relay: relay.relay,
    signal: stop.signal,
    config: SLOW,
    onProgress: ({ stored }) => stored >= 200 && stop.abort(),
  });
  assert.equal(first.complete, false);
  const truth = { relay: relay.relay, events: EVENTS };
  const kept = await assertTruthful(archive, truth);
  assert.equal(kept, first.stored);
  const second = await syncOnce({ archive, relay: relay.relay });
  assert.equal(second.complete, true);
  assert.equal(first.stored + second.stored, EVENTS.length);
  const walked = second.received - second.audit.asked * 50;
  assert.ok(walked < EVENTS.length, "not from the beginning");
});

Deno.test("two syncs of one relay at once do each other no harm", async () => {
  await using archive = await testArchive();
  const burst = Array.from(
    { length: 60 },
    () => factory.sign({ createdAt: FIRST + 4_000 }),
  );
  const events = [...EVENTS.slice(0, 600), ...burst];
  await using relay = await testRelay({ events, maxLimit: 50 });
  const run = () =>
    syncOnce({ archive, relay: relay.relay, config: { batchSize: 100 } });
  const results = await Promise.all([run(), run(), run()]);
  for (const { gaps } of results) {
    assert.deepEqual(gaps.map(({ reason }) => reason), ["saturated"]);
  }
  await assertTruthful(archive, { relay: relay.relay, events });
  const stored = results.reduce((sum, result) => sum + result.stored, 0);
  assert.equal(stored, await archive.count("event"));
});

/** Batches as small as may be, so that there is much to lose. */
const SLOW = { batchSize: 100, requests: { limit: 50 } };

/** Takes about a second for everything. */
function slowRelay(): Promise<TestRelay> {
  return testRelay({
    events: EVENTS,
    maxLimit: 50,
    onReq: async (req) => {
      await new Promise((resolve) => setTimeout(resolve, 40));
      await req.serve();
    },
  });
}

function withPath(relay: RelayUrl, path: string): RelayUrl {
  // Two names of one address, so that the two relays get a worker each.
  const url = relay.url.replace("127.0.0.1", "localhost") + path;
  const parsed = parseRelayUrl(url, { allowPrivate: true });
  assert.ok(parsed.ok);
  return parsed.value;
}

/** All that work for the pool under test, as an administrator would. */
async function terminateBackends({ sql }: TestArchive): Promise<void> {
  await sql`select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and application_name like 'bigbrotr%'`;
}
