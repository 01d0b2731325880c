/**
 * `bigbrotr up` on the embedded PostgreSQL while that crashes: nothing is lost, and nothing is left behind.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import postgres from "postgres";
import { embeddedUrl } from "../../src/core/database/embedded/embedded_url.ts";
import {
  clusterProcesses,
  mainProcess,
  untilEnded,
} from "../support/embedded.ts";
import { eventFactory } from "../support/event_factory.ts";
import {
  type Program,
  programs,
  type RunningProgram,
  startProgram,
} from "../support/program.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { testRelay } from "../support/test_relay.ts";
import { until } from "../support/until.ts";

const factory = eventFactory("crash");
// Large, so that a crash meets a connection in the middle of its writing.
const EVENTS = Array.from({ length: 6_000 }, (_, n) =>
  factory.sign({
    createdAt: 1_700_000_000 + n,
    kind: 1,
    content: "x".repeat(4_000),
  }));
const CRASHES = 2;

for (const program of programs()) {
  Deno.test(`${program.name}: up survives whatever its PostgreSQL dies of, in the middle of its writing`, async () => {
    await using relay = await testRelay({ events: EVENTS, maxLimit: 200 });
    await using home = await makeHome(relay.url);
    const dataDir = join(home.path, "data");
    const lines: string[] = [];
    await using up = startUp(program, home.path, (line) => lines.push(line));
    await up.said(/everything started/);
    for (let crash = 0; crash < CRASHES; crash++) {
      const busy = await writer(up, dataDir);
      // A backend that dies so takes all others with it; without its main process the server itself is gone.
      if (crash % 2 === 0) Deno.kill(busy, "SIGSEGV");
      else Deno.kill(mainProcess(dataDir), "SIGKILL");
      await up.said(new RegExp(`database is back.*`));
      await until(`crash ${crash} is over`, () => {
        assert.equal(up.hasEnded, false, lines.join("\n"));
        const backs = lines.filter((line) => /database is back/.test(line));
        return Promise.resolve(backs.length > crash);
      });
    }
    await until("everything is archived", async () => {
      assert.equal(up.hasEnded, false, lines.join("\n"));
      return await count(dataDir) === EVENTS.length;
    });
    const { code } = await up.stop("SIGTERM");
    assert.equal(code, 0);
    assert.deepEqual(clusterProcesses(dataDir), []);
    const failed = lines.filter((line) => /cycle failed|uncaught/i.test(line));
    assert.deepEqual(failed, []);
    // The server's own words, for who wants to know why.
    const log = await Deno.readTextFile(join(dataDir, "postgres.log"));
    assert.match(log, /was terminated by signal 11/);
  });

  Deno.test(`${program.name}: a PostgreSQL that recovers from a crash does not outlive an up that is killed`, async () => {
    await using relay = await testRelay({ events: EVENTS, maxLimit: 200 });
    await using home = await makeHome(relay.url);
    const dataDir = join(home.path, "data");
    await using up = startUp(program, home.path);
    await up.said(/everything started/);
    Deno.kill(await writer(up, dataDir), "SIGSEGV");
    await up.said(/database lost/);
    await up.stop("SIGKILL");
    await untilEnded(dataDir);
    await using next = startUp(program, home.path);
    await next.said(/everything started/);
    assert.equal((await next.stop("SIGTERM")).code, 0);
  });
}

/** A backend that writes events now. */
async function writer(up: RunningProgram, dataDir: string): Promise<number> {
  let pid = 0;
  await until("a backend writes", async () => {
    assert.equal(up.hasEnded, false);
    const [row] = await ask(
      dataDir,
      (sql) =>
        sql`select pid from pg_stat_activity
        where state = 'active' and query like '%sync_batch_store%'
          and pid <> pg_backend_pid()`,
    );
    pid = row?.pid ?? 0;
    return pid > 0;
  });
  return pid;
}

async function count(dataDir: string): Promise<number> {
  const [row] = await ask(
    dataDir,
    (sql) => sql`select count(*)::int as events from event`,
  );
  return row?.events ?? 0;
}

/** No rows while the server is not there. */
async function ask(
  dataDir: string,
  question: (sql: postgres.Sql) => Promise<Iterable<postgres.Row>>,
): Promise<postgres.Row[]> {
  const url = new URL(await embeddedUrl({ dataDir }));
  const { searchParams } = url;
  const sql = postgres({
    path: `${searchParams.get("host")}/.s.PGSQL.${searchParams.get("port")}`,
    database: "bigbrotr",
    user: "bigbrotr",
    max: 1,
    max_lifetime: null,
    onnotice: () => {},
  });
  try {
    return [...await question(sql)];
  } catch {
    return [];
  } finally {
    await sql.end({ timeout: 1 });
  }
}

function startUp(
  program: Program,
  cwd: string,
  onLine?: (line: string) => void,
): RunningProgram {
  return startProgram(program, ["up", "--data-dir", "data"], {
    cwd,
    ...(onLine && { onLine }),
  });
}

async function makeHome(seed: string) {
  const folder = await temporaryDirectory();
  const services = join(folder.path, "config/services");
  await Deno.mkdir(services, { recursive: true });
  const local = {
    allowPrivate: true,
    intervalSeconds: 1,
    maxConsecutiveFailures: 1,
  };
  const files = {
    "seeds.txt": `${seed}\n`,
    "config/brotr.yaml": { up: { metrics: { port: 0 } } },
    "config/services/seeder.yaml": { ...local, filePath: "seeds.txt" },
    "config/services/finder.yaml": { ...local, api: { enabled: false } },
    "config/services/validator.yaml": local,
    "config/services/monitor.yaml": local,
    "config/services/synchronizer.yaml": local,
  };
  for (const [name, content] of Object.entries(files)) {
    const text = typeof content === "string"
      ? content
      : JSON.stringify(content);
    await Deno.writeTextFile(join(folder.path, name), text);
  }
  return folder;
}
