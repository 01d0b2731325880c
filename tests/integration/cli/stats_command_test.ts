/**
 * `stats`: tables and plots for people of any terminal, and JSON.
 *
 * @module
 */
import assert from "node:assert/strict";
import {
  readStatistics,
  SECTIONS,
} from "../../../src/archive/statistics/read_statistics.ts";
import { statisticsText } from "../../../src/cli/reports/statistics_report.ts";
import { testArchive } from "../../support/archive.ts";
import { fillStatistics } from "../../support/brute_statistics.ts";
import { runProgram, SOURCE } from "../../support/program.ts";
import { writeHistory } from "../../support/statistics_history.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";

Deno.test("stats keeps within terminals of 60 and 200 columns, and shows each section", async () => {
  await using archive = await testArchive();
  await writeHistory(archive);
  await fillStatistics(archive.sql);
  await archive
    .sql`insert into fact_dropped (dropped_at, relay_id) select 0, id from relay where id = 1`;
  for (const firstDay of [0, lastDay() - 29]) {
    const days = { firstDay, lastDay: lastDay() };
    const statistics = await readStatistics(archive.database, {
      range: days,
      sections: SECTIONS,
      top: 5,
    });
    const range = {
      since: firstDay * 86_400,
      until: (days.lastDay + 1) * 86_400 - 1,
    };
    for (const columns of [60, 80, 200, Infinity]) {
      const text = statisticsText(statistics, { range, columns });
      for (const line of text.split("\n")) {
        assert.ok([...line].length <= Math.min(columns, 200), line);
      }
      for (
        const part of [
          "3,000 events of 12 kinds",
          "1 relay to be made again",
          "▁",
          "█",
          "kind category",
          /npub1\w{8,}/,
          "wss://r1.example *",
          "clearnet",
          "new in",
          "+1 w %",
        ]
      ) {
        const words = text.replace(/\s+/g, " ");
        const isThere = typeof part === "string"
          ? words.includes(part)
          : part.test(words);
        assert.ok(isThere, `${part} in\n${text}`);
      }
      assert.ok(!text.includes("\x1b"));
    }
  }
});

Deno.test("stats prints one JSON object, only the section that is asked for, and usage errors with 2", async () => {
  await using archive = await testArchive();
  await using directory = await temporaryDirectory();
  await writeHistory(archive, 500);
  await fillStatistics(archive.sql);
  const run = (...args: string[]) =>
    runProgram(SOURCE, ["stats", ...args], {
      cwd: directory.path,
      env: { BIGBROTR_DATABASE: archive.url },
    });
  const all = await run("--all", "--json");
  const report = JSON.parse(all.stdout);
  assert.deepEqual(
    [all.code, report.now.events, report.totals.events],
    [0, 500, 500],
  );
  assert.deepEqual(
    Object.keys(report),
    ["range", "now", "status", "totals", ...SECTIONS],
  );
  const kinds = await run("kinds", "--all", "--top", "2", "--json");
  assert.deepEqual(Object.keys(JSON.parse(kinds.stdout)), [
    "range",
    "now",
    "status",
    "totals",
    "kinds",
  ]);
  assert.equal(JSON.parse(kinds.stdout).kinds.length, 2);
  const text = await run("trend", "--last", "12w");
  assert.match(text.stdout, /^as of +20/);
  assert.match(text.stdout, /^new authors +.*\n≤ /m);
  for (const wrong of [["people"], ["--last", "12h"], ["--top", "0"]]) {
    const { code, stderr } = await run(...wrong);
    assert.equal(code, 2, stderr);
  }
});

Deno.test("stats of an archive that nobody counts yet says who counts", async () => {
  await using archive = await testArchive();
  await using directory = await temporaryDirectory();
  const { code, stdout } = await runProgram(SOURCE, ["stats"], {
    cwd: directory.path,
    env: { BIGBROTR_DATABASE: archive.url },
  });
  assert.equal(code, 0);
  assert.match(stdout, /nothing is counted yet; "bigbrotr refresher" counts/);
});

function lastDay(): number {
  return Math.floor(Date.now() / 86_400_000);
}
