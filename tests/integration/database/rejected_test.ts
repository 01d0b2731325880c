import assert from "node:assert/strict";
import {
  insertRejected,
  relayRejections,
} from "../../../src/core/database/rejected.ts";
import { testOnEachServer } from "../../support/each_server.ts";

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
