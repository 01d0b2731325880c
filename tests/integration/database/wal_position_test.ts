/**
 * What a batch rests on must be in the log of the server that stores it.
 *
 * @module
 */
import assert from "node:assert/strict";
import { storeBatch } from "../../../src/archive/events.ts";
import {
  advanceWal,
  isCommitLoss,
} from "../../../src/archive/sync/wal_position.ts";
import { testOnEachServer } from "../../support/each_server.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { newRelay, syncBatch } from "../../support/sync_batch.ts";

const factory = eventFactory("wal");

testOnEachServer("each batch may rest on the one before", async (archive) => {
  const { database } = archive;
  const relayId = await newRelay(archive);
  let rests = await advanceWal(database);
  assert.match(rests ?? "", /^\d+ [0-9A-F]{8} [0-9A-F]+\/[0-9A-F]+$/);
  for (let batch = 0; batch < 3; batch++) {
    const { stored, position } = await storeBatch(
      database,
      syncBatch(relayId, [factory.sign()], { rests }),
    );
    assert.equal(stored, 1);
    assert.notEqual(position, rests);
    rests = position;
  }
});

const ELSEWHERE: Readonly<
  Record<string, (now: readonly [string, string, string]) => readonly string[]>
> = {
  "another cluster": ([, timeline, lsn]) => ["42", timeline, lsn],
  "another timeline": ([cluster, , lsn]) => [cluster, "0000002A", lsn],
  "a later log": ([cluster, timeline]) => [cluster, timeline, "FFFF/0"],
};

for (const [where, moved] of Object.entries(ELSEWHERE)) {
  testOnEachServer(
    `a batch that rests on commits of ${where} is refused whole`,
    async (archive) => {
      const { database } = archive;
      const relayId = await newRelay(archive);
      const now = (await advanceWal(database))!.split(" ");
      const [cluster = "", timeline = "", lsn = ""] = now;
      const rests = moved([cluster, timeline, lsn]).join(" ");
      const batch = syncBatch(relayId, [factory.sign()], { rests });
      await assert.rejects(storeBatch(database, batch), isCommitLoss);
      assert.equal(await archive.count("event"), 0);
      const parted = database.transaction(async (sql) => {
        await storeBatch(sql, syncBatch(relayId, [factory.sign()]));
        await advanceWal(sql, rests);
      });
      await assert.rejects(parted, isCommitLoss);
      assert.equal(await archive.count("event"), 0);
    },
  );
}
