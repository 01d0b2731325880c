import assert from "node:assert/strict";
import { testArchive } from "../../support/archive.ts";
import {
  assertStatistics,
  bruteStatistics,
  fillStatistics,
  statisticsFaults,
} from "../../support/brute_statistics.ts";
import { writeHistory } from "../../support/statistics_history.ts";

Deno.test("statisticsFaults() names what was altered in each table, and nothing else", async (t) => {
  await using archive = await testArchive();
  const { sql } = archive;
  await writeHistory(archive);
  assert.ok((await statisticsFaults(sql)).length > 10);
  await fillStatistics(sql);
  await assertStatistics(sql);
  const expected = await bruteStatistics(sql);
  for (const [table, rows] of Object.entries(expected)) {
    assert.ok(rows.length > 1, `${table} tries nothing`);
  }

  const one = "where ctid = (select ctid from";
  for (
    const [table, change] of [
      ["event_minute", `delete from event_minute ${one} event_minute limit 1)`],
      [
        "kind_hour",
        `update kind_hour set events = events + 1 ${one} kind_hour limit 1)`,
      ],
      ["kind_day", `insert into kind_day values (1, 1, 7)`],
      ["kind_total", `update kind_total set events = 1 where kind = 7`],
      [
        "author",
        `update author set last_at = last_at + 1 ${one} author limit 1)`,
      ],
      ["author_day", `delete from author_day ${one} author_day limit 1)`],
      [
        "relay_day",
        `update relay_day set events = events + 1 ${one} relay_day limit 1)`,
      ],
      ["relay_kind", `delete from relay_kind ${one} relay_kind limit 1)`],
      [
        "relay_author",
        `update relay_author set kinds = '\\x0000' where kinds <> '\\x0000'`,
      ],
      ["distinct_sketch", `update distinct_sketch set is_stale = true`],
      [
        "distinct_sketch",
        `update distinct_sketch set estimate = estimate + 1000 where subject = 7`,
      ],
      [
        "distinct_sketch",
        `update distinct_sketch set registers = '\\x000001' where subject = 4`,
      ],
    ] as const
  ) {
    await t.step(change, async () => {
      await sql.begin(async (tx) => {
        await tx.unsafe(change);
        const faults = await statisticsFaults(tx);
        assert.ok(faults.length > 0);
        for (const fault of faults) {
          assert.ok(new RegExp(`^${table}\\b`).test(fault), fault);
        }
        throw new RolledBack();
      }).catch((error) => {
        if (!(error instanceof RolledBack)) throw error;
      });
    });
  }
  await assertStatistics(sql);
});

class RolledBack extends Error {}
