/**
 * Views that follow from the newest of something: what relays run, and current versions of events.
 *
 * @module
 */
import assert from "node:assert/strict";
import { storeBatch } from "../../../src/archive/events.ts";
import { insertRelayMetadata } from "../../../src/archive/metadata.ts";
import { removeRelay } from "../../../src/archive/relay_admin.ts";
import type { TestArchive } from "../../support/archive.ts";
import { testOnEachServer } from "../../support/each_server.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { newRelay, syncBatch } from "../../support/sync_batch.ts";

testOnEachServer(
  "relays are counted by the software and the NIPs of their newest document, whatever it says",
  async (archive) => {
    const { database, sql } = archive;
    const urls = ["a", "b", "c", "d"].map((name) => `wss://${name}.example`);
    const relays: number[] = [];
    for (const url of urls) relays.push(await newRelay(archive, url));
    const [a, b, c, d] = relays;
    const say = (relayId: number, generatedAt: number, data: object) =>
      insertRelayMetadata(database, [
        { relayId, generatedAt, type: "nip11_info", data: { data } },
        { relayId, generatedAt, type: "nip66_geo", data: { data: {} } },
      ]);
    const strfry = { software: "strfry", version: "1.0.4" };
    await say(a!, 10, { ...strfry, supported_nips: [1, 11, 1, 77] });
    await say(b!, 20, {
      ...strfry,
      supported_nips: [11, "42", 1.5, -1, 1e30, null, [1]],
    });
    await say(b!, 15, { software: "older", supported_nips: [2] });
    await say(c!, 10, { software: 7, version: "", supported_nips: "1,2" });
    await say(d!, 10, {
      software: "x".repeat(5_000),
      supported_nips: Array.from({ length: 5_000 }, (_, i) => i),
    });
    assert.deepEqual(await software(archive), [
      ["strfry", "1.0.4", 2],
      ["unknown", "unknown", 1],
      ["x".repeat(200), "unknown", 1],
    ]);
    const nips = await sql`
      select nip, relay_count::int4 from supported_nip_counts where nip in (1, 2, 11, 42, 77, 199, 200) order by nip`;
    assert.deepEqual(nips.map(({ nip, relay_count }) => [nip, relay_count]), [
      [1, 2],
      [2, 1],
      [11, 3],
      [42, 1],
      [77, 2],
      [199, 1],
    ]);
    await say(c!, 30, strfry);
    await removeRelay(database, urls[3]!, { sightings: false, signal });
    assert.deepEqual(await software(archive), [["strfry", "1.0.4", 3]]);
  },
);

async function software({ sql }: TestArchive) {
  const rows = await sql`
    select software, version, relay_count::int4 from relay_software_counts order by software`;
  return rows.map((row) => [row.software, row.version, row.relay_count]);
}

const factory = eventFactory("derived_views_test");
const { signal } = new AbortController();

testOnEachServer(
  "the latest of replaceable and addressable events are the newest, of one second the lowest id",
  async (archive) => {
    const { sql } = archive;
    await fill(archive);
    const replaceable = await sql`
      select encode(id, 'hex') as id from events_replaceable_latest order by id`;
    assert.deepEqual(
      replaceable.map(({ id }) => id),
      [...await newest(archive, "kind in (0, 3, 10002)", "kind, pubkey")],
    );
    const addressable = await sql`
      select encode(id, 'hex') as id, d_tag from events_addressable_latest order by id`;
    assert.deepEqual(
      addressable.map(({ id }) => id),
      [
        ...await newest(
          archive,
          "kind in (30000, 39999)",
          "kind, pubkey, event_identifier(tags)",
        ),
      ],
    );
    assert.deepEqual(
      [...new Set(addressable.map(({ d_tag }) => d_tag))].sort(),
      ["", "0", "1"],
    );
  },
);

testOnEachServer(
  "the latest of one author or one address are found by an index, event by event",
  async (archive) => {
    const { sql } = archive;
    await fill(archive);
    await sql`analyze event`;
    for (
      const [view, condition, index] of [
        [
          "events_replaceable_latest",
          "pubkey = '\\x00' and kind = 0",
          "event_pubkey",
        ],
        [
          "events_replaceable_latest",
          "kind = 10002 and created_at > 5 order by created_at desc limit 10",
          "event_kind",
        ],
        [
          "events_addressable_latest",
          "kind = 30000 and pubkey = '\\x00'",
          "event_address",
        ],
      ] as const
    ) {
      // A small table is read from end to end whatever there is; this is about which index there is.
      const plan = await sql.begin(async (transaction) => {
        await transaction`set local enable_seqscan = off`;
        return await transaction.unsafe(
          `explain select * from ${view} where ${condition}`,
        );
      });
      const text = plan.map((row) => row["QUERY PLAN"]).join("\n");
      assert.ok(text.includes(index), text);
      assert.doesNotMatch(text, /Seq Scan|Hash|Merge/, text);
    }
  },
);

async function fill(archive: TestArchive): Promise<void> {
  const events = Array.from({ length: 400 }, () =>
    factory.sign({
      author: factory.number(5),
      kind: factory.pick([0, 3, 10_002, 30_000, 39_999, 1]),
      createdAt: 1_000 + factory.number(6),
      tags: factory.pick([[], [["d", "0"]], [["d", "1"], ["d", "0"]], [["d"]]]),
    }));
  const relay = await newRelay(archive);
  await storeBatch(archive.database, syncBatch(relay, events));
}

async function newest(
  { sql }: TestArchive,
  condition: string,
  key: string,
): Promise<string[]> {
  const rows = await sql.unsafe(`
    select distinct on (${key}) encode(id, 'hex') as id from event
    where ${condition} order by ${key}, created_at desc, id`);
  return rows.map(({ id }) => id as string).sort();
}
