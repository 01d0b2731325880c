/**
 * The refresher as a service: what waits is folded, one process at a time, until told to stop.
 *
 * @module
 */
import assert from "node:assert/strict";
import { factStatus } from "../../../src/archive/facts.ts";
import { storeBatch } from "../../../src/archive/events.ts";
import { findServiceLease } from "../../../src/archive/processes/service_lease.ts";
import {
  requestRemake,
  statisticsStatus,
} from "../../../src/archive/statistics/refresh.ts";
import { brotrConfig } from "../../../src/core/config/brotr_config.ts";
import { connectDatabase } from "../../../src/core/database/connect.ts";
import { refresher } from "../../../src/services/refresher/mod.ts";
import {
  runOnce,
  startService,
  type TestArchive,
  testArchive,
} from "../../support/archive.ts";
import { testOnEachServer } from "../../support/each_server.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { assertStatistics } from "../../support/brute_statistics.ts";
import { missing, unless } from "../../support/installed.ts";
import { pgBouncer } from "../../support/pgbouncer.ts";
import { scratchCluster } from "../../support/postgres.ts";
import { silentLogger } from "../../support/silent_logger.ts";
import { newRelay, syncBatch } from "../../support/sync_batch.ts";
import { until } from "../../support/until.ts";

const factory = eventFactory("refresher_test");

/** Stores so many batches of ten events, each seen on the relay. */
async function store(
  { database }: TestArchive,
  relayId: number,
  batches: number,
): Promise<void> {
  for (let n = 0; n < batches; n++) {
    const events = Array.from({ length: 10 }, () => factory.sign());
    await storeBatch(database, syncBatch(relayId, events));
  }
}

async function isUpToDate({ database }: TestArchive, events: number) {
  const status = await statisticsStatus(database);
  return status.events === events && status.oldestSeconds === null &&
    status.daysToMake + status.relaysToMake === 0;
}

testOnEachServer(
  "refresher --once folds what waits, in transactions of the size that is configured, and ends",
  async (archive) => {
    const { database } = archive;
    const relayId = await newRelay(archive);
    await store(archive, relayId, 7);
    const waiting = (await factStatus(database)).rows;
    assert.ok(waiting > 4);
    const run = await runOnce(refresher, database, {
      config: { maxFactsPerTransaction: 2 },
    });
    assert.ok(await isUpToDate(archive, 70));
    assert.equal(
      await run.metric("refresh_folded_total", { what: "events" }),
      70,
    );
    assert.equal(
      await run.metric("refresh_folded_total", { what: "sightings" }),
      70,
    );
    const said = run.log.find(({ message }) =>
      message === "statistics are up to date"
    );
    assert.equal(said?.["facts"], waiting);
    assert.equal(await findServiceLease(database, "refresher"), null);

    // Nothing is folded twice.
    await runOnce(refresher, database);
    assert.ok(await isUpToDate(archive, 70));
  },
);

Deno.test("a running refresher folds what is written, and ends when told to", async () => {
  await using archive = await testArchive();
  const relayId = await newRelay(archive);
  await using service = startService(refresher, archive.database);
  for (const batches of [1, 3]) {
    const { events } = await statisticsStatus(archive.database);
    await store(archive, relayId, batches);
    await until(
      "the events are folded",
      () => isUpToDate(archive, events + batches * 10),
    );
  }
  await service.stop();
  assert.equal(await findServiceLease(archive.database, "refresher"), null);
});

Deno.test("of two refreshers one works, and the other takes over when it ends", async () => {
  await using archive = await testArchive();
  const { database } = archive;
  const relayId = await newRelay(archive);
  await using first = startService(refresher, database);
  await until(
    "the first works",
    async () => await findServiceLease(database, "refresher") !== null,
  );
  const before = await findServiceLease(database, "refresher");
  await using second = startService(refresher, database);
  const says = (text: string) =>
    second.log.filter(({ message }) => message === text);
  await until(
    "the second waits",
    () =>
      Promise.resolve(
        says("another refresher works, waits to take over").length > 0,
      ),
  );
  await store(archive, relayId, 1);
  await until("it is folded", () => isUpToDate(archive, 10));
  assert.equal(
    await second.metric("refresh_folded_total", { what: "events" }),
    0,
  );

  await first.stop();
  await until(
    "the second works",
    () => Promise.resolve(says("took over from another refresher").length > 0),
  );
  const after = await findServiceLease(database, "refresher");
  assert.notEqual(after?.holder, before?.holder);
  await store(archive, relayId, 1);
  await until("it is folded", () => isUpToDate(archive, 20));
  assert.equal(says("another refresher works, waits to take over").length, 1);
});

Deno.test("refresher --once beside one that works returns when that has folded what waited", async () => {
  await using archive = await testArchive();
  const { database } = archive;
  const relayId = await newRelay(archive);
  await using _running = startService(refresher, database);
  await until(
    "it works",
    async () => await findServiceLease(database, "refresher") !== null,
  );
  await store(archive, relayId, 20);
  const once = await runOnce(refresher, database);
  assert.ok(await isUpToDate(archive, 200));
  assert.equal(
    await once.metric("refresh_folded_total", { what: "events" }),
    0,
  );
});

Deno.test("a refresher that is told to stop in the middle of a backlog stops, and loses and doubles nothing", async () => {
  await using archive = await testArchive();
  const { database } = archive;
  const relayId = await newRelay(archive);
  await store(archive, relayId, 30);
  const { events } = await statisticsStatus(database);
  assert.equal(events, 0);
  // Long pauses: it has not done all of it before it is told to stop.
  const service = startService(refresher, database, {
    config: { maxFactsPerTransaction: 1, maxBusyShare: 0.01 },
  });
  await until(
    "some of it is folded",
    async () => (await statisticsStatus(database)).events > 0,
  );
  await service.stop();
  const status = await statisticsStatus(database);
  assert.ok(status.events < 300 && status.waiting > 0, "it was in the middle");
  await runOnce(refresher, database);
  assert.ok(await isUpToDate(archive, 300));
});

Deno.test("maxBusyShare leaves the rest of the time to others", async () => {
  await using archive = await testArchive();
  const { database } = archive;
  const relayId = await newRelay(archive);
  await store(archive, relayId, 10);
  const startedAtMs = performance.now();
  await runOnce(refresher, database, {
    config: { maxFactsPerTransaction: 1, maxBusyShare: 0.05 },
  });
  const ms = performance.now() - startedAtMs;
  const { busyMs } = await statisticsStatus(database);
  assert.ok(busyMs < ms / 2, `busy for ${busyMs} of ${ms} ms`);
  assert.ok(await isUpToDate(archive, 100));
});

const NO_PGBOUNCER = await missing("/usr/sbin/pgbouncer");

Deno.test({
  ...unless(
    NO_PGBOUNCER,
    "behind PgBouncer two refreshers take over from each other and make days again",
  ),
  async fn() {
    await using archive = await testArchive();
    await using bouncer = await pgBouncer(await scratchCluster());
    const { signal } = new AbortController();
    await using database = await connectDatabase(
      brotrConfig.parse({
        database: {
          host: "127.0.0.1",
          port: bouncer.port,
          database: new URL(archive.url).pathname.slice(1),
          pgbouncer: true,
        },
      }),
      { log: silentLogger(), signal },
    );
    const relayId = await newRelay(archive);
    await using first = startService(refresher, database);
    await store(archive, relayId, 2);
    await until("it is folded", () => isUpToDate(archive, 20));
    await using second = startService(refresher, database);
    await requestRemake(database, {});
    await first.stop();
    await store(archive, relayId, 2);
    await until("it is folded and made", async () => {
      const { waiting, daysToMake } = await statisticsStatus(database);
      return waiting + daysToMake === 0;
    });
    await second.stop();
    await runOnce(refresher, database);
    await assertStatistics(archive.sql);
  },
});
