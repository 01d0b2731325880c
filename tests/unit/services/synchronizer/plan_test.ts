import assert from "node:assert/strict";
import { OPEN_END, type Window } from "../../../../src/models/window.ts";
import {
  type PlannedWalk,
  planWalk,
  type SyncPlanContext,
} from "../../../../src/services/synchronizer/plan.ts";

const NOW = 1_000_000;
const WANTED = { lookbackSeconds: 100, gapRetrySeconds: 5_000 };

/** A walk with nothing proven of time from 1,000 on, but for what is given. */
function walk(change: Partial<PlannedWalk> = {}): PlannedWalk {
  return {
    filter: {},
    hash: "hash",
    since: 1_000,
    until: null,
    covered: [],
    gaps: [],
    weak: [],
    live: [],
    isUnseen: false,
    ...change,
  };
}

function plan(
  change: Partial<PlannedWalk> = {},
  context: Partial<SyncPlanContext> = {},
) {
  return planWalk(walk(change), {
    wanted: WANTED,
    context: {
      now: NOW,
      settledUntil: NOW - 60,
      isClockWrong: false,
      repair: null,
      ...context,
    },
  });
}

function windows(change: Partial<PlannedWalk>): readonly Window[] {
  return plan(change)?.windows ?? [];
}

function gap(since: number, until: number, reason: string, reportedAt: number) {
  return { since, until, reason, reportedAt, foundAt: 1, attempts: 1 };
}

Deno.test("planWalk() of a relay of which nothing is proven is everything wanted, without an end above", () => {
  const job = plan();
  assert.deepEqual(job?.windows, [{ since: 1_000, until: OPEN_END }]);
  assert.deepEqual(job?.wanted, { since: 1_000, until: OPEN_END });
  assert.equal(job?.provenUntil, NOW - 60);
});

Deno.test("planWalk() asks for what is not proven, the newest first, and for the look-back again", () => {
  const covered = [
    { since: 1_000, until: 2_000 },
    { since: 3_000, until: NOW - 500 },
  ];
  assert.deepEqual(windows({ covered }), [
    // Counted from the newest second that is proven, not from now.
    { since: NOW - 500 + 1 - 100, until: OPEN_END },
    { since: 2_001, until: 2_999 },
  ]);
});

Deno.test("planWalk() has nothing to do where all is proven that is wanted, until the look-back is over", () => {
  const until = 5_000;
  const covered = [{ since: 1_000, until }];
  assert.equal(plan({ until, covered }), null);
  const recent = { until: NOW, covered: [{ since: 1_000, until: NOW }] };
  assert.deepEqual(windows(recent), [{ since: NOW - 100, until: NOW }]);
});

Deno.test("planWalk() leaves a gap alone whose reason lies in the relay, until it is time to ask again", () => {
  const covered = [
    { since: 1_000, until: 1_999 },
    { since: 2_100, until: NOW },
  ];
  const asked = (reason: string, reportedAt: number) => {
    const gaps = [gap(2_000, 2_099, reason, reportedAt)];
    return windows({ covered, gaps }).some(({ since }) => since === 2_000);
  };
  assert.equal(asked("saturated", NOW - 4_999), false);
  assert.equal(asked("saturated", NOW - 5_000), true);
  assert.equal(asked("timeout", NOW), true);
});

Deno.test("planWalk() looks back into a gap that was walked, and not into one that cannot be", () => {
  const covered = [{ since: 1_000, until: NOW - 51 }];
  const asked = (reason: string) => {
    const gaps = [gap(NOW - 50, NOW, reason, NOW)];
    return windows({ covered, gaps });
  };
  assert.deepEqual(asked("withheld"), [{ since: NOW - 150, until: OPEN_END }]);
  assert.deepEqual(asked("saturated"), [
    { since: NOW + 1, until: OPEN_END },
    { since: NOW - 150, until: NOW - 51 },
  ]);
});

Deno.test("planWalk() walks again what only an open subscription has proven, however old", () => {
  const covered = [{ since: 1_000, until: NOW }];
  const live = [{ since: 2_000, until: 3_000 }];
  assert.deepEqual(windows({ covered, live }), [
    { since: NOW - 100, until: OPEN_END },
    { since: 2_000, until: 3_000 },
  ]);
});

Deno.test("planWalk() believes nothing of a relay that was never seen to hold anything", () => {
  const covered = [{ since: 1_000, until: NOW }];
  const weak = [{
    since: 1_000,
    until: NOW,
    method: "empty-page" as const,
    support: { questions: 1, witness: "", counts: null },
  }];
  const job = plan({ covered, weak, isUnseen: true });
  assert.deepEqual(job?.windows, [{ since: 1_000, until: OPEN_END }]);
  assert.deepEqual(job?.weak, []);
  assert.deepEqual(plan({ covered, weak })?.weak, weak);
});

Deno.test("planWalk() proves nothing while clocks differ, and nothing later than is wanted", () => {
  assert.equal(plan({}, { isClockWrong: true })?.provenUntil, null);
  assert.equal(plan({ until: 5_000 })?.provenUntil, 5_000);
  assert.equal(plan({ until: NOW + 9 })?.provenUntil, NOW - 60);
});

Deno.test("planWalk() compares the proven part of a slice of the past again, as one window", () => {
  const covered = [
    { since: 1_000, until: 2_000 },
    { since: 2_500, until: NOW },
  ];
  const repair = { since: 1_500, until: 3_000 };
  const repairs = plan({ covered }, { repair })?.repairs;
  assert.deepEqual(repairs, [{ since: 1_500, until: 3_000 }]);
  const outside = plan({ covered }, { repair: { since: 2_100, until: 2_200 } });
  assert.deepEqual(outside?.repairs, []);
  const whole = { until: 5_000, covered: [{ since: 1_000, until: 5_000 }] };
  assert.deepEqual(plan(whole, { repair })?.windows, []);
});

Deno.test("planWalk() never asks for what ends at second 0", () => {
  const covered = [{ since: 1, until: 5_000 }];
  assert.equal(plan({ since: 0, until: 5_000, covered }), null);
});
