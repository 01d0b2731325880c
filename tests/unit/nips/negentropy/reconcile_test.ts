/**
 * Both sides of negentropy against each other: any two sets, at any frame limit.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { FrameBounds } from "../../../../src/nips/negentropy/dialogue.ts";
import { Initiator } from "../../../../src/nips/negentropy/initiator.ts";
import { respond } from "../../../support/negentropy_responder.ts";
import {
  hexIds,
  type Key,
  manyKeys,
  missing,
  sortedKeys,
  type TwoSides,
  twoSides,
} from "./key_sets.ts";

const BOUNDS: FrameBounds = { frameBytes: 60_000, answerBytes: 256 * 1024 };
const TIGHT: FrameBounds = { frameBytes: 4_096, answerBytes: 32 * 1024 };

/** What reconciling found, and what it took. */
interface Run {
  readonly need: string[];
  readonly haveCount: number;
  readonly rounds: number;
  readonly longestQuestion: number;
  readonly longestAnswer: number;
  readonly bytes: number;
}

function reconcile(
  { ours, theirs }: TwoSides,
  { bounds = BOUNDS, frameBytes = Infinity }: {
    bounds?: FrameBounds;
    frameBytes?: number;
  },
): Run {
  const keys = sortedKeys(theirs);
  const initiator = new Initiator(sortedKeys(ours), {
    ...bounds,
    maxIds: 1_000_000,
  });
  const run = { rounds: 0, longestQuestion: 0, longestAnswer: 0, bytes: 0 };
  for (
    let question = initiator.next();
    question !== null;
    question = initiator.next()
  ) {
    const answer = respond(keys, question, frameBytes);
    assert.ok(answer.ok);
    assert.equal(initiator.take(answer.value), null);
    run.rounds += 1;
    run.longestQuestion = Math.max(run.longestQuestion, question.length);
    run.longestAnswer = Math.max(run.longestAnswer, answer.value.length);
    run.bytes += question.length + answer.value.length;
  }
  assert.ok(initiator.isConfirmed);
  const { need, haveCount } = initiator.differences;
  return { ...run, haveCount, need: hexIds(need.bytes(0)) };
}

function assertExact(sides: TwoSides, run: Run): void {
  assert.deepEqual(run.need, missing(sides.theirs, sides.ours));
  assert.equal(run.haveCount, missing(sides.ours, sides.theirs).length);
}

Deno.test("Initiator and respond() find exactly what differs, at any frame limit", () => {
  const frames = fc.constantFrom(4_096, 5_000, 60_000, Infinity);
  const bounds = fc.constantFrom(BOUNDS, TIGHT);
  fc.assert(
    fc.property(twoSides(400), frames, bounds, (sides, frameBytes, bounds) => {
      assertExact(sides, reconcile(sides, { frameBytes, bounds }));
    }),
    { numRuns: 150 },
  );
});

Deno.test("Initiator finds everything when it holds nothing, and nothing when they do", () => {
  const all = manyKeys(10_000, { seed: 1 });
  for (const frameBytes of [4_096, 60_000, Infinity]) {
    const first = { ours: [], theirs: all };
    assertExact(first, reconcile(first, { frameBytes }));
    const last = { ours: all, theirs: [] };
    assertExact(last, reconcile(last, { frameBytes }));
  }
  assert.equal(reconcile({ ours: [], theirs: [] }, {}).rounds, 1);
});

Deno.test("Initiator keeps questions and answers within its bounds, also when it holds nothing", () => {
  const theirs = manyKeys(30_000, { seed: 2 });
  const run = reconcile({ ours: [], theirs }, { bounds: TIGHT });
  assert.ok(run.longestQuestion <= TIGHT.frameBytes);
  assert.ok(run.longestAnswer <= TIGHT.answerBytes);
});

Deno.test("respond() keeps to its frame limit", () => {
  const sides = {
    ours: manyKeys(6_000, { seed: 3 }),
    theirs: manyKeys(9_000, { seed: 4 }),
  };
  const run = reconcile(sides, { frameBytes: 4_096 });
  assertExact(sides, run);
  assert.ok(run.longestAnswer <= 4_096);
});

Deno.test("Initiator needs one round for equal sets, and few for few differences", () => {
  const all = manyKeys(100_000, { seed: 5 });
  assert.equal(reconcile({ ours: all, theirs: all }, {}).rounds, 1);
  const ours = all.filter((_, i) => i !== 777 && i !== 50_000 && i !== 99_999);
  const run = reconcile({ ours, theirs: all }, {});
  assertExact({ ours, theirs: all }, run);
  assert.ok(run.rounds <= 5, `${run.rounds} rounds`);
  assert.ok(run.bytes < 10_000, `${run.bytes} bytes`);
});

Deno.test("Initiator tells events of one second apart, and takes any moment up to 2^53", () => {
  const second = manyKeys(5_000, { seed: 6, perSecond: 5_000 });
  const far = manyKeys(100, { seed: 7 }).map(({ id }, i): Key => ({
    id,
    createdAt: Number.MAX_SAFE_INTEGER - i % 3,
  }));
  const ours = [...second.slice(0, 2_500), ...far.slice(0, 50)];
  const sides = { ours, theirs: [...second, ...far] };
  assertExact(sides, reconcile(sides, { frameBytes: 4_096 }));
});
