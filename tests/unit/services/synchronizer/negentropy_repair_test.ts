import assert from "node:assert/strict";
import { BEGINNING } from "../../../../src/models/window.ts";
import {
  concludeNip77,
  planNip77,
} from "../../../../src/services/synchronizer/negentropy_repair.ts";

const DAY = 86_400;
const NOW = BEGINNING + 1_000 * DAY;
const LOOKBACK = 100;
const TOP = NOW - LOOKBACK - 1;

const KNOWN = {
  support: "supported",
  wholeList: 5_000,
  repair: null,
  unsupportedAt: 0,
} as const;

const POLICY = {
  enabled: true,
  probeTimeoutMs: 2_000,
  retestSeconds: 30 * DAY,
  repairSeconds: 10 * DAY,
};

const WANTED = {
  filters: [{ filter: {}, since: 0, until: null }],
  lookbackSeconds: LOOKBACK,
  gapRetrySeconds: 0,
};

type Known = Parameters<typeof planNip77>[0];

function plan(
  known: Partial<Known> = {},
  { now = NOW, ...policy }: Partial<typeof POLICY> & { now?: number } = {},
) {
  return planNip77({ ...KNOWN, ...known }, {
    policy: { ...POLICY, ...policy },
    wanted: WANTED,
    now,
  });
}

Deno.test("planNip77() asks whoever may know it, and compares again only with who does", () => {
  assert.deepEqual(plan().job, {
    support: "supported",
    wholeList: 5_000,
    probeTimeoutMs: 2_000,
  });
  assert.equal(plan({ support: "unknown" }).job?.support, "unknown");
  assert.equal(plan({ support: "unknown" }).repair, null);
  for (
    const nothing of [
      plan({ support: "unsupported" }),
      plan({}, { enabled: false }),
    ]
  ) {
    assert.deepEqual([nothing.job, nothing.repair], [null, null]);
  }
  assert.equal(plan({}, { repairSeconds: 0 }).repair, null);
  assert.notEqual(plan({}, { repairSeconds: 0 }).job, null);
});

Deno.test("the first pass begins one step after everything was proven", () => {
  assert.deepEqual(plan().repair, {
    slice: null,
    next: { downTo: TOP + 1, at: NOW },
  });
});

Deno.test("a slice is as large a share of the past as the time passed is of a whole pass", () => {
  const at = NOW - DAY;
  const step = plan({ repair: { downTo: TOP + 1, at } }).repair;
  assert.equal(step?.slice?.until, TOP);
  const seconds = TOP - (step?.slice?.since ?? 0) + 1;
  assert.equal(seconds, Math.ceil((TOP - BEGINNING + 1) / 10));
  assert.deepEqual(step?.next, { downTo: step?.slice?.since, at: NOW });
});

Deno.test("a slice waits until it is a hundredth of the past, and loses no time by it", () => {
  const repair = { downTo: TOP + 1, at: NOW - DAY / 10 + 1 };
  assert.deepEqual(plan({ repair }).repair, { slice: null, next: repair });
  const { slice } = plan({ repair }, { now: NOW + 1 }).repair ?? {};
  const seconds = TOP - (slice?.since ?? 0) + 1;
  assert.equal(seconds, Math.ceil((TOP - BEGINNING + 2) / 100));
});

Deno.test("slices of one pass touch each other, reach the oldest second, and then a new pass begins", () => {
  let now = NOW;
  let cursor = plan().repair?.next ?? null;
  let expected = TOP;
  for (let step = 0; step < 11; step++) {
    now += DAY;
    const { slice, next } = plan({ repair: cursor }, { now }).repair ?? {};
    assert.equal(slice?.until, expected);
    assert.equal(next?.at, now);
    expected = (slice?.since ?? 0) - 1;
    cursor = next ?? null;
    if (slice?.since === 0) break;
  }
  assert.equal(expected, -1, "the pass did not come to its end");
  assert.equal(cursor?.downTo, now - LOOKBACK);
});

Deno.test("a clock that went back compares nothing and loses nothing", () => {
  const repair = { downTo: TOP - 5_000, at: NOW + 50 };
  assert.deepEqual(plan({ repair }).repair, {
    slice: null,
    next: repair,
  });
});

Deno.test("concludeNip77() goes on only from a slice that was compared, and remembers when it was not known", () => {
  const planned = plan({ repair: { downTo: TOP, at: NOW - DAY } });
  const report = { negentropy: "supported", wholeList: 9_000 } as const;
  const end = { report, now: NOW };
  const done = concludeNip77(planned, { ...end, isDone: true });
  assert.deepEqual(done, {
    support: "supported",
    wholeList: 9_000,
    repair: planned.repair?.next,
    unsupportedAt: 0,
  });
  const broken = concludeNip77(planned, { ...end, isDone: false });
  assert.deepEqual(broken.repair, planned.known.repair);

  const unsupported = { negentropy: "unsupported", wholeList: -1 } as const;
  const lost = concludeNip77(planned, {
    report: unsupported,
    now: NOW,
    isDone: true,
  });
  assert.equal(lost.unsupportedAt, NOW);

  const unused = plan({ support: "unsupported", unsupportedAt: 7 });
  assert.equal(
    concludeNip77(unused, { ...end, isDone: true }),
    unused.known,
  );
});
