import assert from "node:assert/strict";
import {
  claimCandidates,
  failCandidates,
  insertCandidates,
} from "../../../src/core/database/candidates.ts";
import { insertChecks } from "../../../src/core/database/checks.ts";
import { storeBatch } from "../../../src/core/database/events.ts";
import { pipelineCounts } from "../../../src/core/database/pipeline.ts";
import { insertRelays } from "../../../src/core/database/relays.ts";
import { filterHash } from "../../../src/models/filter.ts";
import { testOnEachServer } from "../../support/each_server.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { newRelay, syncBatch } from "../../support/sync_batch.ts";

const factory = eventFactory("pipeline_test");
const HASH = filterHash({});

testOnEachServer(
  "pipelineCounts() counts an empty archive as empty",
  async ({ database }) => {
    const counts = await pipelineCounts(database);
    assert.equal(counts.edition, "full");
    assert.deepEqual(counts.events, { count: 0, exact: true });
    assert.deepEqual(counts.candidates.loki, {
      ...{ total: 0, due: 0, claimed: 0, failed: 0 },
    });
    assert.deepEqual(counts.coverage, {
      ...{ walks: 0, relays: 0, gaps: 0, gapReasons: {} },
      ...{ medianLagSeconds: null, worstLagSeconds: null },
    });
    assert.ok(counts.databaseBytes > 1_000_000);
  },
);

testOnEachServer(
  "pipelineCounts() counts every stage by network",
  async (archive) => {
    const { database } = archive;
    const relayId = await newRelay(archive);
    const down = await newRelay(archive, "wss://down.example.com");
    const onion = `ws://${"a".repeat(56)}.onion`;
    await insertRelays(database, [{ url: onion, network: "tor" }]);
    await insertChecks(database, [
      { relayId, checkedAt: 1, online: false },
      { relayId, checkedAt: 2, online: true },
      { relayId: down, checkedAt: 1, online: false },
    ]);
    await insertCandidates(
      database,
      ["wss://a.example", "wss://b.example", "wss://c.example"].map((url) => ({
        ...{ url, network: "clearnet", host: url, domain: url, source: "seed" },
      })),
      { maxPerHost: 0, maxPerDomain: 0, maxPerAuthor: 0 },
    );
    await failCandidates(
      database,
      [{ url: "wss://a.example", failure: "dns" }],
      {
        ...{ initialSeconds: 100, maxSeconds: 100 },
      },
    );
    await claimCandidates(database, {
      ...{ networks: ["clearnet"], limit: 1, claimSeconds: 60 },
    });
    await storeBatch(
      database,
      syncBatch(relayId, [factory.sign(), factory.sign()], {
        coverage: [{
          ...{ filterHash: HASH, filter: {}, since: 0, until: 9 },
          method: "finish",
        }],
        gaps: [{ filterHash: HASH, since: 20, until: 29, reason: "timeout" }],
      }),
    );

    const counts = await pipelineCounts(database);
    assert.deepEqual(counts.candidates.clearnet, {
      ...{ total: 3, due: 1, claimed: 1, failed: 1 },
    });
    assert.deepEqual(counts.relays.clearnet, {
      ...{ total: 2, online: 1, offline: 1, unchecked: 0, synced: 1 },
    });
    assert.deepEqual(counts.relays.tor, {
      ...{ total: 1, online: 0, offline: 0, unchecked: 1, synced: 0 },
    });
    assert.deepEqual(counts.events, { count: 2, exact: true });
    assert.deepEqual(counts.sightings, { count: 2, exact: true });
    const { medianLagSeconds, worstLagSeconds, ...coverage } = counts.coverage;
    assert.deepEqual(coverage, {
      ...{ walks: 1, relays: 1, gaps: 1, gapReasons: { timeout: 1 } },
    });
    // Everything is covered up to second 9.
    assert.ok(medianLagSeconds! > 1_700_000_000);
    assert.equal(medianLagSeconds, worstLagSeconds);
  },
);
