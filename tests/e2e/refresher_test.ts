/**
 * `bigbrotr refresher` as a process: killed, without a schema, with statistics to make again.
 *
 * @module
 */
import assert from "node:assert/strict";
import { storeBatch } from "../../src/archive/events.ts";
import { statisticsStatus } from "../../src/archive/statistics/refresh.ts";
import { type TestArchive, testArchive } from "../support/archive.ts";
import { assertStatistics } from "../support/brute_statistics.ts";
import { eventFactory } from "../support/event_factory.ts";
import { scratchDatabase } from "../support/postgres.ts";
import { programs, runProgram, startProgram } from "../support/program.ts";
import { newRelay, syncBatch } from "../support/sync_batch.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { until } from "../support/until.ts";

const factory = eventFactory("refresher e2e");

/** A batch of events on a day each. */
async function store(
  { database }: TestArchive,
  relayId: number,
): Promise<void> {
  const events = Array.from(
    { length: 20 },
    (_, n) => factory.sign({ createdAt: 1_750_000_000 + n * 86_400 }),
  );
  await storeBatch(database, syncBatch(relayId, events));
}

for (const program of programs()) {
  Deno.test(`${program.name}: a refresher that is killed is followed by the one that waits, within seconds`, async () => {
    await using archive = await testArchive();
    await using home = await temporaryDirectory();
    const relayId = await newRelay(archive);
    const start = () =>
      startProgram(program, ["refresher", "--database", archive.url], {
        cwd: home.path,
      });
    await store(archive, relayId);
    const first = start();
    await until(
      "the first works",
      async () => (await statisticsStatus(archive.database)).events === 20,
    );
    await using second = start();
    const [, holder = ""] = await second.said(
      /another refresher works, waits to take over holder=\S+:(\d+)/,
    );
    assert.equal(Number(holder), first.pid);
    await first.stop("SIGKILL");
    await store(archive, relayId);
    await second.said(/took over from another refresher/);
    await until(
      "the second works",
      async () => (await statisticsStatus(archive.database)).events === 40,
    );
    const status = await runProgram(program, [
      "status",
      "--database",
      archive.url,
    ], { cwd: home.path });
    const text = status.stdout.replace(/\s+/g, " ");
    assert.match(text, /statistics up to date, folded \d+ s ago; by \S+, busy/);
    assert.match(text, /40 events and 40 sightings folded/);
    const { code, stderr } = await second.stop("SIGTERM");
    assert.equal(code, 0, stderr);
    await assertStatistics(archive.sql);
  });

  Deno.test(`${program.name}: refresher --rebuild makes what it is told to, once, and db verify --deep names what is wrong before`, async () => {
    await using archive = await testArchive();
    await using home = await temporaryDirectory();
    const relayId = await newRelay(archive);
    await store(archive, relayId);
    const run = (...line: string[]) =>
      runProgram(program, [...line, "--database", archive.url], {
        cwd: home.path,
      });
    assert.equal((await run("refresher", "--once")).code, 0);
    await archive.sql`
      update kind_day set events = 41 where day = 1750000000 / 86400`;
    const verified = await run("db", "verify", "--deep");
    assert.equal(verified.code, 1);
    assert.match(
      verified.stdout,
      /wrong statistics: kind_day of 2025-06-15, kind 1: 41 instead of 1\n/,
    );
    assert.match(verified.stdout, /"bigbrotr refresher --rebuild"/);

    const other = ["--since", "2025-06-20", "--until", "2025-06-21"];
    const outside = await run("refresher", "--rebuild", ...other);
    assert.equal(outside.code, 0, outside.stderr);
    assert.match(outside.stderr, /to be made again days=2 relays=0/);
    assert.equal((await run("db", "verify", "--deep")).code, 1);

    const whole = await run("refresher", "--rebuild");
    assert.equal(whole.code, 0, whole.stderr);
    assert.match(whole.stderr, /to be made again days=20 relays=1/);
    assert.match(whole.stderr, /statistics are up to date/);
    assert.equal((await run("db", "verify", "--deep")).code, 0);
    await assertStatistics(archive.sql);
  });

  Deno.test(`${program.name}: a refresher without a schema says what to do`, async () => {
    await using scratch = await scratchDatabase();
    await using home = await temporaryDirectory();
    const line = ["refresher", "--once", "--database", scratch.url];
    const { code, stderr } = await runProgram(program, line, {
      cwd: home.path,
    });
    assert.equal(code, 1);
    assert.match(stderr, /bigbrotr db init/);
  });
}
