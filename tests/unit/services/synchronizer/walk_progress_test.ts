import assert from "node:assert/strict";
import type { SyncCounts } from "../../../../src/services/synchronizer/sync_store.ts";
import {
  progressLog,
  statesText,
} from "../../../../src/services/synchronizer/walk_progress.ts";

Deno.test("statesText() counts the ranges in each state, the newest range first", () => {
  assert.equal(statesText([]), "");
  assert.equal(statesText(["auditing"]), "auditing");
  assert.equal(
    statesText(["paging", "confirming-end", "paging", "paging"]),
    "paging ×3, confirming end",
  );
});

Deno.test("progressLog() writes a line when a walk does something else, one a second at most", () => {
  const lines: unknown[] = [];
  let now = 0;
  const log = progressLog(
    { debug: (_message, fields) => void lines.push(fields?.["doing"]) },
    "wss://relay.example.com",
    () => now,
  );
  for (
    const [at, state] of [
      [0, "paging"],
      [100, "auditing"],
      [999, "counting"],
      [1_000, "counting"],
      [5_000, "counting"],
      [5_001, "paging"],
      [5_002, "paging"],
    ] as const
  ) {
    now = at;
    log({ ...NOTHING, doing: [state] });
  }
  assert.deepEqual(lines, ["paging", "counting", "paging"]);
});

const NOTHING: SyncCounts = {
  stored: 0,
  known: 0,
  received: 0,
  requests: 0,
  rejected: {},
  until: null,
  doing: [],
  work: { wantedSeconds: 0, settledSeconds: 0, missing: 0 },
};
