import assert from "node:assert/strict";
import {
  claimCandidates,
  failCandidates,
  insertCandidates,
} from "../../../src/archive/candidates.ts";
import { insertChecks } from "../../../src/archive/checks.ts";
import { type NewCoverage, storeBatch } from "../../../src/archive/events.ts";
import {
  leaseRelays,
  recordLive,
  releaseRelays,
} from "../../../src/archive/leases.ts";
import { pipelineCounts, syncStatus } from "../../../src/archive/pipeline.ts";
import { wantWalks } from "../../../src/archive/sync/sync_coverage.ts";
import { insertRelays } from "../../../src/archive/relays.ts";
import { type Filter, filterHash } from "../../../src/models/filter.ts";
import { testOnEachServer } from "../../support/each_server.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { newRelay, syncBatch } from "../../support/sync_batch.ts";

const factory = eventFactory("pipeline_test");
const HASH = filterHash({});
const NO_AUDIT = {
  asked: 0,
  confirmed: 0,
  contradicted: 0,
  retractions: 0,
  retractedSeconds: 0,
  caughtRelays: 0,
  underAudit: { windows: 0, relays: 0, seconds: 0 },
  kinds: {},
  last: null,
};

testOnEachServer(
  "pipelineCounts() counts an empty archive as empty",
  async ({ database }) => {
    const counts = await pipelineCounts(database);
    assert.equal(counts.edition, "full");
    assert.deepEqual(counts.events, { count: 0, exact: true });
    assert.deepEqual(counts.candidates.loki, {
      total: 0,
      due: 0,
      claimed: 0,
      failed: 0,
    });
    assert.deepEqual(counts.coverage, {
      walks: 0,
      relays: 0,
      gaps: 0,
      gapReasons: {},
      running: 0,
      live: 0,
      medianLagSeconds: null,
      worstLagSeconds: null,
      completeRelays: 0,
      wantedRelays: 0,
      coveredShare: null,
      strengths: { reconciled: 0, counted: 0, paged: 0, weak: 0 },
      audit: NO_AUDIT,
      rejectedReasons: {},
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
        url,
        network: "clearnet",
        host: url,
        domain: url,
        source: "seed",
      })),
      { maxPerHost: 0, maxPerDomain: 0, maxPerAuthor: 0 },
    );
    await failCandidates(
      database,
      [{ url: "wss://a.example", failure: "dns" }],
      {
        initialSeconds: 100,
        maxSeconds: 100,
      },
    );
    await claimCandidates(database, {
      holder: "a",
      networks: ["clearnet"],
      limit: 1,
      claimSeconds: 60,
    });
    await storeBatch(
      database,
      syncBatch(relayId, [factory.sign(), factory.sign()], {
        coverage: [{
          filterHash: HASH,
          filter: {},
          since: 0,
          until: 9,
          method: "finish",
          strength: "paged",
        }],
        gaps: [{ filterHash: HASH, since: 20, until: 29, reason: "timeout" }],
      }),
    );

    const unwanted = await pipelineCounts(database);
    assert.deepEqual(
      [unwanted.coverage.walks, unwanted.coverage.worstLagSeconds],
      [0, null],
      "what nobody wants is behind nothing",
    );
    await wantWalks(database, relayId, [
      { filterHash: HASH, filter: {}, since: 0, until: null },
    ]);
    const counts = await pipelineCounts(database);
    assert.deepEqual(counts.candidates.clearnet, {
      total: 3,
      due: 1,
      claimed: 1,
      failed: 1,
    });
    assert.deepEqual(counts.relays.clearnet, {
      total: 2,
      online: 1,
      offline: 1,
      unchecked: 0,
      synced: 1,
    });
    assert.deepEqual(counts.relays.tor, {
      total: 1,
      online: 0,
      offline: 0,
      unchecked: 1,
      synced: 0,
    });
    assert.deepEqual(counts.events, { count: 2, exact: true });
    assert.deepEqual(counts.sightings, { count: 2, exact: true });
    const { medianLagSeconds, worstLagSeconds, ...coverage } = counts.coverage;
    assert.deepEqual(coverage, {
      walks: 1,
      relays: 1,
      gaps: 1,
      gapReasons: { timeout: 1 },
      completeRelays: 1,
      wantedRelays: 1,
      coveredShare: 0,
      running: 0,
      live: 0,
      // What is proven lies before there was anything.
      strengths: { reconciled: 0, counted: 0, paged: 0, weak: 0 },
      audit: NO_AUDIT,
      rejectedReasons: {},
    });
    // Everything is covered up to second 9.
    assert.ok(medianLagSeconds! > 1_700_000_000);
    assert.equal(medianLagSeconds, worstLagSeconds);
  },
);

testOnEachServer(
  "syncStatus() measures what is proven against what is wanted now",
  async (archive) => {
    const { database } = archive;
    const now = Math.floor(Date.now() / 1_000);
    const since = now - 1_000;
    const kinds = { kinds: [1] };
    const wanted = (filter: Filter, until: number | null = null) => ({
      filterHash: filterHash(filter),
      filter,
      since,
      until,
    });
    const proven = (
      filter: Filter,
      [from, to]: [number, number],
      strength: NewCoverage["strength"] = "paged",
    ) => ({
      filterHash: filterHash(filter),
      filter,
      method: "paging" as const,
      strength,
      since: since + from,
      until: since + to,
    });
    const whole = await newRelay(archive);
    const holed = await newRelay(archive, "wss://holed.example.com");
    const begun = await newRelay(archive, "wss://begun.example.com");
    for (const relayId of [whole, holed, begun]) {
      await wantWalks(database, relayId, [wanted({}), wanted(kinds)]);
      await wantWalks(database, relayId, [wanted({}, since + 999)]);
    }
    const store = (relayId: number, ...coverage: NewCoverage[]) =>
      storeBatch(database, syncBatch(relayId, [], { coverage }));
    // What is not wanted any more counts nothing, nor does what lies beyond.
    await store(
      whole,
      proven({}, [-50, 999]),
      proven(kinds, [0, 10], "counted"),
    );
    await store(
      holed,
      proven({}, [0, 99], "reconciled"),
      proven({}, [500, 899], "weak"),
    );
    const lease = { service: "synchronizer", holder: "me" };
    const [one, other] = await leaseRelays(database, {
      ...lease,
      networks: ["clearnet"],
      limit: 2,
      leaseSeconds: 60,
    });
    for (const { relayId } of [one!, other!]) {
      await recordLive(database, { ...lease, relayId });
    }
    await recordLive(database, { ...lease, holder: "you", relayId: begun });

    const status = await syncStatus(database);
    assert.deepEqual(
      [status.walks, status.relays, status.completeRelays, status.wantedRelays],
      [3, 2, 1, 3],
    );
    assert.equal(status.coveredShare, 0.5);
    assert.deepEqual(status.strengths, {
      reconciled: 0.066667,
      counted: 0,
      paged: 0.666667,
      weak: 0.266667,
    });
    assert.deepEqual(
      [status.medianLagSeconds, status.worstLagSeconds, status.running],
      [0, 100, 2],
    );
    assert.equal(status.live, 2);
    const relays = [{ relayId: one!.relayId, nextDueInSeconds: -1 }];
    await releaseRelays(database, { ...lease, relays });
    assert.equal((await syncStatus(database)).live, 1);
  },
);
