import assert from "node:assert/strict";
import {
  cooldownAfter,
  isCoolingDown,
} from "../../../../../src/services/synchronizer/live/cooldown.ts";
import { showsWithholding } from "../../../../../src/services/synchronizer/live/review.ts";

Deno.test("showsWithholding() takes neither a few late events nor less than half of all for withholding", () => {
  for (
    const [came, missed, isWithholding] of [
      [0, 0, false],
      [0, 10, false],
      [0, 11, true],
      [11, 11, false],
      [1_000, 900, false],
      [1_000, 1_001, true],
    ] as const
  ) {
    assert.equal(
      showsWithholding({ came, missed }),
      isWithholding,
      `${came}, ${missed}`,
    );
  }
});

Deno.test("a relay that was withholding is not live for a day, and one whose lease remembers nothing does not", () => {
  const review = { came: 0, missed: 11, isWithholding: true };
  const rest = cooldownAfter({ review }, 1_000);
  assert.ok(isCoolingDown(rest, 1_000 + 86_399));
  assert.ok(!isCoolingDown(rest, 1_000 + 86_400));
  for (const memory of [{}, null, undefined, { notLiveUntil: "soon" }]) {
    assert.ok(!isCoolingDown(memory, 1_000));
  }
  const fine = { ...review, isWithholding: false };
  for (const result of [null, { review: null }, { review: fine }]) {
    assert.equal(cooldownAfter(result, 1_000), undefined);
  }
});
