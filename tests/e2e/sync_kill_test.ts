/**
 * `bigbrotr sync`, killed at random moments and started again, ends with every event stored once and with coverage
 * that claims what is stored: on an embedded server, which dies and comes back each time, and on an external one.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import postgres from "postgres";
import { brotrConfig } from "../../src/core/config/brotr_config.ts";
import { connectDatabase } from "../../src/core/database/connect.ts";
import { Random } from "../support/adversary/random.ts";
import { silentLogger } from "../support/silent_logger.ts";
import { type TestArchive, testArchive } from "../support/archive.ts";
import { eventFactory } from "../support/event_factory.ts";
import { externalVersion } from "../support/postgres.ts";
import {
  type Program,
  programs,
  type RunningProgram,
  runProgram,
  startProgram,
} from "../support/program.ts";
import { assertTruthful } from "../support/sync.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { type TestRelay, testRelay } from "../support/test_relay.ts";

const KILLS = 20;

/** `KILL_SEED=… deno test …` draws the same moments again, as far as the machine allows. */
const SEED = Number(Deno.env.get("KILL_SEED") ?? Date.now() % 1_000_000);

const factory = eventFactory("kill -9");
const EVENTS = Array.from(
  { length: 2_500 },
  (_, i) =>
    factory.sign({ createdAt: 1_700_000_000 + (i >> 1), author: i % 9 }),
);

// The one that users have, where it is built.
for (const program of programs().slice(-1)) {
  Deno.test(`${program.name}: sync survives ${KILLS} times kill -9 with its embedded server (seed ${SEED})`, async () => {
    await using home = await temporaryDirectory();
    await using relay = await slowRelay();
    const run = {
      program,
      relay,
      cwd: home.path,
      where: ["--data-dir", "data"],
    };
    await killAgainAndAgain(run);
    await onEmbedded(run, (archive) => checkTruth(archive, relay));
    await finish(run);
    await onEmbedded(run, (archive) => checkWhole(archive, relay));
  });

  Deno.test(`${program.name}: sync survives ${KILLS} times kill -9 on an external server (seed ${SEED})`, async () => {
    await using home = await temporaryDirectory();
    await using archive = await testArchive({
      version: await externalVersion(),
    });
    await using relay = await slowRelay();
    const where = ["--database", archive.url];
    const run = { program, relay, cwd: home.path, where };
    await killAgainAndAgain(run);
    await checkTruth(archive, relay);
    await finish(run);
    await checkWhole(archive, relay);
  });
}

interface Run {
  readonly program: Program;
  readonly relay: TestRelay;
  readonly cwd: string;
  /** Which database. */
  readonly where: readonly string[];
}

/** A page takes long enough that no run gets to the end before it is killed. */
function slowRelay(): Promise<TestRelay> {
  return testRelay({
    events: EVENTS,
    maxLimit: 50,
    onReq: async (req) => {
      await new Promise((resolve) => setTimeout(resolve, 60));
      await req.serve();
    },
  });
}

async function killAgainAndAgain(run: Run): Promise<void> {
  const random = new Random(SEED);
  for (let kill = 0; kill < KILLS; kill++) {
    await using running = startSync(run);
    // A third anywhere from the first instruction on, the rest after some pages, however slow the machine is.
    const pages = 1 + kill % 3 * random.below(4);
    const asked = run.relay.received("REQ", run.relay.count("REQ") + pages);
    if (kill % 3 > 0) await Promise.race([asked, running.end()]);
    await new Promise((resolve) => setTimeout(resolve, random.below(400)));
    if (!running.hasEnded) await running.stop("SIGKILL");
  }
}

async function finish(run: Run): Promise<void> {
  const { code, stdout, stderr } = await startSync(run).end();
  assert.equal(code, 0, stderr);
  const [report] = JSON.parse(stdout).relays;
  assert.deepEqual([report.complete, report.gaps], [true, []]);
}

function startSync({ program, relay, cwd, where }: Run): RunningProgram {
  const config = join(cwd, "synchronizer.yaml");
  // Small batches, so that there is something to lose at any moment.
  Deno.writeTextFileSync(config, "batchSize: 100\n");
  const options = ["--allow-private", "--json", "--config", config];
  const sync = ["sync", relay.url, ...options, ...where];
  return startProgram(program, sync, { cwd });
}

async function checkTruth(archive: TestArchive, relay: TestRelay) {
  const stored = await assertTruthful(archive, {
    relay: relay.relay,
    events: EVENTS,
  });
  assert.ok(stored > 0, "something was archived before it was killed");
}

async function checkWhole(archive: TestArchive, relay: TestRelay) {
  const truth = { relay: relay.relay, events: EVENTS };
  assert.equal(await assertTruthful(archive, truth), EVENTS.length);
  assert.equal(await archive.count("event"), EVENTS.length);
  assert.equal(await archive.count("event_relay"), EVENTS.length);
  assert.equal(await archive.count("sync_gap"), 0);
}

/** Looks into the embedded database while `db serve` holds it open. */
async function onEmbedded(
  { program, cwd, where }: Run,
  look: (archive: TestArchive) => Promise<void>,
): Promise<void> {
  await using server = startProgram(program, ["db", "serve", ...where], {
    cwd,
  });
  await server.said(/PostgreSQL is up/);
  const { stdout } = await runProgram(program, [
    "db",
    "url",
    "--role",
    "superuser",
    ...where,
  ], {
    cwd,
  });
  const url = stdout.trim();
  const { searchParams: at, pathname } = new URL(url);
  const sql = postgres({
    path: `${at.get("host")}/.s.PGSQL.${at.get("port")}`,
    user: at.get("user")!,
    database: pathname.slice(1),
    max: 2,
  });
  try {
    await using database = await connectDatabase(
      brotrConfig.parse({ database: { url } }),
      { log: silentLogger(), signal: new AbortController().signal },
    );
    await look({
      database,
      sql,
      url,
      async count(from) {
        const [row] = await sql.unsafe(
          `select count(*)::int as count from ${from}`,
        );
        return Number(row?.["count"]);
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    });
  } finally {
    await sql.end();
  }
  assert.equal((await server.stop("SIGTERM")).code, 0);
}
