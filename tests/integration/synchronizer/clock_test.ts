import assert from "node:assert/strict";
import { storeBatch } from "../../../src/archive/events.ts";
import { filterHash } from "../../../src/models/filter.ts";
import { synchronizer } from "../../../src/services/synchronizer/mod.ts";
import {
  runOnce,
  type TestArchive,
  testArchive,
} from "../../support/archive.ts";
import { relayCoverage, relayGaps } from "../../support/archive_reads.ts";
import { relayAt } from "../../support/dialing.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { runProgram, SOURCE } from "../../support/program.ts";
import { shiftClock } from "../../support/shifted_clock.ts";
import { idOf } from "../../support/sync.ts";
import { syncBatch } from "../../support/sync_batch.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";
import { testRelay } from "../../support/test_relay.ts";

const factory = eventFactory("synchronizer-clock");
const EVENTS = Array.from({ length: 20 }, () => factory.sign());
const ALL = filterHash({});
const HOUR = 3_600;

Deno.test("synchronizer takes back what is proven of the future, and warns of it once a relay", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay({ events: EVENTS });
  const relayId = await provenFuture(archive, relay.url);
  const config = { allowPrivate: true };

  const run = await runOnce(synchronizer, archive.database, { config });
  const warnings = run.log.filter(({ level }) => level === "warn");
  assert.deepEqual(
    warnings.map(({ message, relay }) => [message, relay]),
    [[
      "proven time lay in the future and was taken back: a clock was wrong",
      relay.url,
    ]],
  );
  const seconds = Number(warnings[0]?.["seconds"]);
  assert.ok(Math.abs(seconds - HOUR) < 60, `${seconds} s`);
  const [newest] = (await relayCoverage(archive.database, relayId, ALL))
    .slice(-1);
  assert.ok(newest!.until <= Date.now() / 1_000, `${newest!.until}`);

  const again = await runOnce(synchronizer, archive.database, { config });
  assert.deepEqual(again.log.filter(({ level }) => level === "warn"), []);
});

Deno.test("synchronizer archives events and proves nothing while its clock is wrong, and says so", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay({ events: EVENTS });
  const relayId = await idOf(archive, relayAt(relay.url));
  const config = { allowPrivate: true };
  using _shifted = shiftClock(60);
  const run = await runOnce(synchronizer, archive.database, { config });

  assert.equal(await archive.count("event"), EVENTS.length);
  assert.deepEqual(await relayCoverage(archive.database, relayId, ALL), []);
  const gaps = await relayGaps(archive.database, relayId, ALL);
  assert.deepEqual([...new Set(gaps.map(({ reason }) => reason))], ["clock"]);
  const clock = { network: "clearnet", reason: "clock" };
  assert.ok(await run.metric("sync_gaps_total", clock) > 0);
  const warning = run.log.find(({ message }) =>
    message === "nothing proven of these relays: the clocks differ"
  );
  assert.equal(warning?.["relays"], 1);
  const skew = Number(warning?.["skewSeconds"]);
  assert.ok(Math.abs(skew - 60) < 5, `${skew} s`);
});

Deno.test("sync says on stderr and in its report that proven time lay in the future", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay({ events: EVENTS });
  await using directory = await temporaryDirectory();
  await provenFuture(archive, relay.url);

  const { code, stdout, stderr } = await runProgram(SOURCE, [
    "sync",
    relay.url,
    "--allow-private",
    "--database",
    archive.url,
  ], { cwd: directory.path });
  assert.equal(code, 0, stderr);
  assert.match(stderr, /warn.*proven time lay in the future/i);
  assert.match(
    stdout,
    /^WARNING: ws:.*: (60|59) min of proven time lay in the future and was taken back/m,
  );
});

/** The relay's id, after an hour from now is proven of it. */
async function provenFuture(
  archive: TestArchive,
  url: string,
): Promise<number> {
  const relayId = await idOf(archive, relayAt(url));
  const now = Math.floor(Date.now() / 1_000);
  await storeBatch(
    archive.database,
    syncBatch(relayId, [], {
      coverage: [{
        filterHash: ALL,
        filter: {},
        since: now - 30 * 86_400,
        until: now + HOUR,
        method: "paging",
        strength: "paged",
      }],
    }),
  );
  const [newest] = (await relayCoverage(archive.database, relayId, ALL))
    .slice(-1);
  assert.equal(newest?.until, now + HOUR);
  assert.deepEqual(await relayGaps(archive.database, relayId, ALL), []);
  return relayId;
}
