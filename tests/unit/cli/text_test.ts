import { deepStrictEqual, equal } from "node:assert/strict";
import {
  byteSize,
  duration,
  grouped,
} from "../../../src/cli/terminal/numbers.ts";
import { labelledLines } from "../../../src/cli/terminal/labelled_lines.ts";
import {
  day,
  minute,
  moment,
  span,
} from "../../../src/cli/terminal/moments.ts";
import { table } from "../../../src/cli/terminal/table.ts";

Deno.test("numbers are written for people", () => {
  deepStrictEqual([0, 999, 1_234_567.6].map(grouped), [
    "0",
    "999",
    "1,234,568",
  ]);
  deepStrictEqual([86_400 * 729, 86_400 * 767].map(duration), [
    "729 d",
    "2.1 years",
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

Deno.test("table() leaves out the rightmost columns where there is no room", () => {
  const rows = [["a.example", "7", "12 d", "a long story"]];
  const head = ["relay", "events", "took", "said"];
  const lines = (columns: number) => table(head, rows, columns).split("\n");
  deepStrictEqual(lines(37)[1], "a.example       7  12 d  a long story");
  deepStrictEqual(lines(36)[1], "a.example       7  12 d");
  deepStrictEqual(lines(16)[1], "a.example");
  deepStrictEqual(lines(1)[1], "a.example");
});

Deno.test("labelledLines() goes on below, under the text", () => {
  const rows: [string, string][] = [
    ["caught", "two relays, one of them twice"],
    ["", "and more"],
    ["size", "1 MiB"],
    ["empty", ""],
  ];
  equal(
    labelledLines(rows, { label: 8, columns: 28 }),
    `caught  two relays, one of
        them twice
        and more
size    1 MiB
empty
`,
  );
  const [first] = labelledLines(rows, { label: 8, columns: Infinity })
    .split("\n");
  equal(first, "caught  two relays, one of them twice");
  const url = `wss://${"a".repeat(60)}.example`;
  equal(
    labelledLines([["last", `at ${url} today`]], { label: 5, columns: 25 }),
    `last at\n     ${url}\n     today\n`,
  );
});

Deno.test("moments are written for people, also those that no calendar has", () => {
  const at = Date.UTC(2026, 10, 27, 12) / 1_000;
  deepStrictEqual([moment(at), minute(at), day(at)], [
    "2026-11-27T12:00:00Z",
    "2026-11-27 12:00",
    "2026-11-27",
  ]);
  const never = Number.MAX_SAFE_INTEGER;
  deepStrictEqual(
    [moment(never), minute(never), day(never)],
    Array(3).fill(`second ${never}`),
  );
  deepStrictEqual([
    span(at, at),
    span(at, at + 3_600),
    span(at, at + 3 * 86_400),
  ], [
    "2026-11-27T12:00:00Z",
    "2026-11-27 12:00 … 2026-11-27 13:00",
    "2026-11-27 … 2026-11-30",
  ]);
});
