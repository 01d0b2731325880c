import assert from "node:assert/strict";
import {
  type NewCoverage,
  type NewGap,
  storeBatch,
} from "../../../src/archive/events.ts";
import {
  PROOFS,
  proofShares,
  relayProofs,
  retractCoverage,
  STRENGTHS,
} from "../../../src/archive/sync/sync_coverage.ts";
import { verifyIntegrity } from "../../../src/core/database/integrity.ts";
import { filterHash } from "../../../src/models/filter.ts";
import { STRENGTHS as WORKER_STRENGTHS } from "../../../src/workers/protocol/evidence.ts";
import { relayCoverage, relayGaps } from "../../support/archive_reads.ts";
import type { TestArchive } from "../../support/archive.ts";
import { testOnEachServer } from "../../support/each_server.ts";
import { syncBatch } from "../../support/sync_batch.ts";

const RELAY = 1;
const HASH = filterHash({});

testOnEachServer(
  "coverage grows together and keeps what is apart apart",
  async (archive) => {
    await advance(archive, [10, 19], [30, 39]);
    await advance(archive, [20, 24], [50, 50]);
    await advance(archive, [0, 12], [
      Number.MAX_SAFE_INTEGER,
      Number.MAX_SAFE_INTEGER,
    ]);
    const last = Number.MAX_SAFE_INTEGER;
    assert.deepEqual(await relayCoverage(archive.database, RELAY, HASH), [
      { since: 0, until: 24 },
      { since: 30, until: 39 },
      { since: 50, until: 50 },
      { since: last, until: last },
    ]);
    const kindOne = filterHash({ kinds: [1] });
    assert.deepEqual(await relayCoverage(archive.database, RELAY, kindOne), []);
    assert.deepEqual(await relayCoverage(archive.database, 2, HASH), []);
  },
);

testOnEachServer("the newest proof of a window counts", async (archive) => {
  await store(archive, { coverage: [covered(0, 99, "empty-page")] });
  await store(archive, { coverage: [covered(50, 120, "negentropy")] });
  assert.deepEqual(await relayProofs(archive.database, RELAY, HASH), [
    { since: 0, until: 49, method: "empty-page", strength: "paged" },
    { since: 50, until: 120, method: "negentropy", strength: "paged" },
  ]);
  await store(archive, { coverage: [covered(0, 200, "finish")] });
  assert.deepEqual(await relayProofs(archive.database, RELAY, HASH), [
    { since: 0, until: 200, method: "finish", strength: "paged" },
  ]);
});

testOnEachServer(
  "of proofs that come together the strongest counts, whatever their order",
  async (archive) => {
    const { database } = archive;
    await store(archive, { coverage: [covered(0, 99, "paging", "counted")] });
    const together = [
      covered(0, 39, "negentropy", "reconciled"),
      covered(10, 59, "split", "weak"),
      covered(20, 69, "paging", "paged"),
      covered(65, 79, "count", "weak"),
      covered(65, 79, "empty-page", "weak"),
    ];
    for (const coverage of [together, together.toReversed()]) {
      await store(archive, { coverage });
      assert.deepEqual(
        (await relayProofs(database, RELAY, HASH)).map((proof) => [
          proof.since,
          proof.until,
          proof.method,
          proof.strength,
        ]),
        [
          [0, 39, "negentropy", "reconciled"],
          [40, 69, "paging", "paged"],
          [70, 79, "count", "weak"],
          [80, 99, "paging", "counted"],
        ],
      );
    }
    const all = [{ since: 0, until: 99 }];
    assert.deepEqual(await relayCoverage(database, RELAY, HASH), all);
  },
);

testOnEachServer(
  "every strength the program knows is one the database takes, and no other",
  async (archive) => {
    for (const [i, strength] of STRENGTHS.entries()) {
      const since = 10 * i;
      await store(archive, {
        coverage: [covered(since, since + 5, "paging", strength)],
      });
    }
    const proofs = await relayProofs(archive.database, RELAY, HASH);
    assert.deepEqual(proofs.map(({ strength }) => strength), [...STRENGTHS]);
    assert.deepEqual([...STRENGTHS], [...WORKER_STRENGTHS]);
    await assert.rejects(
      async () => await archive.sql`update sync_proof set strength = 'certain'`,
      /sync_proof_strength_check/,
    );
  },
);

testOnEachServer(
  "proofShares() gives shares of what is proven of the time that is wanted and counted",
  async (archive) => {
    const { database } = archive;
    const shares = (since: number, until: number | null) =>
      proofShares(database, RELAY, [{ filterHash: HASH, since, until }]);
    const none = { reconciled: 0, counted: 0, paged: 0, weak: 0 };
    assert.deepEqual(await shares(0, null), none);
    const first = 1_604_188_800;
    await store(archive, {
      coverage: [
        // Nothing was on Nostr before: it does not count.
        covered(0, first - 1, "empty-page", "weak"),
        covered(first, first + 299, "paging", "paged"),
        covered(first + 400, first + 499, "negentropy", "reconciled"),
      ],
    });
    assert.deepEqual(await shares(0, null), {
      ...none,
      paged: 0.75,
      reconciled: 0.25,
    });
    assert.deepEqual(await shares(first + 300, first + 449), {
      ...none,
      reconciled: 1,
    });
    assert.deepEqual(await shares(0, first - 2), { ...none, weak: 1 });
    const other = { filterHash: filterHash({ kinds: [1] }), since: 0 };
    assert.deepEqual(
      await proofShares(database, RELAY, [{ ...other, until: null }]),
      none,
    );
  },
);

testOnEachServer(
  "a gap whose reason contradicts a claim takes it back, and the others do not",
  async (archive) => {
    const { database } = archive;
    for (const reason of ["count-mismatch", "contradicted", "withheld"]) {
      await advance(archive, [0, 100]);
      await store(archive, {
        gaps: [gap(10, 19, reason), gap(30, 30, reason), gap(95, 120, reason)],
      });
      assert.deepEqual(await relayCoverage(database, RELAY, HASH), [
        { since: 0, until: 9 },
        { since: 20, until: 29 },
        { since: 31, until: 94 },
      ]);
      const found = await relayGaps(database, RELAY, HASH);
      assert.deepEqual(
        found.map(({ since, until, reason }) => [since, until, reason]),
        [[10, 19, reason], [30, 30, reason], [95, 120, reason]],
      );
      assert.deepEqual(await integrity(archive), []);
    }
    await store(archive, { gaps: [gap(0, 9, "timeout")] });
    assert.equal((await gaps(archive)).length, 3);
  },
);

testOnEachServer(
  "every proof the program knows is one the database takes",
  async (archive) => {
    for (const [i, method] of PROOFS.entries()) {
      await store(archive, { coverage: [covered(10 * i, 10 * i + 5, method)] });
    }
    const proofs = await relayProofs(archive.database, RELAY, HASH);
    assert.deepEqual(proofs.map(({ method }) => method), [...PROOFS]);
  },
);

testOnEachServer(
  "what is covered is no gap, whichever comes first",
  async (archive) => {
    await store(archive, { gaps: [gap(0, 100)] });
    await advance(archive, [20, 29], [90, 200]);
    assert.deepEqual(await gaps(archive), [[0, 19, 1], [30, 89, 1]]);
    await store(archive, { gaps: [gap(10, 40)] });
    assert.deepEqual(await gaps(archive), [
      [0, 9, 1],
      [10, 19, 2],
      [30, 40, 2],
      [41, 89, 1],
    ]);
    await advance(archive, [0, 89]);
    assert.deepEqual(await gaps(archive), []);
    await store(archive, { gaps: [gap(0, 200)] });
    assert.deepEqual(await gaps(archive), []);
  },
);

testOnEachServer(
  "a gap reported again counts the attempts and keeps its age",
  async (archive) => {
    const { database, sql } = archive;
    await store(archive, { gaps: [gap(5, 5), gap(7, 9, "timeout")] });
    await sql`update sync_gap set found_at = 1, reported_at = 1`;
    await store(archive, { gaps: [gap(5, 8, "saturated")] });
    const found = await relayGaps(database, RELAY, HASH);
    assert.deepEqual(
      found.map(({ since, until, reason, foundAt, attempts }) => [
        since,
        until,
        reason,
        foundAt,
        attempts,
      ]),
      [[5, 8, "saturated", 1, 2], [9, 9, "timeout", 1, 1]],
    );
    assert.ok(found[0]!.reportedAt > 1);
  },
);

testOnEachServer(
  "retractCoverage() makes windows wanted again, and their proofs go with them",
  async (archive) => {
    await advance(archive, [0, 100]);
    await retractCoverage(archive.database, {
      relayId: RELAY,
      filterHash: HASH,
      windows: [{ since: 10, until: 19 }, { since: 100, until: 100 }],
    });
    const left = [{ since: 0, until: 9 }, { since: 20, until: 99 }];
    assert.deepEqual(await relayCoverage(archive.database, RELAY, HASH), left);
    assert.deepEqual(
      await relayProofs(archive.database, RELAY, HASH),
      left.map((window) => ({
        ...window,
        method: "finish",
        strength: "paged",
      })),
    );
  },
);

function covered(
  since: number,
  until: number,
  method: NewCoverage["method"] = "finish",
  strength: NewCoverage["strength"] = "paged",
): NewCoverage {
  return { filterHash: HASH, filter: {}, since, until, method, strength };
}

function gap(since: number, until: number, reason = "closed"): NewGap {
  return { filterHash: HASH, since, until, reason };
}

async function store(
  { database }: TestArchive,
  rest: { coverage?: NewCoverage[]; gaps?: NewGap[] },
): Promise<void> {
  await storeBatch(database, syncBatch(RELAY, [], rest));
}

async function advance(
  archive: TestArchive,
  ...windows: [number, number][]
): Promise<void> {
  await store(archive, {
    coverage: windows.map(([since, until]) => covered(since, until)),
  });
}

async function gaps({ database }: TestArchive): Promise<number[][]> {
  const found = await relayGaps(database, RELAY, HASH);
  return found.map(({ since, until, attempts }) => [since, until, attempts]);
}

/** What `db verify --deep` has to say of coverage and gaps. */
async function integrity({ database }: TestArchive): Promise<string[]> {
  const { signal } = new AbortController();
  const found = await verifyIntegrity(database, { batchSize: 100, signal });
  return found.map(({ rule }) => rule)
    .filter((rule) => !rule.endsWith("→ relay"));
}
