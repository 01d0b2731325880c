import assert from "node:assert/strict";
import { insertEvents } from "../../../src/archive/events.ts";
import { refreshStatistics } from "../../../src/archive/statistics/refresh.ts";
import { statisticsReadiness } from "../../../src/cli/statistics_readiness.ts";
import { encodeEvents } from "../../../src/models/encoded_events.ts";
import { testArchive } from "../../support/archive.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { scratchDatabase } from "../../support/postgres.ts";

const factory = eventFactory("statistics_readiness_test");

Deno.test("a refresher is not ready when facts wait and nobody folds them; a backlog that becomes less is no problem", async () => {
  await using archive = await testArchive();
  const { database, sql } = archive;
  const ask = () => statisticsReadiness(database);
  assert.deepEqual(await ask(), {
    problems: [],
    facts: { statisticsLagSeconds: 0, unmadeDays: 0, unmadeRelays: 0 },
  });

  await insertEvents(database, encodeEvents([factory.sign()]));
  await sql`update fact set queued_at = unix_now() - 3600`;
  const { problems, facts } = await ask();
  assert.match(
    problems[0] ?? "",
    /^refresher: facts wait, and nothing was folded for 36\d\d s$/,
  );
  assert.ok(Number(facts["statisticsLagSeconds"]) >= 3_600);

  await sql`update statistics_state set folded_at = unix_now() - 3`;
  assert.deepEqual((await ask()).problems, []);
  await sql`update statistics_state set folded_at = unix_now() - 900`;
  assert.equal((await ask()).problems.length, 1);
  const { signal } = new AbortController();
  await refreshStatistics(database, { limit: 10, signal });
  assert.deepEqual((await ask()).problems, []);
});

Deno.test("that the database does not answer is for others to say", async () => {
  const scratch = await scratchDatabase();
  await using database = await scratch.open();
  await scratch[Symbol.asyncDispose]();
  assert.deepEqual(await statisticsReadiness(database), {
    problems: [],
    facts: {},
  });
});
