import assert from "node:assert/strict";
import {
  isResting,
  restAfter,
} from "../../../src/services/synchronizer/live_rest.ts";
import { showsDeafness } from "../../../src/services/synchronizer/live_review.ts";

Deno.test("showsDeafness() takes neither a few late events nor less than half of all for deafness", () => {
  for (
    const [came, missed, isDeaf] of [
      [0, 0, false],
      [0, 10, false],
      [0, 11, true],
      [11, 11, false],
      [1_000, 900, false],
      [1_000, 1_001, true],
    ] as const
  ) {
    assert.equal(showsDeafness({ came, missed }), isDeaf, `${came}, ${missed}`);
  }
});

Deno.test("a relay that was deaf rests for a day, and one whose lease remembers nothing does not", () => {
  const review = { came: 0, missed: 11, isDeaf: true };
  const rest = restAfter({ review }, 1_000);
  assert.ok(isResting(rest, 1_000 + 86_399));
  assert.ok(!isResting(rest, 1_000 + 86_400));
  for (const memory of [{}, null, undefined, { notLiveUntil: "soon" }]) {
    assert.ok(!isResting(memory, 1_000));
  }
  const fine = { ...review, isDeaf: false };
  for (const result of [null, { review: null }, { review: fine }]) {
    assert.equal(restAfter(result, 1_000), undefined);
  }
});
