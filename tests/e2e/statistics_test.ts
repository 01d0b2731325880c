/**
 * Proof of statistics: whatever writers do, and whoever dies when, in the end they are what the tables hold.
 *
 * @module
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { removeRelay } from "../../src/archive/relay_admin.ts";
import { insertRelays, relayIds } from "../../src/archive/relays.ts";
import { statisticsStatus } from "../../src/archive/statistics/refresh.ts";
import { checkStatistics } from "../../src/archive/statistics/check_statistics.ts";
import { type TestArchive, testArchive } from "../support/archive.ts";
import { assertStatistics } from "../support/brute_statistics.ts";
import { eventFactory } from "../support/event_factory.ts";
import { type ServerVersion, serverVersions } from "../support/postgres.ts";
import {
  type RunningProgram,
  runProgram,
  SOURCE,
  startProgram,
} from "../support/program.ts";
import { type ScriptProcess, startScript } from "../support/script_process.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { until } from "../support/until.ts";

const WRITER = new URL("../support/statistics_writer.ts", import.meta.url);
const WRITERS = 8;
/** Each kills a writer, and every third a refresher. */
const ROUNDS = 12;

const RELAYS = [
  { url: "wss://a.example", network: "clearnet" },
  { url: "wss://b.example", network: "clearnet" },
  { url: "wss://c.example", network: "clearnet" },
  { url: `ws://${"d".repeat(56)}.onion`, network: "tor" },
  { url: "ws://e.i2p", network: "i2p" },
] as const;

/** A queue that is soon full, so that facts are dropped while nobody folds them. */
const SMALL_QUEUE = `
  create or replace function fact_bound(out rows int4, out bytes int8)
  language sql immutable parallel safe as 'select 60, 1000000000::int8'`;

for (const version of await serverVersions()) {
  Deno.test(`statistics equal the tables after 8 writers, kills of writers and refreshers, wrong clocks, back-dated events, deletions, forgetting and a rebuild in the middle [${version}]`, async () => {
    const seed = Deno.env.get("SEED") ?? randomUUID();
    try {
      await proveStatistics(version, seed);
    } catch (error) {
      throw new Error(`SEED=${seed}`, { cause: error });
    }
  });
}

async function proveStatistics(
  version: ServerVersion,
  seed: string,
): Promise<void> {
  await using archive = await testArchive({ version });
  await using home = await temporaryDirectory();
  const random = eventFactory(`statistics test ${seed}`);
  await archive.sql.unsafe(SMALL_QUEUE);
  await insertRelays(archive.database, RELAYS);
  const urls = RELAYS.map(({ url }) => url);
  const ids = [...(await relayIds(archive.database, urls)).values()];

  await using writers = new Writers(archive, seed, ids);
  // Nobody folds: the queue overflows.
  await until("facts were dropped", async () => {
    await writers.wrote(random.number(WRITERS));
    return (await statisticsStatus(archive.database)).daysToMake > 0;
  });

  const refresh = (...options: string[]) => [
    "refresher",
    "--database",
    archive.url,
    ...options,
  ];
  const start = () => startProgram(SOURCE, refresh(), { cwd: home.path });
  await using refreshers = new Refreshers(start);
  const rebuilding = Promise.withResolvers<void>();
  for (let round = 0; round < ROUNDS; round++) {
    const writer = random.number(WRITERS);
    for (let n = random.number(6); n >= 0; n--) await writers.wrote(writer);
    await writers.killAndReplace(writer);
    if (round % 3 === 2) {
      await folded(archive);
      await refreshers.killAndReplace(random.number(2));
    }
    if (round === ROUNDS / 2) {
      void rebuild(archive, home.path, refresh("--rebuild"))
        .then(rebuilding.resolve, rebuilding.reject);
    }
    await assertHolds(archive);
  }
  await writers.finish();
  await rebuilding.promise;
  await assertHolds(archive);
  const { signal } = new AbortController();
  await removeRelay(archive.database, urls[0]!, { sightings: true, signal });
  await refreshers[Symbol.asyncDispose]();

  const { code, stderr } = await runProgram(SOURCE, refresh("--once"), {
    cwd: home.path,
  });
  assert.equal(code, 0, stderr);
  await assertStatistics(archive.sql);
  await assertHolds(archive);
  assert.ok(await archive.count("event") > 100);
  assert.ok(await archive.count("forgotten_event") > 0);
  // Events may all be of days that are made again.
  const { facts, waiting } = await statisticsStatus(archive.database);
  assert.ok(facts > 0, `${facts} facts folded`);
  assert.equal(waiting, 0);
}

/** What was folded, what waits and what is to be made is always all there is. */
async function assertHolds({ database }: TestArchive): Promise<void> {
  const { signal } = new AbortController();
  assert.deepEqual(
    await checkStatistics(database, {
      days: 5,
      relays: 2,
      authors: 10,
      sketches: 20,
      signal,
    }),
    [],
  );
}

/** Waits until a refresher has folded something more. */
async function folded({ database }: TestArchive): Promise<void> {
  const { facts } = await statisticsStatus(database);
  await until(
    "a refresher works",
    async () => (await statisticsStatus(database)).facts > facts,
  );
}

async function rebuild(
  { database }: TestArchive,
  cwd: string,
  line: readonly string[],
): Promise<void> {
  const { code, stderr } = await runProgram(SOURCE, line, { cwd });
  assert.equal(code, 0, stderr);
  assert.match(stderr, /statistics are to be made again days=[1-9]/);
  assert.equal((await statisticsStatus(database)).relaysToMake, 0, stderr);
}

/** Writers that print a line for each thing they do, and are replaced when they are killed. */
class Writers implements AsyncDisposable {
  readonly #start: (number: number) => ScriptProcess;
  readonly #running: ScriptProcess[];
  #lives = 0;

  constructor({ url }: TestArchive, seed: string, relayIds: number[]) {
    const now = Math.floor(Date.now() / 1_000);
    this.#start = (number) => {
      const own = `${number} ${this.#lives++}`;
      return startScript(WRITER, [url, now, seed, own, ...relayIds]);
    };
    this.#running = Array.from({ length: WRITERS }, (_, n) => this.#start(n));
  }

  /** Waits until the writer has done something more. */
  async wrote(number: number): Promise<void> {
    await this.#running[number]!.next();
  }

  async killAndReplace(number: number): Promise<void> {
    const writer = this.#running[number]!;
    writer.kill();
    await writer[Symbol.asyncDispose]();
    this.#running[number] = this.#start(number);
  }

  /** Lets all of them finish what they are at. */
  async finish(): Promise<void> {
    await Promise.all(this.#running.map((one) => one[Symbol.asyncDispose]()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.finish();
  }
}

/** Two refreshers, one of which works. */
class Refreshers implements AsyncDisposable {
  readonly #start: () => RunningProgram;
  readonly #running: RunningProgram[];

  constructor(start: () => RunningProgram) {
    this.#start = start;
    this.#running = [start(), start()];
  }

  async killAndReplace(number: number): Promise<void> {
    await this.#running[number]!.stop("SIGKILL");
    this.#running[number] = this.#start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#running.map((one) => one[Symbol.asyncDispose]()));
  }
}
