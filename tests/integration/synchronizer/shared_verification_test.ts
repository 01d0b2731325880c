import assert from "node:assert/strict";
import type { NostrEvent } from "../../../src/models/event.ts";
import { parseRelayUrl, type RelayUrl } from "../../../src/models/relay_url.ts";
import type { SyncPool } from "../../../src/workers/host/worker_pool.ts";
import { type TestArchive, testArchive } from "../../support/archive.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { faultyPool } from "../../support/faulty_pool.ts";
import { assertTruthful, syncWith } from "../../support/sync.ts";
import { testRelay } from "../../support/test_relay.ts";

const factory = eventFactory("shared verification");
/** Every hundredth is signed by somebody else. */
const FORGED_EVERY = 100;
const EVENTS: readonly NostrEvent[] = Array.from(
  { length: 4_000 },
  (_, i) => factory.sign({ createdAt: 1_700_000_000 + i, author: i % 7 }),
);
const OFFERED = EVENTS.map((event, i) =>
  i % FORGED_EVERY === 0 ? { ...event, sig: EVENTS[i + 1]!.sig } : event
);
const VALID = EVENTS.filter((_, i) => i % FORGED_EVERY !== 0);

Deno.test("a session that is alone has an idle thread verify with it, and no forged event is archived", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay({ events: OFFERED, maxLimit: 500 });
  await using pool = await poolOf("helping_worker.ts");
  using helper = countHelp();
  await startBoth(pool, archive);
  const result = await syncWith(pool, { archive, relay: relay.relay });
  assert.ok(result.complete);
  assert.deepEqual(result.rejected, {
    signature: EVENTS.length / FORGED_EVERY,
  });
  assert.equal(await archive.count("event"), VALID.length);
  await assertTruthful(archive, { relay: relay.relay, events: VALID });
  assert.ok(helper.signatures > 500, `it verified ${helper.signatures}`);
});

Deno.test("a thread with a session of its own is not given the signatures of another", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay({ events: OFFERED, maxLimit: 500 });
  const gate = Promise.withResolvers<void>();
  await using slow = await testRelay({
    events: [],
    onReq: (req) => gate.promise.then(() => req.serve()),
  });
  await using pool = await poolOf("helping_worker.ts");
  using helper = countHelp();
  await startBoth(pool, archive);
  const waiting = syncWith(pool, { archive, relay: slow.relay });
  const result = await syncWith(pool, { archive, relay: relay.relay });
  gate.resolve();
  assert.equal((await waiting).failure, null);
  assert.ok(result.complete);
  assert.equal(await archive.count("event"), VALID.length);
  assert.equal(helper.signatures, 0);
});

Deno.test("a thread that dies of verifying for another costs the session nothing", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay({ events: OFFERED, maxLimit: 500 });
  const losses: string[] = [];
  await using pool = await poolOf("dying_helper.ts", losses);
  await startBoth(pool, archive);
  const result = await syncWith(pool, { archive, relay: relay.relay });
  assert.ok(losses.length > 0);
  assert.ok(result.complete);
  assert.equal(await archive.count("event"), VALID.length);
  await assertTruthful(archive, { relay: relay.relay, events: VALID });
});

function poolOf(worker: string, losses: string[] = []): Promise<SyncPool> {
  const entry = new URL(`../../support/${worker}`, import.meta.url);
  return faultyPool(losses, entry);
}

/** Two sessions at once have the pool start both its threads. */
async function startBoth(pool: SyncPool, archive: TestArchive): Promise<void> {
  await using relay = await testRelay({ events: [] });
  const results = await Promise.all(
    ["/a", "/b"].map((path) =>
      syncWith(pool, { archive, relay: withPath(relay.relay, path) })
    ),
  );
  assert.ok(results.every(({ failure }) => failure === null));
}

function withPath({ url }: RelayUrl, path: string): RelayUrl {
  const parsed = parseRelayUrl(`${url}${path}`, { allowPrivate: true });
  assert.ok(parsed.ok);
  return parsed.value;
}

/** Counts what threads verify for others. */
function countHelp() {
  const channel = new BroadcastChannel("helping-worker");
  const help = {
    signatures: 0,
    [Symbol.dispose]: () => channel.close(),
  };
  channel.onmessage = ({ data }) => help.signatures += data;
  return help;
}
