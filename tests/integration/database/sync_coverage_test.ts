import assert from "node:assert/strict";
import {
  type NewCoverage,
  type NewGap,
  storeBatch,
} from "../../../src/archive/events.ts";
import {
  PROOFS,
  relayCoverage,
  relayGaps,
  relayProofs,
  retractCoverage,
} from "../../../src/archive/sync_coverage.ts";
import { filterHash } from "../../../src/models/filter.ts";
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

testOnEachServer("the newest proof of a stretch counts", async (archive) => {
  await store(archive, { coverage: [covered(0, 99, "empty-page")] });
  await store(archive, { coverage: [covered(50, 120, "negentropy")] });
  assert.deepEqual(await relayProofs(archive.database, RELAY, HASH), [
    { since: 0, until: 49, method: "empty-page" },
    { since: 50, until: 120, method: "negentropy" },
  ]);
  await store(archive, { coverage: [covered(0, 200, "finish")] });
  assert.deepEqual(await relayProofs(archive.database, RELAY, HASH), [
    { since: 0, until: 200, method: "finish" },
  ]);
});

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
      left.map((window) => ({ ...window, method: "finish" })),
    );
  },
);

function covered(
  since: number,
  until: number,
  method: NewCoverage["method"] = "finish",
): NewCoverage {
  return { filterHash: HASH, filter: {}, since, until, method };
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
