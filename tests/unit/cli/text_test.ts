import { deepStrictEqual, equal } from "node:assert/strict";
import {
  byteSize,
  duration,
  grouped,
} from "../../../src/cli/terminal/numbers.ts";
import { table } from "../../../src/cli/terminal/table.ts";

Deno.test("numbers are written for people", () => {
  deepStrictEqual([0, 999, 1_234_567.6].map(grouped), [
    "0",
    "999",
    "1,234,568",
  ]);
  deepStrictEqual([0, 99, 100, 5_999, 6_000, 172_800].map(duration), [
    "0 s",
    "99 s",
    "2 min",
    "100 min",
    "1.7 h",
    "2 d",
  ]);
  deepStrictEqual([512, 1_536, 5 * 1_024 ** 3].map(byteSize), [
    "512 B",
    "1.5 KiB",
    "5.0 GiB",
  ]);
});

Deno.test("table() aligns numbers to the right and words to the left", () => {
  equal(
    table(["relay", "events"], [["a.example", "7"], ["b", "1,234"]]),
    "relay      events\na.example       7\nb           1,234\n",
  );
  equal(table(["relay"], []), "relay\n");
});
