import assert from "node:assert/strict";
import { parseRelayUrl, type RelayUrl } from "../../../src/models/relay_url.ts";
import { synchronizerConfig } from "../../../src/services/synchronizer/config/config.ts";
import { createDialer } from "../../../src/transport/dialer.ts";
import { limiterOf, Politeness } from "../../../src/transport/politeness.ts";
import {
  openSyncPool,
  type SyncPool,
} from "../../../src/workers/host/worker_pool.ts";
import { testArchive } from "../../support/archive.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { syncWith } from "../../support/sync.ts";
import { type TestRelay, testRelay } from "../../support/test_relay.ts";

const factory = eventFactory("politeness");
const EVENTS = Array.from(
  { length: 20 },
  (_, i) => factory.sign({ createdAt: 1_700_000_000 + i }),
);
const { networks } = synchronizerConfig.parse({});
const DIALS = {
  networks,
  allowPrivate: true,
  allowInsecureTls: false,
  userAgent: "test",
};

Deno.test("no more than two sockets are open to one address, whatever threads its relays are in", async () => {
  await using archive = await testArchive();
  await using relay = await slowRelay();
  await using pool = await poolWith(
    new Politeness({}),
    "src/workers/worker/entry.ts",
  );
  const results = await Promise.all(
    namesOf(relay, ["/a", "/b", "/c", "/d"]).map((url) =>
      syncWith(pool, { archive, relay: url })
    ),
  );
  assert.equal(results.length, 8);
  assert(results.every(({ complete }) => complete));
  assert.equal(relay.peak, 2);
});

Deno.test("the threads share their slots with the other services of the process", async () => {
  await using archive = await testArchive();
  await using relay = await slowRelay();
  const politeness = new Politeness({ maxSocketsPerAddress: 1 });
  const dialer = createDialer({ ...DIALS, politeness });
  const { signal } = new AbortController();
  const elsewhere = await dialer.open(relay.relay, { signal });
  assert(elsewhere.ok);
  await using pool = await poolWith(politeness, "src/workers/worker/entry.ts");
  const syncing = syncWith(pool, { archive, relay: relay.relay });
  const stopped = new AbortController();
  const waiting = syncWith(pool, {
    archive,
    relay: namesOf(relay, ["/stopped"])[0]!,
    signal: stopped.signal,
  });
  stopped.abort();
  assert.equal((await waiting).failure?.code, "aborted");
  assert.equal(relay.peak, 1);
  await elsewhere.value.close();
  assert.equal((await syncing).complete, true);
  assert.equal(relay.peak, 1);
});

Deno.test("the slots of a worker that is lost are free again", async () => {
  await using archive = await testArchive();
  await using relay = await slowRelay();
  await using pool = await poolWith(
    new Politeness({ maxSocketsPerAddress: 1 }),
    "tests/support/faulty_worker.ts",
  );
  const urls = namesOf(relay, ["/crash", "/a"]);
  const results = await Promise.all(
    urls.map((url) => syncWith(pool, { archive, relay: url })),
  );
  assert.deepEqual(results.map(({ failure }) => failure), urls.map(() => null));
  assert(results.every(({ complete }) => complete));
  assert.equal(relay.peak, 1);
});

Deno.test("connections of all threads come out of one budget", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay({ events: EVENTS });
  const politeness = new Politeness({ maxNewConnectionsPerMinute: 60 });
  const spent = Array.from({ length: 9 }, () => politeness.rate.take(1));
  assert.deepEqual(new Set(spent), new Set([0]));
  await using pool = await poolWith(politeness, "src/workers/worker/entry.ts");
  const startedAt = performance.now();
  await Promise.all(
    namesOf(relay, ["/a"]).map((url) =>
      syncWith(pool, { archive, relay: url })
    ),
  );
  // One of the two had a token, the other had to wait for the next: 50 a minute, after 10 at once.
  assert(performance.now() - startedAt > 1_000);
});

/** Three threads, which are lost after a second of silence. */
function poolWith(politeness: Politeness, entry: string): Promise<SyncPool> {
  return openSyncPool({
    workers: 3,
    maxBatches: 4,
    hangTimeoutMs: 1_000,
    verifier: {},
    limiter: limiterOf(politeness),
    entry: new URL(`../../../${entry}`, import.meta.url),
    worker: { ...DIALS, authKey: null, optOut: [] },
    onLost: () => {},
  });
}

/** A relay that takes so long for a page that all that may are connected at once. */
function slowRelay(): Promise<TestRelay> {
  return testRelay({
    events: EVENTS,
    onReq: async (req) => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      await req.serve();
    },
  });
}

/** URLs of one address: two names, and these paths. */
function namesOf({ port }: TestRelay, paths: readonly string[]): RelayUrl[] {
  return ["127.0.0.1", "localhost"].flatMap((host) =>
    paths.map((path) => {
      const url = `ws://${host}:${port}${path}`;
      const parsed = parseRelayUrl(url, { allowPrivate: true });
      assert(parsed.ok);
      return parsed.value;
    })
  );
}
