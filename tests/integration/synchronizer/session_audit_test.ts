/**
 * The audit of a session on its way into the archive, and what is remembered of a relay.
 *
 * @module
 */
import assert from "node:assert/strict";
import { storeBatch } from "../../../src/archive/events.ts";
import { filterHash } from "../../../src/models/filter.ts";
import {
  recallRelay,
  type RelayMemory,
  rememberRelay,
} from "../../../src/services/synchronizer/relay_memory.ts";
import { SessionAudit } from "../../../src/services/synchronizer/session_audit.ts";
import {
  type FilterAudit,
  UNKNOWN_TRAITS,
} from "../../../src/workers/protocol/report.ts";
import type {
  Contradiction,
  Retraction,
} from "../../../src/workers/protocol/evidence.ts";
import { auditStatus, relayCoverage } from "../../support/archive_reads.ts";
import { testArchive } from "../../support/archive.ts";
import { newRelay, syncBatch } from "../../support/sync_batch.ts";

const HASH = filterHash({});

function contradiction(since: number): Contradiction {
  const [kind, question] = ["hidden", "sample"] as const;
  const window = { since, until: since + 9 };
  return { filterHash: HASH, ...window, kind, question, eventIds: [] };
}

function audited(
  asked: number,
  confirmed: number,
  contradictions: readonly Contradiction[],
): FilterAudit {
  return {
    filterHash: HASH,
    asked,
    confirmed,
    unanswered: 0,
    contradictions,
    late: [],
  };
}

Deno.test("a session that goes live reports twice, and is counted once", async () => {
  await using archive = await testArchive();
  const { database } = archive;
  const relayId = await newRelay(archive);
  await storeBatch(
    database,
    syncBatch(relayId, [], {
      coverage: [{
        filterHash: HASH,
        filter: {},
        since: 0,
        until: 99,
        method: "paging",
        strength: "paged",
      }],
    }),
  );
  const session = new SessionAudit(database, relayId);
  const [first, second] = [contradiction(10), contradiction(50)];
  const retraction = (cause: Contradiction): Retraction => ({
    filterHash: HASH,
    since: cause.since,
    until: cause.until,
    cause,
  });
  const early = {
    audits: [audited(2, 1, [first])],
    retracted: [retraction(first)],
  };
  await session.record(early);
  await session.record(early);
  assert.deepEqual(session.result, {
    asked: 2,
    confirmed: 1,
    contradicted: 1,
    retracted: 1,
    retractions: { hidden: 1 },
    retractedSeconds: 10,
  });
  await session.record({
    audits: [audited(2, 1, [first]), audited(3, 2, [second])],
    retracted: [retraction(first), retraction(second)],
  });
  const { asked, confirmed, contradicted, retractedSeconds } = session.result;
  assert.deepEqual([asked, confirmed, contradicted], [5, 3, 2]);
  assert.equal(retractedSeconds, 20);

  // The worker was lost: the next session counts from zero.
  session.beginAgain();
  await session.record({
    audits: [audited(1, 1, [])],
    retracted: [],
  });
  assert.equal(session.result.asked, 6);
  const status = await auditStatus(database);
  assert.deepEqual(
    [status.asked, status.confirmed, status.contradicted, status.retractions],
    [6, 4, 2, 2],
  );
  assert.deepEqual(await relayCoverage(database, relayId, HASH), [
    { since: 0, until: 9 },
    { since: 20, until: 49 },
    { since: 60, until: 99 },
  ]);
});

Deno.test("what is remembered of a relay comes back, and is written only when it is news", async () => {
  await using archive = await testArchive();
  const { database, sql } = archive;
  const url = "wss://relay.example.com";
  const recall = (now: number) =>
    recallRelay(database, url, { now, retestSeconds: 100 });
  const unknown = await recall(0);
  assert.deepEqual(unknown, {
    profile: UNKNOWN_TRAITS,
    negentropy: {
      support: "unknown",
      wholeList: -1,
      repair: null,
      unsupportedAt: 0,
    },
  });
  await rememberRelay(database, url, { before: unknown, after: unknown });
  assert.equal(await archive.count("service_state"), 0);

  const after: RelayMemory = {
    profile: { ...UNKNOWN_TRAITS, order: "newest-first", largestPage: 500 },
    negentropy: {
      support: "unsupported",
      wholeList: 7,
      repair: { downTo: 5, at: 6 },
      unsupportedAt: 1_000,
    },
  };
  await rememberRelay(database, url, { before: unknown, after });
  assert.deepEqual(await recall(1_099), after);
  // By then it may know NIP-77; how it pages stays known.
  assert.deepEqual(await recall(1_100), {
    profile: after.profile,
    negentropy: unknown.negentropy,
  });
  await sql`update service_state set updated_at = 1`;
  await rememberRelay(database, url, { before: after, after });
  assert.equal(await archive.count("service_state where updated_at = 1"), 1);

  // Written by another version: what is valid counts, the rest is as for a stranger.
  await sql`update service_state set state_value =
    '{"profile": {"order": "sideways", "largestPage": 9, "mood": 1}}'`;
  assert.deepEqual(await recall(0), {
    profile: { ...UNKNOWN_TRAITS, largestPage: 9 },
    negentropy: unknown.negentropy,
  });
});
