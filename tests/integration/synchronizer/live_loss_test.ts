import assert from "node:assert/strict";
import { join } from "node:path";
import type { RelayUrl } from "../../../src/models/relay_url.ts";
import { type TestArchive, testArchive } from "../../support/archive.ts";
import { cuttableLine } from "../../support/cuttable_line.ts";
import { relayAt } from "../../support/dialing.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { faultyPool } from "../../support/faulty_pool.ts";
import {
  archived,
  endsOf,
  isCovered,
  liveConfig,
  liveEdge,
  liveRelays,
  startLive,
  unixNow,
} from "../../support/live.ts";
import { SOURCE, startProgram } from "../../support/program.ts";
import { assertTruthful, idOf, syncWith } from "../../support/sync.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";
import { testRelay } from "../../support/test_relay.ts";
import { until } from "../../support/until.ts";

const factory = eventFactory("live loss");
const STORED = Array.from({ length: 50 }, () => factory.sign());

Deno.test("when the line of a live relay breaks, the next sync closes the hole, and it is live again", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay({ events: STORED });
  await idOf(archive, relay.relay);
  await using service = startLive(archive);
  await liveRelays(service, 1);
  const before = eventOfNow();
  relay.add([before]);
  await archived(archive, [before]);
  relay.cut();
  const missed = eventOfNow();
  relay.addSilently([missed]);
  await until(
    "the break is noticed",
    async () => await endsOf(service, "disconnected") === 1,
  );
  await archived(archive, [missed]);
  await liveRelays(service, 1);
  const after = eventOfNow();
  relay.add([after]);
  await archived(archive, [after]);
  await until(
    "the edge is above it",
    async () => await liveEdge(archive, relay.relay) > after.created_at,
  );
  for (let at = before.created_at; at <= after.created_at; at++) {
    assert.ok(await isCovered(archive, relay.relay, at), `${at} is covered`);
  }
  const events = [...STORED, before, missed, after];
  const truth = { relay: relay.relay, events };
  assert.equal(await assertTruthful(archive, truth), events.length);
});

Deno.test("nothing is claimed of the time in which a line was half open", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay({ events: STORED });
  await using line = cuttableLine(relay.port);
  const behind = relayAt(`ws://127.0.0.1:${line.port}`);
  await idOf(archive, behind);
  await using service = startLive(archive, {}, {
    requests: { idleTimeoutMs: 3_000 },
    networks: { clearnet: { timeoutMs: 3_000 } },
  });
  await until(
    "it is live and claims",
    async () => await liveEdge(archive, behind) > 0,
  );
  line.freeze();
  // What was under way may have come through in this second.
  const frozenAt = unixNow() + 1;
  const missed = factory.sign({ createdAt: frozenAt + 1 });
  relay.add([missed]);
  await until(
    "the silence is noticed",
    async () => await endsOf(service, "silent") === 1,
  );
  const edge = await liveEdge(archive, behind);
  assert.ok(edge <= frozenAt, `${edge} is claimed, frozen at ${frozenAt}`);
  assert.ok(!await isCovered(archive, behind, missed.created_at));
  line.mend();
  await archived(archive, [missed]);
  await until(
    "the hole is closed",
    () => isCovered(archive, behind, missed.created_at),
  );
  const events = [...STORED, missed];
  assert.equal(
    await assertTruthful(archive, { relay: behind, events }),
    events.length,
  );
});

for (const [what, path] of [["dies", "/crash"], ["hangs", "/hang"]]) {
  Deno.test(`a worker that ${what} ends its live sessions, and no others`, async () => {
    await using archive = await testArchive();
    await using doomed = await testRelay({ events: STORED });
    await using calm = await testRelay({ events: STORED });
    const entry = new URL("../../support/mortal_worker.ts", import.meta.url);
    const losses: string[] = [];
    await using pool = await faultyPool(losses, entry);
    const stop = new AbortController();
    const bothLive = [
      Promise.withResolvers<void>(),
      Promise.withResolvers<void>(),
    ];
    const go = (relay: RelayUrl, i: number) =>
      syncWith(pool, {
        archive,
        relay,
        signal: stop.signal,
        live: {
          policy: {
            settlingSeconds: 1,
            proveEveryMs: 500,
            endAfterMs: 3_600_000,
          },
          accepts: ({ complete }) => {
            assert.ok(complete);
            bothLive[i]?.resolve();
            return true;
          },
        },
      });
    const calmly = go(calm.relay, 0);
    await bothLive[0]?.promise;
    const lost = await go(relayAt(`${doomed.url}${path}`), 1);
    assert.deepEqual([lost.live?.reason, lost.failure], ["lost", null]);
    assert.equal(losses.length, 1);
    const fresh = eventOfNow();
    calm.add([fresh]);
    await archived(archive, [fresh]);
    stop.abort();
    const { live } = await calmly;
    assert.equal(live?.reason, "stopped");
    assert.ok(live.events >= 1);
  });
}

Deno.test("when the database ends all connections, live relays stay live, and nothing is lost", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay({ events: STORED });
  await idOf(archive, relay.relay);
  await using service = startLive(archive);
  await isClaiming(archive, relay.relay);
  const events = [...STORED];
  for (let round = 0; round < 5; round++) {
    const fresh = Array.from({ length: 20 }, eventOfNow);
    relay.add(fresh.slice(0, 10));
    const [cut] = await archive.sql<{ ended: number }[]>`
      select count(pg_terminate_backend(pid))::int as ended
      from pg_stat_activity
      where datname = current_database() and application_name like 'bigbrotr%'`;
    assert.ok(cut!.ended > 0, "there were connections");
    relay.add(fresh.slice(10));
    await archived(archive, fresh);
    events.push(...fresh);
  }
  const last = events.at(-1)!.created_at;
  await until(
    "the edge is above all of it",
    async () => await liveEdge(archive, relay.relay) > last,
  );
  const truth = { relay: relay.relay, events };
  assert.equal(await assertTruthful(archive, truth), events.length);
  const dialled = relay.requests.length;
  assert.ok(dialled <= 2, `${dialled} connections, one of them the audit's`);
  assert.equal(await endsOf(service, "failed"), 0);
});

Deno.test("a synchronizer that is killed while relays are live loses nothing and has claimed nothing it did not store", async () => {
  await using archive = await testArchive();
  await using folder = await temporaryDirectory();
  await using relay = await testRelay({ events: STORED });
  await idOf(archive, relay.relay);
  const config = join(folder.path, "synchronizer.yaml");
  await Deno.writeTextFile(config, JSON.stringify(liveConfig()));
  const start = () =>
    startProgram(SOURCE, [
      "synchronizer",
      "--config",
      config,
      "--database",
      archive.url,
    ], { cwd: folder.path });
  const events = [...STORED];
  {
    await using first = start();
    await Promise.race([isClaiming(archive, relay.relay), first.end()]);
    // Killed somewhere between the socket and the database.
    for (let i = 0; i < 300; i++) {
      const event = eventOfNow();
      events.push(event);
      relay.add([event]);
    }
    await first.stop("SIGKILL");
  }
  await assertTruthful(archive, { relay: relay.relay, events });
  const missed = eventOfNow();
  events.push(missed);
  relay.addSilently([missed]);
  await using second = start();
  await archived(archive, events);
  const { code, stderr } = await second.stop("SIGTERM");
  assert.equal(code, 0, stderr);
  await assertTruthful(archive, { relay: relay.relay, events });
  assert.equal(await archive.count("relay_lease where claimed_until > 0"), 0);
});

function isClaiming(archive: TestArchive, relay: RelayUrl): Promise<void> {
  return until(
    "it is live and claims",
    async () => await liveEdge(archive, relay) > 0,
  );
}

function eventOfNow() {
  return factory.sign({ createdAt: unixNow() });
}
