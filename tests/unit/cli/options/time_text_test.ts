import { equal } from "node:assert/strict";
import { parseTime } from "../../../../src/cli/options/time_text.ts";

const NOW = 1_795_000_000;

Deno.test("parseTime() reads seconds, dates in UTC, moments with a zone, and how long ago", () => {
  const cases: [string, number][] = [
    ["0", 0],
    ["1700000000", 1_700_000_000],
    ["now", NOW],
    ["90s", NOW - 90],
    ["90m", NOW - 5_400],
    ["12h", NOW - 43_200],
    ["7d", NOW - 604_800],
    ["2w", NOW - 1_209_600],
    ["2020-09-14", 1_600_041_600],
    ["2024-02-29", 1_709_164_800],
    ["2020-09-14T00:00Z", 1_600_041_600],
    ["2020-09-14 00:00:01Z", 1_600_041_601],
    ["2020-09-14T00:00:01.999Z", 1_600_041_601],
    ["2020-09-14T02:30+02:30", 1_600_041_600],
    ["2020-09-13T19:00-05:00", 1_600_041_600],
  ];
  for (const [text, seconds] of cases) {
    equal(parseTime(text, NOW), seconds, text);
  }
});

Deno.test("parseTime() takes nothing that means something else than it seems", () => {
  const wrong = [
    "-1",
    "-5",
    "1e9",
    "1.5",
    "2026-02-30",
    "2023-02-29",
    "2026-13-01",
    "2026/02/05",
    "Feb 5",
    "2026-2-5",
    "2026-02-05T10:00",
    "2026-02-05T25:00Z",
    "2026-02-05T10:60Z",
    "2026-02-05T10:00+25:00",
    "1969-12-31",
    "yesterday",
    "7 d",
    "d",
    "99999999d",
    "99999999999999999",
    "",
  ];
  for (const text of wrong) equal(parseTime(text, NOW), null, text);
});
