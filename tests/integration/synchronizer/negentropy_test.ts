/**
 * Syncing by NIP-77, on real relays, workers and databases.
 *
 * @module
 */
import assert from "node:assert/strict";
import { insertEvents } from "../../../src/archive/events.ts";
import { relayProofs } from "../../../src/archive/sync/sync_coverage.ts";
import { encodeEvents } from "../../../src/models/encoded_events.ts";
import type { NostrEvent } from "../../../src/models/event.ts";
import { filterHash } from "../../../src/models/filter.ts";
import {
  recallRelay,
  rememberRelay,
} from "../../../src/services/synchronizer/relay_memory.ts";
import type { RelaySync } from "../../../src/services/synchronizer/sync_relay.ts";
import { type TestArchive, testArchive } from "../../support/archive.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { assertTruthful, idOf, syncOnce } from "../../support/sync.ts";
import { type TestRelay, testRelay } from "../../support/test_relay.ts";
import type { RelayScript } from "../../support/test_relay_script.ts";

const factory = eventFactory("negentropy");
const FIRST = 1_700_000_000;
const EVENTS: readonly NostrEvent[] = Array.from(
  { length: 600 },
  (_, i) =>
    factory.sign({
      createdAt: FIRST + (i >> 1) * 60,
      kind: i % 3,
      author: i % 7,
    }),
);

/** Everything is looked at again. */
const AGAIN = { lookbackSeconds: 31_536_000 };
const RECENT = Math.floor(Date.now() / 1_000) - 3_600;

/** What the questions about claims may cost: one, or nine where the one of the sync before confirmed nothing. */
const AUDIT = { received: 480, requests: 12 };

function summary({ stored, complete, method }: RelaySync) {
  return { stored, complete, method };
}

function negOpens(relay: TestRelay): number {
  return relay.count("NEG-OPEN");
}

/** Syncs a relay of this script into a new archive, and holds the result against the truth. */
async function syncScript(
  script: RelayScript,
  { truth = script.events ?? [], config = {} }: {
    truth?: readonly NostrEvent[];
    config?: Record<string, unknown>;
  } = {},
): Promise<RelaySync & { sighted: number; opens: number }> {
  await using archive = await testArchive();
  await using relay = await testRelay(script);
  const result = await syncOnce({ archive, relay: relay.relay, config });
  const sighted = await assertTruthful(archive, {
    relay: relay.relay,
    events: truth,
  });
  return { ...result, sighted, opens: negOpens(relay) };
}

for (const by of ["ours", "nostr-tools"] as const) {
  Deno.test(`syncRelay() gets everything by NIP-77, beside a few pages, and proves it: ${by}`, async () => {
    await using archive = await testArchive();
    await using relay = await testRelay({
      events: EVENTS,
      maxLimit: 100,
      negentropy: { by, frameBytes: 4_096 },
    });
    const result = await syncOnce({ archive, relay: relay.relay });
    assert.deepEqual(summary(result), {
      stored: 600,
      complete: true,
      method: "negentropy",
    });
    // What was paged before the relay answered is not fetched by its id.
    assert.ok(
      result.received <= 600 + AUDIT.received,
      `${result.received} received`,
    );
    const truth = { relay: relay.relay, events: EVENTS };
    assert.equal(await assertTruthful(archive, truth), 600);
    const relayId = await idOf(archive, relay.relay);
    const proofs = await relayProofs(archive.database, relayId, filterHash({}));
    assert.deepEqual(proofs.map(({ method }) => method), ["negentropy"]);
  });
}

Deno.test("a second sync receives answers to the audit only, and compares once", async () => {
  const events = EVENTS.map((_, i) => factory.sign({ createdAt: RECENT + i }));
  await using archive = await testArchive();
  await using relay = await testRelay({ events, negentropy: {} });
  await syncOnce({ archive, relay: relay.relay });
  const opened = negOpens(relay);
  const asked = relay.count("REQ");
  const result = await syncOnce({ archive, relay: relay.relay });
  assert.deepEqual(summary(result), {
    stored: 0,
    complete: true,
    method: "negentropy",
  });
  const { received } = result;
  assert.ok(received <= AUDIT.received, `${received} received`);
  assert.equal(negOpens(relay), opened + 1);
  assert.ok(relay.count("REQ") <= asked + AUDIT.requests);
});

Deno.test("events that are archived already become sightings, of a relay that is known to list them without being received", async () => {
  await using archive = await testArchive();
  await insertEvents(archive.database, encodeEvents(EVENTS.slice(0, 550)));
  await using relay = await testRelay({ events: EVENTS, negentropy: {} });
  await rememberSupport(archive, relay);
  const result = await syncOnce({ archive, relay: relay.relay });
  assert.deepEqual(summary(result), {
    stored: 50,
    complete: true,
    method: "negentropy",
  });
  assert.ok(
    result.received <= 50 + AUDIT.received,
    `${result.received} received`,
  );
  const truth = { relay: relay.relay, events: EVENTS };
  assert.equal(await assertTruthful(archive, truth), 600);
});

Deno.test("five thousand events that share a second are all obtained behind a cap of 500", async () => {
  const events = Array.from(
    { length: 5_000 },
    (_, i) => factory.sign({ createdAt: FIRST, kind: 1, author: i % 3 }),
  );
  const result = await syncScript({ events, maxLimit: 500, negentropy: {} });
  assert.deepEqual(
    [result.sighted, result.complete, result.method],
    [5_000, true, "negentropy"],
  );
  // A few pages of that second came before the relay answered.
  assert.ok(result.received <= 7_500, `${result.received} received`);
});

Deno.test("a relay that compares few records at once is asked for less time", async () => {
  const result = await syncScript({
    events: EVENTS,
    negentropy: { maxRecords: 100 },
  });
  assert.deepEqual(
    [result.sighted, result.complete, result.method],
    [600, true, "negentropy"],
  );
  // Paged until the first comparison has come to an answer; then where windows are cut depends on the clock.
  const { received } = result;
  assert.ok(received <= 900 + AUDIT.received, `${received} events received`);
  assert.ok(result.opens < 60, `${result.opens} comparisons`);
});

Deno.test("a second that holds more than the relay compares at once is left to paging", async () => {
  const crowd = Array.from(
    { length: 30 },
    () => factory.sign({ createdAt: FIRST + 500 }),
  );
  const result = await syncScript({
    events: [...EVENTS.slice(0, 100), ...crowd],
    negentropy: { maxRecords: 20 },
  });
  assert.deepEqual([result.sighted, result.complete], [130, true]);
});

Deno.test("filters are compared by themselves", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay({ events: EVENTS, negentropy: {} });
  const config = {
    filters: [{ kinds: [0] }, { authors: [factory.pubkey(3)] }],
    ...AGAIN,
  };
  const first = await syncOnce({ archive, relay: relay.relay, config });
  const wanted = EVENTS.filter(({ kind, pubkey }) =>
    kind === 0 || pubkey === factory.pubkey(3)
  );
  assert.deepEqual([first.stored, first.complete], [wanted.length, true]);
  const second = await syncOnce({ archive, relay: relay.relay, config });
  assert.deepEqual([second.stored, second.complete], [0, true]);
  assert.ok(second.received <= AUDIT.received, `${second.received} received`);
});

Deno.test("what a relay lists but does not give is remembered, and not asked for again", async () => {
  const events = EVENTS.map((_, i) =>
    factory.sign({ createdAt: RECENT + i * 3, kind: i % 50 === 7 ? 4 : 1 })
  );
  await using archive = await testArchive();
  await using relay = await testRelay({
    events,
    withheldKinds: [4],
    maxLimit: 200,
    negentropy: {},
  });
  const first = await syncOnce({ archive, relay: relay.relay });
  assert.deepEqual([first.stored, first.complete], [588, false]);
  assert.equal(await archive.count("relay_listing"), 12);
  // One second each: they are nobody's, and shown as such.
  assert.deepEqual(
    first.gaps.map(({ since, until, reason }) => [since, until, reason]),
    events.filter(({ kind }) => kind === 4)
      .map(({ created_at: at }) => [at, at, "withheld"]),
  );
  const asked = relay.count("REQ");
  const opened = negOpens(relay);
  const logged = relay.log.length;
  const hidden = events.filter(({ kind }) => kind === 4).map(({ id }) => id);
  const second = await syncOnce({ archive, relay: relay.relay });
  assert.deepEqual([second.stored, second.complete], [0, false]);
  assert.ok(second.received <= AUDIT.received, `${second.received}`);
  const asksForThem = relay.log.slice(logged).some(({ message }) =>
    hidden.some((id) => JSON.stringify(message).includes(id))
  );
  assert.ok(!asksForThem);
  assert.ok(relay.count("REQ") <= asked + AUDIT.requests);
  assert.equal(negOpens(relay), opened + 1);

  await archive.sql`update relay_listing set noted_at = noted_at - 604801`;
  await syncOnce({ archive, relay: relay.relay });
  const isAskedFor = relay.log.slice(logged).some(({ message }) =>
    JSON.stringify(message).includes(hidden[0]!)
  );
  assert.ok(isAskedFor, "after a week they are asked for");
});

Deno.test("what a relay has deleted is no difference the next time, and is one again when it is back", async () => {
  const events = EVENTS.slice(0, 200).map((_, i) =>
    factory.sign({ createdAt: RECENT + i * 3 })
  );
  await using archive = await testArchive();
  const relayWith = (held: readonly NostrEvent[]) =>
    testRelay({ events: held, negentropy: {} });
  const sync = async (held: readonly NostrEvent[]) => {
    // The same relay with other events: it keeps its name in the archive.
    await using relay = await relayWith(held);
    await renameRelay(archive, relay.url);
    const result = await syncOnce({ archive, relay: relay.relay });
    return { ...result, messages: relay.count("NEG-MSG") };
  };
  await sync(events);
  await sync(events.slice(10));
  assert.equal(await archive.count("relay_listing where state = 'gone'"), 10);
  const third = await sync(events.slice(10));
  assert.deepEqual([third.messages, third.stored], [0, 0]);
  // No answer shows all that was known, so more is asked about.
  assert.ok(third.received <= AUDIT.received, `${third.received} received`);
  const fourth = await sync(events);
  assert.deepEqual([fourth.stored, fourth.complete], [0, true]);
  assert.ok(fourth.received <= AUDIT.received, `${fourth.received} received`);
  assert.equal(await archive.count("relay_listing"), 0);
});

/** As if an earlier sync had found out that the relay understands NIP-77. */
async function rememberSupport(
  { database }: TestArchive,
  { url }: TestRelay,
): Promise<void> {
  const before = await recallRelay(database, url, { now: 0, retestSeconds: 0 });
  await rememberRelay(database, url, {
    before,
    after: {
      ...before,
      negentropy: { ...before.negentropy, support: "supported" },
    },
  });
}

async function renameRelay(archive: TestArchive, url: string): Promise<void> {
  await archive.sql`update relay set url = ${url}`;
}

Deno.test("a relay that does not know NIP-77 is asked once, and again after a week", async () => {
  const events = EVENTS.map((_, i) => factory.sign({ createdAt: RECENT + i }));
  await using archive = await testArchive();
  await using relay = await testRelay({ events });
  const sync = () => syncOnce({ archive, relay: relay.relay });
  await sync();
  await sync();
  assert.equal(negOpens(relay), 1);
  await archive.sql`update service_state set state_value = jsonb_set(
    state_value, '{negentropy,unsupportedAt}', to_jsonb(unix_now() - 604801))`;
  await sync();
  assert.equal(negOpens(relay), 2);
});

Deno.test("a relay that answers nothing at all is not said to not know NIP-77", async () => {
  await using archive = await testArchive();
  const silent: RelayScript = {
    onReq: () => {},
    negentropy: { onMessage: () => {} },
  };
  await using relay = await testRelay(silent);
  const config = { requests: { idleTimeoutMs: 200 } };
  await syncOnce({ archive, relay: relay.relay, config });
  assert.equal(await archive.count("service_state"), 0);
});

Deno.test("syncRelay() does not ask by NIP-77 where it is switched off", async () => {
  const result = await syncScript(
    { events: EVENTS, negentropy: {} },
    { config: { negentropy: { enabled: false } } },
  );
  assert.deepEqual([result.opens, result.method], [0, "paging"]);
});
