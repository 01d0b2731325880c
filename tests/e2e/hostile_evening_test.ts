/**
 * `bigbrotr up` on an evening on which everything comes together: hostile relays, a crowd at one address, and a database
 * that is restarted, crashes and takes no writes, while honest relays are archived.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { brotrConfig } from "../../src/core/config/brotr_config.ts";
import { connectDatabase } from "../../src/core/database/connect.ts";
import type { Database } from "../../src/core/database/connection/database.ts";
import type { NostrEvent } from "../../src/models/event.ts";
import { filterHash } from "../../src/models/filter.ts";
import type { TestArchive } from "../support/archive.ts";
import { relayCoverage, relayGaps } from "../support/archive_reads.ts";
import { eventFactory } from "../support/event_factory.ts";
import {
  type PrivatePostgres,
  privatePostgres,
} from "../support/private_postgres.ts";
import {
  programs,
  type RunningProgram,
  startProgram,
} from "../support/program.ts";
import { startScript } from "../support/script_process.ts";
import { silentLogger } from "../support/silent_logger.ts";
import { assertTruthful, idOf } from "../support/sync.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { type TestRelay, testRelay } from "../support/test_relay.ts";
import type { RelayScript } from "../support/test_relay_script.ts";
import { until } from "../support/until.ts";

const HONEST = 20;
const EVENTS = 240;
const CROWD = 300;

/** `READ_ONLY_SECONDS=60 deno test …` makes it the whole minute. */
const READ_ONLY_SECONDS = Number(Deno.env.get("READ_ONLY_SECONDS") ?? 8);

/** Everything takes its time beside relays that want all of it, on a machine that others use, too. */
const PATIENCE_MS = 120_000;

const LOST = "database lost, work waits for it";
const BACK = "database is back";
const SCRIPT = new URL("../support/hostile_relays.ts", import.meta.url);
const factory = eventFactory("hostile evening");

// The one that users have, where it is built.
for (const program of programs().slice(-1)) {
  Deno.test(`${program.name}: up archives everything of 20 honest relays and blames them for nothing on a hostile evening, ${READ_ONLY_SECONDS} s of it read-only (READ_ONLY_SECONDS)`, async () => {
    await using server = await privatePostgres();
    await using hostile = startScript(SCRIPT, []);
    const pests: readonly string[] = JSON.parse(await hostile.next());
    await using stack = new AsyncDisposableStack();
    const honest = await Promise.all(
      Array.from({ length: HONEST }, (_, n) => startHonest(stack, n)),
    );
    const crowd = stack.use(await testRelay());
    const crowded = Array.from(
      { length: CROWD },
      (_, n) => `${crowd.url}/${n}`,
    );
    const urls = honest.map(({ relay }) => relay.url);
    await using home = await makeHome(server, [...crowded, ...pests, ...urls]);
    const log: LogLine[] = [];
    const beganAt = Math.floor(Date.now() / 1_000);
    await using up = startProgram(program, [
      "up",
      "--log-format",
      "json",
      "--log-level",
      "debug",
    ], { cwd: home.path, onLine: (line) => log.push(JSON.parse(line)) });
    const { pid } = up;
    await up.said(/everything started/);
    await tormentDatabase({ server, up, log, honest });
    await using database = await open(server);
    const archive = asArchive(server, database);
    for (const { relay, events } of honest) {
      await until(
        `${relay.url} is proven up to this evening`,
        async () => alive(up) && await isProven(archive, relay, beganAt),
        PATIENCE_MS,
      );
      await until(
        `everything of ${relay.url} is archived`,
        async () =>
          alive(up) && events.length ===
            await assertTruthful(archive, { relay: relay.relay, events }),
        PATIENCE_MS,
      );
    }
    await until(
      "each hostile relay has struck",
      async () => {
        alive(up);
        await hostile.say("strikes");
        const strikes: number[] = JSON.parse(await hostile.next());
        return strikes.every((times) => times > 0);
      },
      PATIENCE_MS,
    );

    // It is the process that was started, and it has lost no worker: that would be a warning.
    assert.equal(alive(up) && up.pid, pid);
    assert.deepEqual(
      log.map(({ message }) => message).filter((message) =>
        message === LOST || message === BACK
      ),
      [LOST, BACK, LOST, BACK, LOST, BACK],
    );
    const troubles = log.filter(({ level, message }) =>
      (level === "warn" || level === "error") && message !== LOST
    );
    assert.deepEqual(troubles, []);
    await assertBlameless(archive, [...urls, ...crowded], log);
    assert(crowd.requests.length > 0, "the crowd was visited");
    const { code, stderr } = await up.stop("SIGTERM");
    assert.equal(code, 0, stderr.slice(-2_000));
  });
}

interface Honest {
  readonly relay: TestRelay;
  /** Everything it holds. */
  readonly events: NostrEvent[];
}

type LogLine = Readonly<Record<string, unknown>>;

interface Evening {
  readonly server: PrivatePostgres;
  readonly up: RunningProgram;
  readonly log: readonly LogLine[];
  readonly honest: readonly Honest[];
}

/** One of several kinds of relay, slow enough that its walk meets the evening. */
async function startHonest(
  stack: AsyncDisposableStack,
  n: number,
): Promise<Honest> {
  const events = Array.from({ length: EVENTS }, (_, i) =>
    factory.sign({
      createdAt: 1_700_000_000 + i * 60,
      content: `${n} ${"x".repeat(500)}`,
    }));
  const kinds: readonly RelayScript[] = [
    {},
    { negentropy: {} },
    { countable: true },
    { eoseHint: true },
  ];
  const relay = await testRelay({
    events,
    maxLimit: 20,
    onReq: async (req) => {
      await new Promise((resolve) => setTimeout(resolve, 400));
      await req.serve();
    },
    ...kinds[n % kinds.length],
  });
  return { relay: stack.use(relay), events };
}

/** Twice restarted and once read-only, each time in the middle of the writing. */
async function tormentDatabase(
  { server, up, log, honest }: Evening,
): Promise<void> {
  const said = (text: string) =>
    log.filter(({ message }) => message === text).length;
  const archived = async () => {
    alive(up);
    const [row] = await server.sql`select count(*)::int as n from event`;
    return Number(row?.n);
  };
  /** What comes while the database is away is kept until there is a place for it. */
  const meanwhile = async () => {
    const lost = said(BACK) + 1;
    await until(
      "the outage is noticed",
      () => Promise.resolve(alive(up) && said(LOST) === lost),
      PATIENCE_MS,
    );
    for (const { relay, events } of honest) {
      const event = factory.sign({ createdAt: Math.floor(Date.now() / 1_000) });
      events.push(event);
      relay.add([event]);
    }
  };
  const outages = [
    () => server.restart("fast", meanwhile),
    async () => {
      await setReadOnly(server, "on");
      const startedAt = performance.now();
      await meanwhile();
      await until(
        "it was read-only for long enough",
        () =>
          Promise.resolve(
            performance.now() - startedAt > READ_ONLY_SECONDS * 1_000,
          ),
        PATIENCE_MS,
      );
      await setReadOnly(server, "off");
    },
    () => server.restart("immediate", meanwhile),
  ];
  for (const [nth, outage] of outages.entries()) {
    const reached = HONEST * EVENTS * (nth + 1) / 5;
    await until(
      `${reached} events are archived`,
      async () => await archived() > reached,
      PATIENCE_MS,
    );
    assert(await archived() < HONEST * EVENTS, "it is the middle of the sync");
    await outage();
    await until(
      "it is said that the database is back",
      () => Promise.resolve(alive(up) && said(BACK) === nth + 1),
      PATIENCE_MS,
    );
  }
}

async function setReadOnly(
  { sql }: PrivatePostgres,
  value: "on" | "off",
): Promise<void> {
  await sql.unsafe(`set default_transaction_read_only = off`);
  await sql.unsafe(
    `alter system set default_transaction_read_only = ${value}`,
  );
  await sql`select pg_reload_conf()`;
}

/** Whether all of its time but the last, in which events may still be on their way, is covered by proofs. */
async function isProven(
  archive: TestArchive,
  { relay }: TestRelay,
  beganAt: number,
): Promise<boolean> {
  const relayId = await idOf(archive, relay);
  const hash = filterHash({});
  const covered = await relayCoverage(archive.database, relayId, hash);
  const gaps = await relayGaps(archive.database, relayId, hash);
  const [first] = covered;
  return gaps.length === 0 && covered.length === 1 && first?.since === 0 &&
    first.until >= beganAt - SETTLING_SECONDS;
}

const SETTLING_SECONDS = 60;

/** What is said of an honest relay, and nothing else. */
const PRAISE = new Set([
  "relay found",
  "relay checked",
  "relay synced",
  "relay live",
  "walk goes on",
]);

/** Neither the archive nor the log holds anything against these relays. */
async function assertBlameless(
  { sql }: TestArchive,
  urls: readonly string[],
  log: readonly LogLine[],
): Promise<void> {
  const blamed = new Set(urls);
  const said = log.filter(({ relay, candidate, message, outcome }) =>
    blamed.has(`${relay ?? candidate}`) &&
    (!PRAISE.has(`${message}`) || (outcome ?? "online") !== "online")
  );
  assert.deepEqual(said, []);
  const list = [...urls];
  const [row] = await sql`
    with honest as (select id as relay_id from relay where url = any (${list}))
    select
      (select count(*)::int from candidate where url = any (${list}) and failures > 0) as candidates,
      (select count(*)::int from relay_lease join honest using (relay_id)
        where failures > 0 or memory ? 'notLiveUntil') as leases,
      (select count(*)::int from relay_check join honest using (relay_id) where not online) as checks,
      (select count(*)::int from relay_outage join honest using (relay_id)) as outages,
      (select count(*)::int from relay_rejection join honest using (relay_id))
        + (select count(*)::int from rejected_event join honest using (relay_id)) as rejections,
      (select count(*)::int from sync_contradiction join honest using (relay_id)) as caught,
      (select count(*)::int from sync_withheld join honest using (relay_id)) as withheld`;
  assert.deepEqual({ ...row }, {
    candidates: 0,
    leases: 0,
    checks: 0,
    outages: 0,
    rejections: 0,
    caught: 0,
    withheld: 0,
  });
}

/** A directory with a configuration in which every failed cycle is the last. */
async function makeHome({ url }: PrivatePostgres, seeds: readonly string[]) {
  const folder = await temporaryDirectory();
  const services = join(folder.path, "config/services");
  await Deno.mkdir(services, { recursive: true });
  const local = {
    allowPrivate: true,
    intervalSeconds: 1,
    maxConsecutiveFailures: 1,
    // An honest relay that has to share its processors is not late.
    networks: { clearnet: { timeoutMs: 30_000 } },
  };
  const { networks: _, ...offline } = local;
  // The hostile ones are met again and again.
  const retry = { initialSeconds: 5 };
  const files = {
    "seeds.txt": seeds.join("\n"),
    "config/brotr.yaml": {
      database: { url },
      up: { metrics: { port: 0 } },
    },
    "config/services/seeder.yaml": { ...offline, filePath: "seeds.txt" },
    "config/services/finder.yaml": { ...offline, api: { enabled: false } },
    "config/services/validator.yaml": { ...local, retry },
    "config/services/monitor.yaml": local,
    "config/services/synchronizer.yaml": { ...local, retry },
  };
  for (const [name, content] of Object.entries(files)) {
    const text = typeof content === "string"
      ? content
      : JSON.stringify(content);
    await Deno.writeTextFile(join(folder.path, name), text);
  }
  return folder;
}

function open({ url }: PrivatePostgres): Promise<Database> {
  return connectDatabase(
    brotrConfig.parse({ database: { url } }),
    { log: silentLogger(), signal: new AbortController().signal },
  );
}

function asArchive(
  { sql, url }: PrivatePostgres,
  database: Database,
): TestArchive {
  return {
    database,
    sql,
    url,
    async count(from) {
      const [row] = await sql.unsafe(
        `select count(*)::int as count from ${from}`,
      );
      return Number(row?.count);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** What is waited for will not come when the program has ended. */
function alive(up: RunningProgram): boolean {
  if (up.hasEnded) throw new Error("up has ended");
  return true;
}
