/**
 * The bars of `sync`: what they say of a relay, and that they never take it back.
 *
 * @module
 */
import { deepStrictEqual, equal, ok } from "node:assert/strict";
import {
  type RelayRun,
  reportText,
  runLines,
  startRun,
} from "../../../../src/cli/reports/sync_report.ts";
import { parseRelayUrl } from "../../../../src/models/relay_url.ts";
import type { SyncCounts } from "../../../../src/services/synchronizer/sync_store.ts";

const COUNTS: SyncCounts = {
  stored: 0,
  known: 0,
  received: 0,
  requests: 1,
  rejected: {},
  until: 1_700_000_000,
  doing: ["paging"],
  work: { wantedSeconds: 1_000, settledSeconds: 0, missing: 0 },
};

function newRun(): RelayRun {
  const relay = parseRelayUrl("wss://relay.damus.io");
  if (!relay.ok) throw new Error(relay.failure.detail);
  return startRun(relay.value, {
    filters: [{ filter: {}, since: 0, until: null }],
    lookbackSeconds: 0,
    gapRetrySeconds: 0,
  });
}

/** Percent that is shown after each of the counts. */
function shares(...counts: Partial<SyncCounts>[]): (number | null)[] {
  const run = newRun();
  return counts.map((one) => {
    run.counts = { ...COUNTS, ...one };
    const share = runLines([run])[0]?.share ?? null;
    return share === null ? null : Math.round(share * 100);
  });
}

const walked = (settledSeconds: number) => ({
  work: { wantedSeconds: 1_000, settledSeconds, missing: 0 },
});

const listed = (stored: number, missing: number) => ({
  stored,
  work: { wantedSeconds: 1_000, settledSeconds: 10, missing },
});

Deno.test("the bar of a paged relay is the share of the time that is settled", () => {
  deepStrictEqual(shares(walked(0), walked(250), walked(1_000)), [0, 25, 99]);
});

Deno.test("the bar of a relay that lists its events is the share of those we lack", () => {
  deepStrictEqual(shares(listed(0, 100), listed(50, 100)), [0, 50]);
});

Deno.test("no bar goes back when more turns out to be missing, and none is full before the end", () => {
  deepStrictEqual(
    shares(walked(300), listed(10, 100), listed(40, 1_000), listed(900, 1_000)),
    [30, 30, 30, 90],
  );
  deepStrictEqual(shares(listed(1_000, 1_000)), [99]);
});

Deno.test("the line says how many are missing, and the time left once that can be told", () => {
  const run = newRun();
  const late = { ...run, startedAt: performance.now() - 60_000 };
  late.counts = { ...COUNTS, ...listed(250, 1_000) };
  const parts = runLines([late])[0]?.parts ?? [];
  equal(parts[0], "250 of 1,000 missing stored");
  equal(parts[1], "3 min left");
  run.counts = { ...COUNTS, ...listed(250, 1_000) };
  const early = runLines([run])[0]?.parts ?? [];
  ok(!early.some((part) => part.endsWith("left")), early.join());
});

Deno.test("the summary is a table where there is room, and a paragraph for each relay where there is not", () => {
  const run = newRun();
  run.unreached = {
    code: "refused",
    detail: "Nothing listens on relay.damus.io port 443",
  };
  const wide = reportText([run], 1, 200);
  ok(wide.startsWith("relay "), wide);
  const narrow = reportText([run], 1, 60);
  ok(narrow.startsWith("wss://relay.damus.io\n  refused: Nothing"), narrow);
  ok(narrow.split("\n").every((line) => line.length <= 60), narrow);
});
