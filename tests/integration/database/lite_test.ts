import assert from "node:assert/strict";
import { knownEvents, storeBatch } from "../../../src/archive/events.ts";
import { verifyIntegrity } from "../../../src/core/database/integrity.ts";
import { pipelineCounts } from "../../../src/archive/pipeline.ts";
import { verifySchema } from "../../../src/core/database/verify.ts";
import { encodeKeys } from "../../../src/models/encoded_events.ts";
import { testOnEachServer } from "../../support/each_server.ts";
import { edgeCaseEvents } from "../../support/edge_case_events.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { newRelay, syncBatch } from "../../support/sync_batch.ts";

const events = Object.values(edgeCaseEvents(eventFactory("lite_test")));

testOnEachServer(
  "a lite archive keeps who, when and what kind, and no more of an event",
  async (archive) => {
    const { database, sql } = archive;
    const relayId = await newRelay(archive);
    const batch = syncBatch(relayId, events, {
      hints: [{
        url: "wss://a.example",
        network: "clearnet",
        host: "a.example",
        domain: "a.example",
        source: "e-tag",
      }],
    });
    const { stored } = await storeBatch(database, batch);
    assert.equal(stored, events.length);
    assert.equal((await storeBatch(database, batch)).known, events.length);
    const flags = await knownEvents(database, encodeKeys(events));
    assert.ok(flags.every((flag) => flag === 1));

    const [row] = await sql`
    select count(*)::int as events, count(tags)::int as tags,
      count(content)::int as contents, count(sig)::int as sigs,
      (select count(*)::int from event_raw) as raws from event`;
    assert.deepEqual({ ...row }, {
      events: events.length,
      tags: 0,
      contents: 0,
      sigs: 0,
      raws: 0,
    });
  },
  { edition: "lite" },
);

testOnEachServer(
  "a lite archive is verified and counted like a full one",
  async (archive) => {
    const { database } = archive;
    await storeBatch(database, syncBatch(await newRelay(archive), events));
    assert.deepEqual((await verifySchema(database)).problems, []);
    const { signal } = new AbortController();
    const broken = await verifyIntegrity(database, { batchSize: 5, signal });
    assert.deepEqual(broken, []);
    const counts = await pipelineCounts(database);
    assert.equal(counts.edition, "lite");
    assert.equal(counts.events.count, events.length);
  },
  { edition: "lite" },
);
