import assert from "node:assert/strict";
import { insertRejected } from "../../../src/archive/rejected_events.ts";
import { storeBatch } from "../../../src/archive/events.ts";
import {
  rejectionCounts,
  relayRejections,
} from "../../support/archive_reads.ts";
import { testOnEachServer } from "../../support/each_server.ts";
import { newRelay, syncBatch } from "../../support/sync_batch.ts";

testOnEachServer(
  "insertRejected() stores what came, cut to its bounds and storable",
  async ({ database }) => {
    const id = "ab".repeat(32);
    await insertRejected(database, null, [
      {
        reason: "shape",
        detail: "x\0y".repeat(1000),
        raw: "\ud800".repeat(1e5),
      },
      { reason: "id", detail: "wrong", eventId: id },
      { reason: "shape", detail: "no id", eventId: "not hex" },
    ]);
    const [nothing, wrong, shape] = await relayRejections(database, null, 10);
    assert.equal(nothing?.eventId, undefined);
    assert.equal(wrong?.eventId, id);
    assert.equal(wrong.raw, undefined);
    assert.equal(shape?.raw, "\uFFFD".repeat(16_384));
    assert.equal(shape.detail.length, 1024);
  },
);

testOnEachServer(
  "insertRejected() keeps the newest thousand of each relay",
  async ({ database, sql }) => {
    await insertRejected(database, 2, [{ reason: "id", detail: "of another" }]);
    for (let batch = 0; batch < 4; batch++) {
      await insertRejected(
        database,
        1,
        Array.from({ length: 600 }, (_, n) => ({
          reason: "signature",
          detail: `${batch} ${n}`,
        })),
      );
    }
    const counts = await sql`
    select relay_id, count(*)::int as rows, min(detail) as oldest
    from rejected_event group by relay_id order by relay_id`;
    assert.deepEqual(counts.map((row) => [row.relay_id, row.rows]), [
      [1, 1000],
      [2, 1],
    ]);
    const [newest] = await relayRejections(database, 1, 1);
    assert.equal(newest?.detail, "3 599");
  },
);

testOnEachServer(
  "rejected events are counted by relay and reason, those without a sample as well",
  async (archive) => {
    const { database } = archive;
    const relayId = await newRelay(archive);
    const other = await newRelay(archive, "wss://other.example.com");
    const rejected = [
      { reason: "signature", detail: "one" },
      { reason: "shape", detail: "two" },
    ];
    await storeBatch(database, syncBatch(relayId, [], { rejected }));
    const unsampled = { signature: 70, filter: 2 };
    await storeBatch(database, syncBatch(relayId, [], { unsampled, rejected }));
    await insertRejected(database, other, rejected.slice(0, 1));

    const counts = await rejectionCounts(database, relayId);
    assert.deepEqual(counts.map(({ reason, events }) => [reason, events]), [
      ["signature", 72],
      ["filter", 2],
      ["shape", 2],
    ]);
    assert.equal((await rejectionCounts(database, other))[0]?.events, 1);
    assert.equal((await relayRejections(database, relayId, 10)).length, 4);
  },
);
