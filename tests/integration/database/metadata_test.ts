import assert from "node:assert/strict";
import { insertChecks, type RelayCheck } from "../../../src/archive/checks.ts";
import {
  insertRelayMetadata,
  type NewRelayMetadata,
} from "../../../src/archive/metadata.ts";
import { METADATA_TYPES, metadataId } from "../../../src/models/metadata.ts";
import { latestMetadata, relayChecks } from "../../support/archive_reads.ts";
import { testOnEachServer } from "../../support/each_server.ts";
import { newRelay } from "../../support/sync_batch.ts";

testOnEachServer(
  "insertRelayMetadata() stores an unchanged document once, under the hash of its content",
  async (archive) => {
    const { database, sql } = archive;
    const relayId = await newRelay(archive);
    const other = await newRelay(archive, "wss://other.example.com");
    const data = { data: { name: "A", nothing: null, list: [] }, logs: {} };
    const same = { logs: {}, data: { list: [], name: "A" } };
    const rows = [
      document(relayId, 1, data),
      document(relayId, 2, same),
      document(other, 2, data),
    ];
    assert.equal(await insertRelayMetadata(database, rows), 3);
    assert.equal(await insertRelayMetadata(database, rows), 0);

    const documents =
      await sql`select encode(id, 'hex') as id, data from metadata`;
    assert.deepEqual([...documents], [
      { id: metadataId(data), data: { data: { name: "A" } } },
    ]);
  },
);

testOnEachServer(
  "latestMetadata() gives the newest document of each type, and makes that of the round trip of the newest check",
  async (archive) => {
    const { database } = archive;
    const relayId = await newRelay(archive);
    await insertRelayMetadata(database, [
      document(relayId, 20, { data: { name: "new" } }),
      document(relayId, 10, { data: { name: "old" } }),
    ]);
    await insertChecks(database, [
      { relayId, checkedAt: 5, online: true, openMs: 12, readMs: 3 },
      { relayId, checkedAt: 4, online: false, failure: "dns: ?" },
    ]);
    const latest = await latestMetadata(database, relayId);
    const logs = { open_success: true, read_success: true };
    assert.deepEqual(
      latest.map(({ type, generatedAt, data }) => [type, generatedAt, data]),
      [
        ["nip11_info", 20, { data: { name: "new" } }],
        ["nip66_rtt", 5, { data: { rtt_open: 12, rtt_read: 3 }, logs }],
      ],
    );
    assert.equal(latest[0]!.id, metadataId({ data: { name: "new" } }));
    assert.equal(latest[1]!.id, null);
    assert.deepEqual(await latestMetadata(database, relayId + 1), []);
  },
);

testOnEachServer(
  "the nip66_rtt document says what failed, and why",
  async (archive) => {
    const { database } = archive;
    const relayId = await newRelay(archive);
    let checkedAt = 0;
    const rttOf = async (check: Omit<RelayCheck, "relayId" | "checkedAt">) => {
      checkedAt += 1;
      await insertChecks(database, [{ relayId, checkedAt, ...check }]);
      const [rtt] = await latestMetadata(database, relayId);
      return rtt?.data;
    };
    const refused = { online: false, failure: "refused: nobody" };
    assert.deepEqual(await rttOf(refused), {
      logs: {
        open_success: false,
        open_reason: "refused: nobody",
        read_success: false,
        read_reason: "refused: nobody",
      },
    });
    const silent = { online: false, openMs: 4, failure: "timeout: read" };
    assert.deepEqual(await rttOf(silent), {
      data: { rtt_open: 4 },
      logs: {
        open_success: true,
        read_success: false,
        read_reason: "timeout: read",
      },
    });
    const open = { online: true, openMs: 4, readMs: 5 };
    assert.deepEqual(await rttOf({ ...open, failure: "blocked: no" }), {
      data: { rtt_open: 4, rtt_read: 5 },
      logs: {
        open_success: true,
        read_success: true,
        write_success: false,
        write_reason: "blocked: no",
      },
    });
    assert.deepEqual(await rttOf({ ...open, writeMs: 6 }), {
      data: { rtt_open: 4, rtt_read: 5, rtt_write: 6 },
      logs: { open_success: true, read_success: true, write_success: true },
    });
  },
);

testOnEachServer(
  "insertRelayMetadata() stores text PostgreSQL cannot hold with U+FFFD",
  async (archive) => {
    const relayId = await newRelay(archive);
    const data = { data: { "na\0me": "a\0b\ud800" } };
    await insertRelayMetadata(archive.database, [document(relayId, 1, data)]);
    const [latest] = await latestMetadata(archive.database, relayId);
    assert.deepEqual(latest?.data, {
      data: { "na\uFFFDme": "a\uFFFDb\uFFFD" },
    });
  },
);

testOnEachServer(
  "insertChecks() keeps a relay's checks, newest first",
  async (archive) => {
    const { database } = archive;
    const relayId = await newRelay(archive);
    const checks = [
      { relayId, checkedAt: 100, online: true, openMs: 12, readMs: 34 },
      { relayId, checkedAt: 200, online: false, failure: "dns: no such name" },
    ];
    assert.equal(await insertChecks(database, checks), 2);
    assert.equal(await insertChecks(database, checks), 0);
    const found = await relayChecks(database, { relayId, since: 0, limit: 10 });
    assert.deepEqual(found, [
      {
        relayId,
        checkedAt: 200,
        online: false,
        openMs: null,
        readMs: null,
        writeMs: null,
        failure: "dns: no such name",
      },
      {
        relayId,
        checkedAt: 100,
        online: true,
        openMs: 12,
        readMs: 34,
        writeMs: null,
        failure: null,
      },
    ]);
    const [recent, ...none] = await relayChecks(database, {
      relayId,
      since: 101,
      limit: 10,
    });
    assert.equal(recent?.checkedAt, 200);
    assert.deepEqual(none, []);
  },
);

testOnEachServer(
  "latestMetadata() knows every type there is",
  async (archive) => {
    const relayId = await newRelay(archive);
    await insertRelayMetadata(
      archive.database,
      METADATA_TYPES.filter((type) => type !== "nip66_rtt").map((type) => ({
        relayId,
        type,
        generatedAt: 1,
        data: {},
      })),
    );
    const online = { relayId, checkedAt: 1, online: true };
    await insertChecks(archive.database, [online]);
    const latest = await latestMetadata(archive.database, relayId);
    const types = latest.map(({ type }) => type);
    assert.deepEqual(types, METADATA_TYPES.toSorted());
  },
);

function document(
  relayId: number,
  generatedAt: number,
  data: unknown,
): NewRelayMetadata {
  return { relayId, type: "nip11_info", generatedAt, data };
}
