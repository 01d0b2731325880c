import { deepStrictEqual } from "node:assert/strict";
import { WorkLeft } from "../../../../src/services/synchronizer/work_left.ts";
import { BEGINNING, OPEN_END } from "../../../../src/models/window.ts";

const NOW = BEGINNING + 999;

Deno.test("WorkLeft counts the time that a sync has to walk, and what of it is settled", () => {
  const left = new WorkLeft();
  const windows = [{ since: 0, until: OPEN_END }];
  left.plan([{ filterHash: "a", windows }, { filterHash: "b", windows }], NOW);
  const settle = (filterHash: string, since: number, until: number) =>
    left.settle([
      { filterHash, since: BEGINNING + since, until: BEGINNING + until },
    ]);
  settle("a", 900, 10_000);
  settle("a", 850, 950);
  settle("b", 0, 99);
  settle("c", 0, 99);
  left.settle([{ filterHash: "b", since: 0, until: BEGINNING - 1 }]);
  deepStrictEqual(left.work, {
    wantedSeconds: 2_000,
    settledSeconds: 250,
    missing: 0,
  });
  // A session that begins again plans less.
  left.plan([{ filterHash: "a", windows: [] }], NOW);
  left.lack(5);
  left.lack(2);
  deepStrictEqual(left.work, {
    wantedSeconds: 2_000,
    settledSeconds: 250,
    missing: 7,
  });
});
