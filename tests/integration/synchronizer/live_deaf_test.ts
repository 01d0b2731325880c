import assert from "node:assert/strict";
import { storeBatch } from "../../../src/archive/events.ts";
import { filterHash } from "../../../src/models/filter.ts";
import { relayGaps } from "../../support/archive_reads.ts";
import { type TestArchive, testArchive } from "../../support/archive.ts";
import { eventFactory } from "../../support/event_factory.ts";
import {
  archived,
  endsOf,
  isLive,
  liveEdge,
  liveProofs,
  liveRelays,
  startLive,
  unixNow,
} from "../../support/live.ts";
import { assertTruthful, idOf, syncOnce } from "../../support/sync.ts";
import { syncBatch } from "../../support/sync_batch.ts";
import { type TestRelay, testRelay } from "../../support/test_relay.ts";
import type { TestReq } from "../../support/test_relay_script.ts";
import { until } from "../../support/until.ts";

const factory = eventFactory("live deaf");
const STORED = Array.from({ length: 50 }, () => factory.sign());

Deno.test("a relay that takes a subscription, answers pings and sends nothing is found out, and no process is live with it for a good while", async () => {
  await using archive = await testArchive();
  let subscriptions = 0;
  await using relay = await testRelay({
    events: STORED,
    onReq: (req) => {
      if (isLive(req)) subscriptions += 1;
      return deaf(req);
    },
  });
  await idOf(archive, relay.relay);
  const secrets = await (async () => {
    await using service = startLive(archive, { recheckSeconds: 12 });
    const secrets = await keepSecrets(archive, relay, 20);
    await archived(archive, secrets);
    await until(
      "it is found out",
      async () =>
        await service.metric("sync_live_withholding_total", CLEARNET) === 1,
    );
    assert.equal(await endsOf(service, "recheck"), 1);
    assert.equal(await service.metric("sync_live_missed_total", CLEARNET), 20);
    const [line] = service.log.filter(({ message }) =>
      message === "relay withheld events while live"
    );
    assert.deepEqual([line?.["came"], line?.["missed"]], [0, 20]);
    await syncedAgain(relay, 3);
    await service.stop();
    return secrets;
  })();
  assert.equal(subscriptions, 1);
  await using _another = startLive(archive);
  await syncedAgain(relay, 3);
  assert.equal(subscriptions, 1, "nor after a restart");
  assert.deepEqual(await liveProofs(archive, relay.relay), []);
  const events = [...STORED, ...secrets];
  const truth = { relay: relay.relay, events };
  assert.equal(await assertTruthful(archive, truth), events.length);
});

Deno.test("a relay that has sent more than it kept to itself is live again", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay({ events: STORED });
  await idOf(archive, relay.relay);
  await using service = startLive(archive, { recheckSeconds: 10 });
  await isClaiming(archive, relay);
  const sent = Array.from({ length: 20 }, eventOfNow);
  relay.add(sent);
  await archived(archive, sent);
  const secrets = await keepSecrets(archive, relay, 12);
  await archived(archive, secrets);
  await until(
    "they are counted",
    async () => await service.metric("sync_live_missed_total", CLEARNET) === 12,
  );
  await liveRelays(service, 1);
  assert.equal(
    await service.metric("sync_live_withholding_total", CLEARNET),
    0,
  );
});

Deno.test("all that was claimed live is looked at again, also what the lookback does not reach", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay({ events: STORED, onReq: deaf });
  await idOf(archive, relay.relay);
  await using _service = startLive(archive, { recheckSeconds: 8 }, {
    lookbackSeconds: 1,
  });
  const secrets = await keepSecrets(archive, relay, 2);
  await until(
    "more than the lookback is claimed above it",
    async () =>
      await liveEdge(archive, relay.relay) > secrets[0]!.created_at + 3,
  );
  await archived(archive, secrets);
  const events = [...STORED, ...secrets];
  await assertTruthful(archive, { relay: relay.relay, events });
});

Deno.test("what was claimed live and cannot be proven again is not claimed beyond the lookback", async () => {
  await using archive = await testArchive();
  const second = unixNow() - 1_000;
  const crowd = Array.from(
    { length: 20 },
    () => factory.sign({ createdAt: second }),
  );
  const events = [...STORED, ...crowd];
  await using relay = await testRelay({ events, maxLimit: 10 });
  await claimLive(archive, relay, { since: second - 10, until: second + 10 });
  const config = { lookbackSeconds: 60 };
  const sync = () => syncOnce({ archive, relay: relay.relay, config });
  await sync();
  assert.deepEqual(await liveProofs(archive, relay.relay), []);
  await assertTruthful(archive, { relay: relay.relay, events });
  await sync();
  const relayId = await idOf(archive, relay.relay);
  const gaps = await relayGaps(archive.database, relayId, filterHash({}));
  assert.deepEqual(
    gaps.map(({ since, until, reason }) => ({ since, until, reason })),
    [{ since: second, until: second, reason: "saturated" }],
  );
});

const CLEARNET = { network: "clearnet" };

function deaf(req: TestReq): void | Promise<void> {
  return isLive(req) ? req.eose() : req.serve();
}

function isClaiming(archive: TestArchive, { relay }: TestRelay) {
  return until(
    "it is live and claims",
    async () => await liveEdge(archive, relay) > 0,
  );
}

/** Gives a live relay events that it does not send, and waits until their time is claimed nevertheless. */
async function keepSecrets(
  archive: TestArchive,
  relay: TestRelay,
  count: number,
) {
  await isClaiming(archive, relay);
  const secrets = Array.from({ length: count }, eventOfNow);
  relay.addSilently(secrets);
  const last = secrets.at(-1)!.created_at;
  await until(
    "what it did not send is claimed",
    async () => await liveEdge(archive, relay.relay) > last,
  );
  return secrets;
}

/** Waits until the relay was connected to so many times more. */
async function syncedAgain(relay: TestRelay, times: number): Promise<void> {
  await relay.requested(relay.requests.length + times);
}

async function claimLive(
  archive: TestArchive,
  { relay }: TestRelay,
  window: { readonly since: number; readonly until: number },
): Promise<void> {
  const relayId = await idOf(archive, relay);
  const claim = { filter: {}, filterHash: filterHash({}), ...window };
  const coverage = [{ ...claim, method: "live", strength: "weak" }] as const;
  await storeBatch(archive.database, syncBatch(relayId, [], { coverage }));
}

function eventOfNow() {
  return factory.sign({ createdAt: unixNow() });
}
