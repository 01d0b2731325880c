import assert from "node:assert/strict";
import type { Sql } from "../../../src/core/database/connection/database.ts";
import type { NostrEvent } from "../../../src/models/event.ts";
import { insertChecks } from "../../../src/archive/checks.ts";
import { EventReader } from "../../../src/archive/reading/event_reader.ts";
import { insertEvents, storeBatch } from "../../../src/archive/events.ts";
import {
  cleanup,
  type CleanupOptions,
  deleteOrphanEvents,
  deleteOrphanMetadata,
} from "../../../src/archive/maintenance.ts";
import { insertRelayMetadata } from "../../../src/archive/metadata.ts";
import { insertRejected } from "../../../src/archive/rejected_events.ts";
import {
  encodeEvents,
  encodeKeys,
} from "../../../src/models/encoded_events.ts";
import { testOnEachServer } from "../../support/each_server.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { shiftClock } from "../../support/shifted_clock.ts";
import { backendOf, untilWaitedFor } from "../../support/lock_waits.ts";
import { newRelay, syncBatch } from "../../support/sync_batch.ts";

const factory = eventFactory("maintenance_test");
const NOW = Math.floor(Date.now() / 1000);
const DAY = 86_400;

testOnEachServer(
  "deleteOrphanEvents() deletes exactly the events without a sighting, page by page",
  async (archive) => {
    const { database, sql } = archive;
    const relayId = await newRelay(archive);
    const seen = Array.from({ length: 25 }, () => factory.sign());
    const orphans = Array.from(
      { length: 25 },
      (_, n) => factory.sign({ content: n === 7 ? "a\0b" : "orphan" }),
    );
    await storeBatch(database, syncBatch(relayId, seen));
    await insertEvents(database, encodeEvents(orphans));

    assert.equal(
      await deleteOrphanEvents(database, options({ batchSize: 10 })),
      25,
    );
    assert.equal(
      await deleteOrphanEvents(database, options({ batchSize: 50 })),
      0,
    );
    const ids: string[] = [];
    for await (
      const chunk of new EventReader(database).events([{}], signal)
    ) {
      ids.push(...chunk.map(({ id }) => id));
    }
    assert.deepEqual(ids.toSorted(), seen.map(({ id }) => id).toSorted());
    const [raw] = await sql`select count(*)::int as rows from event_raw`;
    assert.equal(raw!.rows, 0);
  },
);

/** Two ways to add a sighting of an event that is there without one. */
const SIGHTINGS: Readonly<
  Record<
    string,
    (sql: Sql, relayId: number, event: NostrEvent) => Promise<void>
  >
> = {
  "known": async (sql, relayId, event) => {
    const known = encodeKeys([event]);
    await storeBatch(sql, syncBatch(relayId, [], { known }));
  },
  "stored again": async (sql, relayId, event) => {
    await storeBatch(sql, syncBatch(relayId, [event]));
  },
};

for (const [name, addSighting] of Object.entries(SIGHTINGS)) {
  testOnEachServer(
    `an event is never deleted as an orphan while a sighting is being added (${name})`,
    async (archive) => {
      const { database, sql } = archive;
      const relayId = await newRelay(archive);
      const event = factory.sign();
      await insertEvents(database, encodeEvents([event]));

      const sighted = Promise.withResolvers<number>();
      const commit = Promise.withResolvers<void>();
      const adding = database.transaction(async (connection) => {
        await addSighting(connection, relayId, event);
        sighted.resolve(await backendOf(connection));
        await commit.promise;
      });
      const holder = await sighted.promise;
      const deleting = deleteOrphanEvents(database, options());
      // The deletion waits for the lock before it looks.
      await untilWaitedFor("the deletion", { sql, holder });
      commit.resolve();
      await adding;
      assert.equal(await deleting, 0);
    },
  );
}

testOnEachServer(
  "deleteOrphanMetadata() deletes documents of no relay",
  async (archive) => {
    const { database, sql } = archive;
    const relayId = await newRelay(archive);
    const type = "nip11_info" as const;
    await insertRelayMetadata(
      database,
      Array.from({ length: 12 }, (_, n) => ({
        relayId,
        type,
        generatedAt: n,
        data: { n: Math.floor(n / 2) },
      })),
    );
    await sql`delete from relay_metadata where generated_at < 6`;
    const found = await deleteOrphanMetadata(
      database,
      options({ batchSize: 2 }),
    );
    assert.equal(found, 3);
    const [row] = await sql`select count(*)::int as rows from metadata`;
    assert.equal(row!.rows, 3);
  },
);

testOnEachServer(
  "cleanup() keeps to the ages given and always keeps a relay's newest",
  async (archive) => {
    const { database, sql } = archive;
    const relayId = await newRelay(archive);
    const idle = await newRelay(archive, "wss://idle.example.com");
    const daysAgo = (days: number) => NOW - days * DAY;
    await insertChecks(database, [
      { relayId, checkedAt: daysAgo(1), online: true },
      { relayId, checkedAt: daysAgo(40), online: true },
      { relayId: idle, checkedAt: daysAgo(50), online: false },
      { relayId: idle, checkedAt: daysAgo(60), online: false },
    ]);
    const type = "nip11_info" as const;
    await insertRelayMetadata(database, [
      { relayId, type, generatedAt: daysAgo(50), data: { a: 1 } },
      { relayId, type, generatedAt: daysAgo(40), data: { a: 2 } },
    ]);
    await insertRejected(database, relayId, [{ reason: "id", detail: "new" }]);
    await insertRejected(database, idle, [{ reason: "id", detail: "old" }]);
    await sql`update rejected_event set rejected_at = ${daysAgo(40)}
    where detail = 'old'`;
    await insertEvents(database, encodeEvents([factory.sign()]));

    const keepAll = { checkDays: null, hourDays: null, metadataDays: null };
    const nothing = { ...AGES, ...keepAll };
    assert.deepEqual(await cleanup(database, options(nothing)), {
      ...NOTHING,
      rejected: 1,
    });
    const old = await cleanup(database, options({ batchSize: 1 }));
    assert.ok(old.checkHours > 24);
    assert.deepEqual({ ...old, checkHours: 0 }, {
      ...NOTHING,
      checks: 2,
      relayMetadata: 1,
      orphanMetadata: 1,
    });
    const orphans = await cleanup(database, options({ orphanEvents: true }));
    assert.deepEqual(orphans, { ...NOTHING, orphanEvents: 1 });
  },
);

testOnEachServer(
  "cleanup() deletes nothing that is young by the database's clock, whatever ours shows",
  async (archive) => {
    const { database } = archive;
    const relayId = await newRelay(archive);
    const checkedAt = NOW - 10;
    await insertChecks(database, [{ relayId, checkedAt, online: true }]);
    await insertChecks(database, [{ relayId, checkedAt: NOW, online: true }]);
    const type = "nip11_info" as const;
    await insertRelayMetadata(database, [
      { relayId, type, generatedAt: NOW - 10, data: { a: 1 } },
      { relayId, type, generatedAt: NOW, data: { a: 2 } },
    ]);
    await insertRejected(database, relayId, [{ reason: "id", detail: "new" }]);
    using _clock = shiftClock(3 * 365 * DAY);
    assert.deepEqual(await cleanup(database, options()), NOTHING);
    assert.equal(await archive.count("relay_check"), 2);
    assert.equal(await archive.count("relay_check_rollup"), 0);
  },
);

const signal = new AbortController().signal;

const AGES = {
  checkDays: 30,
  hourDays: 30,
  metadataDays: 30,
  rejectedDays: 30,
};

const NOTHING = {
  orphanEvents: 0,
  orphanMetadata: 0,
  forgotten: 0,
  checks: 0,
  checkHours: 0,
  relayMetadata: 0,
  rejected: 0,
  candidates: 0,
};

function options(rest: Partial<CleanupOptions> = {}): CleanupOptions {
  return {
    ...AGES,
    batchSize: 1000,
    signal,
    orphanEvents: false,
    maxCandidateFailures: null,
    ...rest,
  };
}
