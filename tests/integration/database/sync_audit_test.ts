import assert from "node:assert/strict";
import { type NewCoverage, storeBatch } from "../../../src/archive/events.ts";
import { relayReport } from "../../../src/archive/relay_health.ts";
import {
  type AuditRecord,
  type NewContradiction,
  recordAudit,
} from "../../../src/archive/sync/sync_audit.ts";
import { verifyIntegrity } from "../../../src/core/database/integrity.ts";
import { filterHash } from "../../../src/models/filter.ts";
import {
  auditStatus,
  relayCoverage,
  relayGaps,
} from "../../support/archive_reads.ts";
import type { TestArchive } from "../../support/archive.ts";
import { testOnEachServer } from "../../support/each_server.ts";
import { newRelay, syncBatch } from "../../support/sync_batch.ts";

const ALL = filterHash({});
const NOTES = filterHash({ kinds: [1] });
const URL = "wss://relay.example.com";
const IDS = Array.from({ length: 12 }, (_, i) => `${i}`.padStart(64, "0"));

function contradiction(
  since: number,
  until: number,
  rest: Partial<NewContradiction> = {},
): NewContradiction {
  return {
    filterHash: ALL,
    since,
    until,
    kind: "hidden",
    question: "silence",
    eventIds: IDS.slice(0, 3),
    ...rest,
  };
}

async function relayWith(
  archive: TestArchive,
  ...coverage: readonly (readonly [
    filterHash: string,
    since: number,
    until: number,
    method: NewCoverage["method"],
  ])[]
): Promise<number> {
  const relayId = await newRelay(archive, URL);
  await storeBatch(
    archive.database,
    syncBatch(relayId, [], {
      coverage: coverage.map(([filterHash, since, until, method]) => ({
        filterHash,
        filter: filterHash === ALL ? {} : { kinds: [1] },
        since,
        until,
        method,
        strength: "paged",
      })),
    }),
  );
  return relayId;
}

function record(
  { database }: TestArchive,
  relayId: number,
  rest: Partial<AuditRecord["audit"]> & Pick<AuditRecord, "retractions">,
) {
  const { retractions, ...audit } = rest;
  const counts = { asked: 0, confirmed: 0, contradictions: [], ...audit };
  return recordAudit(database, {
    relayId,
    filterHash: ALL,
    audit: counts,
    retractions,
  });
}

testOnEachServer(
  "recordAudit() counts, and takes nothing back where nothing is contradicted",
  async (archive) => {
    const relayId = await relayWith(archive, [ALL, 0, 99, "paging"]);
    const audit = { asked: 3, confirmed: 2, retractions: [] };
    const nothing = { contradicted: 0, retractedSeconds: 0, retractions: {} };
    assert.deepEqual(await record(archive, relayId, audit), nothing);
    assert.deepEqual(await record(archive, relayId, audit), nothing);
    const status = await auditStatus(archive.database);
    assert.deepEqual(status, {
      asked: 6,
      confirmed: 4,
      contradicted: 0,
      retractions: 0,
      retractedSeconds: 0,
      caughtRelays: 0,
      kinds: {},
      last: null,
      underAudit: { windows: 0, relays: 0, seconds: 0 },
    });
    const before = [{ since: 0, until: 99 }];
    assert.deepEqual(
      await relayCoverage(archive.database, relayId, ALL),
      before,
    );
    await record(archive, relayId, { retractions: [] });
    assert.equal(await archive.count("sync_audit"), 1);
    assert.equal(
      await archive.count("sync_audit where last_contradicted_at is null"),
      1,
    );
  },
);

testOnEachServer(
  "recordAudit() takes back what was covered of a window, which becomes a gap",
  async (archive) => {
    const { database } = archive;
    const relayId = await relayWith(
      archive,
      [ALL, 0, 99, "paging"],
      [ALL, 200, 299, "finish"],
      [NOTES, 0, 99, "paging"],
    );
    const cause = contradiction(50, 60);
    const outcome = await record(archive, relayId, {
      asked: 2,
      confirmed: 1,
      contradictions: [cause],
      retractions: [{ filterHash: ALL, since: 50, until: 249, cause }],
    });
    assert.deepEqual(outcome, {
      contradicted: 1,
      retractedSeconds: 100,
      retractions: { hidden: 1 },
    });
    assert.deepEqual(await relayCoverage(database, relayId, ALL), [
      { since: 0, until: 49 },
      { since: 250, until: 299 },
    ]);
    assert.deepEqual(await relayCoverage(database, relayId, NOTES), [
      { since: 0, until: 99 },
    ]);
    const gaps = await relayGaps(database, relayId, ALL);
    assert.deepEqual(
      gaps.map(({ since, until, reason }) => [since, until, reason]),
      [[50, 99, "contradicted"], [200, 249, "contradicted"]],
    );
    const { last, ...status } = await auditStatus(database);
    assert.deepEqual(status, {
      asked: 2,
      confirmed: 1,
      contradicted: 1,
      retractions: 1,
      retractedSeconds: 100,
      caughtRelays: 1,
      kinds: { hidden: 1 },
      underAudit: { windows: 2, relays: 1, seconds: 100 },
    });
    const { at, ...what } = last!;
    assert.ok(at > 1_700_000_000);
    assert.deepEqual(what, { url: URL, kind: "hidden", question: "silence" });
    assert.deepEqual(await integrity(archive), []);
  },
);

testOnEachServer(
  "recordAudit() takes back in all walks what rests on a method",
  async (archive) => {
    const { database } = archive;
    const relayId = await relayWith(
      archive,
      [ALL, 0, 99, "empty-page"],
      [ALL, 100, 149, "paging"],
      [NOTES, 50, 69, "finish"],
      [NOTES, 0, 9, "negentropy"],
    );
    const cause = contradiction(10, 20, { kind: "omitted" });
    const outcome = await record(archive, relayId, {
      retractions: [
        { filterHash: null, methods: ["empty-page", "finish"], cause },
      ],
    });
    assert.deepEqual(outcome, {
      contradicted: 1,
      retractedSeconds: 120,
      retractions: { omitted: 1 },
    });
    assert.deepEqual(await relayCoverage(database, relayId, ALL), [
      { since: 100, until: 149 },
    ]);
    assert.deepEqual(await relayCoverage(database, relayId, NOTES), [
      { since: 0, until: 9 },
    ]);
    assert.equal((await relayGaps(database, relayId, NOTES)).length, 1);
    const [row] = await archive.sql<{ text: string }[]>`
      select retracted::text as text from sync_contradiction`;
    assert.equal(row!.text, "{[0,100)}");
    const found = await archive.sql<{ retracted: string }[]>`
      select retracted_seconds as retracted from sync_audit
      order by retracted_seconds`;
    assert.deepEqual(found.map(({ retracted }) => Number(retracted)), [
      20,
      100,
    ]);
    assert.deepEqual(await integrity(archive), []);
  },
);

testOnEachServer(
  "recordAudit() notes a contradiction once, also when it is the cause of several retractions",
  async (archive) => {
    const relayId = await relayWith(
      archive,
      [ALL, 0, 9, "paging"],
      [ALL, 20, 29, "paging"],
    );
    const cause = contradiction(0, 9, { eventIds: IDS });
    const other = contradiction(5, 9, { kind: "late", question: "page" });
    const outcome = await record(archive, relayId, {
      contradictions: [cause, other],
      retractions: [
        { filterHash: ALL, since: 0, until: 9, cause },
        { filterHash: ALL, since: 20, until: 25, cause },
        // Nothing is left of it.
        { filterHash: ALL, since: 5, until: 9, cause: other },
      ],
    });
    assert.deepEqual(outcome, {
      contradicted: 2,
      retractedSeconds: 16,
      retractions: { hidden: 2 },
    });
    const report = await relayReport(archive.database, URL, { outages: 1 });
    assert.deepEqual(
      report!.contradictions.map(({ at: _at, ...rest }) => rest),
      [{
        filter: {},
        kind: "late",
        question: "page",
        since: 5,
        until: 9,
        eventIds: IDS.slice(0, 3),
        retractedSeconds: 0,
      }, {
        filter: {},
        kind: "hidden",
        question: "silence",
        since: 0,
        until: 9,
        eventIds: IDS.slice(0, 10),
        retractedSeconds: 16,
      }],
    );
    const [walk] = report!.coverage;
    const { lastContradictedAt, ...audit } = walk!.audit!;
    assert.ok(lastContradictedAt! > 1_700_000_000);
    assert.deepEqual(audit, {
      asked: 0,
      confirmed: 0,
      contradicted: 2,
      retractions: 2,
      retractedSeconds: 16,
      lastAskedAt: null,
    });
  },
);

testOnEachServer(
  "of a relay the newest 100 contradictions are kept, and the counters count all",
  async (archive) => {
    const relayId = await relayWith(archive);
    const other = await newRelay(archive, "wss://other.example.com");
    const one = { contradictions: [contradiction(1, 1)], retractions: [] };
    await record(archive, other, one);
    for (let round = 0; round < 3; round++) {
      const contradictions = Array.from(
        { length: 45 },
        (_, i) => contradiction(1_000 * round + i, 9_000),
      );
      await record(archive, relayId, { contradictions, retractions: [] });
    }
    const of = `sync_contradiction where relay_id = ${relayId}`;
    assert.equal(await archive.count(of), 100);
    assert.equal(await archive.count(`${of} and since < 35`), 0);
    assert.equal(await archive.count("sync_contradiction"), 101);
    const status = await auditStatus(archive.database);
    assert.deepEqual([status.contradicted, status.caughtRelays], [136, 2]);
    assert.deepEqual(status.kinds, { hidden: 101 });
  },
);

async function integrity({ database }: TestArchive): Promise<string[]> {
  const { signal } = new AbortController();
  const found = await verifyIntegrity(database, { batchSize: 100, signal });
  return found.map(({ rule }) => rule);
}
