import assert from "node:assert/strict";
import { chosenDays } from "../../../../src/cli/commands/stats.ts";
import { OptionValues } from "../../../../src/cli/options/option_values.ts";
import { UsageError } from "../../../../src/cli/usage_error.ts";

/** Within day 20,000. */
const NOW = 20_000 * 86_400 + 4_711;

function days(options: Readonly<Record<string, string | boolean>>) {
  const values = new OptionValues(new Map(Object.entries(options)), NOW);
  const { firstDay, lastDay } = chosenDays(values, NOW);
  return [firstDay, lastDay];
}

Deno.test("stats shows whole days: 30 up to today, or those that are asked for", () => {
  assert.deepEqual(days({}), [19_971, 20_000]);
  assert.deepEqual(days({ last: "1d" }), [20_000, 20_000]);
  assert.deepEqual(days({ last: "2w" }), [19_987, 20_000]);
  assert.deepEqual(days({ since: "1d" }), [19_999, 20_000]);
  assert.deepEqual(days({ until: "1970-02-01" }), [2, 31]);
  assert.deepEqual(days({ until: "1970-01-03" }), [0, 2]);
  assert.deepEqual(
    days({ since: "1970-01-02T23:59Z", until: "1970-01-02" }),
    [1, 1],
  );
  assert.deepEqual(days({ until: "1970-01-31", last: "3d" }), [28, 30]);
  assert.deepEqual(days({ all: true }), [0, 36_525]);
  assert.deepEqual(days({ since: "2100-01-01", until: "2200-01-01" }), [
    36_525,
    36_525,
  ]);
});

Deno.test("stats refuses days that contradict each other or are none", () => {
  for (
    const options of [
      { all: true, last: "3d" },
      { since: "3d", last: "3d" },
      { since: "1d", until: "2d" },
      { last: "0d" },
      { last: "12h" },
      { last: "30" },
      { last: "-3d" },
      { since: "yesterday" },
    ]
  ) {
    assert.throws(() => days(options), UsageError, JSON.stringify(options));
  }
});
