/**
 * `bigbrotr up` while its database is away: it waits, says so once, and goes on.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type CuttableLine, cuttableLine } from "../support/cuttable_line.ts";
import { type TestArchive, testArchive } from "../support/archive.ts";
import { eventFactory } from "../support/event_factory.ts";
import {
  programs,
  type RunningProgram,
  startProgram,
} from "../support/program.ts";
import {
  type PrivatePostgres,
  privatePostgres,
} from "../support/private_postgres.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { testRelay } from "../support/test_relay.ts";
import { until } from "../support/until.ts";

const factory = eventFactory("outage");

const RELAYS = 12;
const EVENTS = 600;

/** Longer than a one-shot command would wait here, and many times an interval. */
const OUTAGE_MS = 8_000;

for (const program of programs()) {
  Deno.test(`${program.name}: up outlives an outage of its database without a failed cycle, and says two lines of it`, async () => {
    await using archive = await testArchive();
    await using line = lineTo(archive);
    await using relay = await testRelay({ events: [factory.sign()] });
    await using home = await makeHome(through(line, archive), relay.url);
    const lines: string[] = [];
    await using up = startProgram(program, ["up", "--log-format", "json"], {
      cwd: home.path,
      onLine: (line) => lines.push(line),
    });
    const [, address = ""] = await up.said(/"url":"(http:\/\/[^/]+)/);
    await until(
      "the event is archived",
      async () => alive(up) && await archive.count("event") === 1,
    );

    const before = lines.length;
    line.cut();
    const startedAt = performance.now();
    await until(
      "up is not ready",
      async () => (await readyz(address)).status === 503,
    );
    // What comes meanwhile is kept until there is a place for it.
    relay.add([factory.sign()]);
    await until(
      "the outage is long enough",
      () => Promise.resolve(performance.now() - startedAt > OUTAGE_MS),
    );
    assert.match((await readyz(address)).text, /database: /);
    line.mend();
    await until(
      "up is ready again",
      async () => alive(up) && (await readyz(address)).status === 200,
    );
    await until(
      "the second event is archived",
      async () => alive(up) && await archive.count("event") === 2,
    );

    const trouble = lines.slice(before).map((line) => JSON.parse(line))
      .filter(({ level, message }) =>
        level === "warn" || level === "error" || /database/.test(message)
      );
    assert.deepEqual(trouble.map(({ message }) => message), [
      "database lost, work waits for it",
      "database is back",
    ]);
    assert.ok(trouble[1].retried > 0 && trouble[1].seconds > 5);
    assert.equal(await archive.count("relay_lease where failures > 0"), 0);
    assert.equal((await up.stop("SIGTERM")).code, 0);
  });

  Deno.test(`${program.name}: up archives everything of its relays although PostgreSQL is restarted, crashes and takes no writes meanwhile`, async () => {
    await using server = await privatePostgres();
    await using stack = new AsyncDisposableStack();
    const relays = await Promise.all(
      Array.from({ length: RELAYS }, async (_, relay) => {
        const events = Array.from({ length: EVENTS }, (_, n) =>
          factory.sign({
            createdAt: 1_700_000_000 + n * 60,
            kind: 1,
            content: `${relay} ${"x".repeat(1_000)}`,
          }));
        return stack.use(await testRelay({ events, maxLimit: 100 }));
      }),
    );
    await using home = await makeHome(
      { database: { url: server.url } },
      relays.map(({ url }) => url).join("\n"),
    );
    const lines: string[] = [];
    await using up = startProgram(program, ["up", "--log-format", "json"], {
      cwd: home.path,
      onLine: (line) => lines.push(line),
    });
    const [, address = ""] = await up.said(/"url":"(http:\/\/[^/]+)/);
    const events = async () => {
      alive(up);
      const [row] = await server.sql`select count(*)::int as n from event`;
      return Number(row?.n);
    };
    const total = RELAYS * EVENTS;
    const troubles = [
      () => server.restart("fast"),
      () => server.restart("immediate"),
      async () => {
        await setReadOnly(server, "on");
        await until(
          "readyz tells of it",
          async () => /takes no writes/.test((await readyz(address)).text),
        );
        await setReadOnly(server, "off");
      },
    ];
    for (const [nth, trouble] of troubles.entries()) {
      // In the middle of the writing, and each time further on.
      const reached = total * (nth + 1) / 10;
      await until(`there are ${reached}`, async () => await events() > reached);
      await trouble();
    }
    await until("everything is archived", async () => await events() === total);
    const [row] = await server.sql`
      select (select count(*)::int from relay_lease where failures > 0) as failed,
        (select count(*)::int from rejected_event) as rejected`;
    assert.deepEqual({ ...row }, { failed: 0, rejected: 0 });
    const trouble = lines.map((line) => JSON.parse(line))
      .filter(({ level }) => level === "warn" || level === "error")
      .filter(({ message }) => message !== "database lost, work waits for it");
    assert.deepEqual(trouble, []);
    assert.equal((await up.stop("SIGTERM")).code, 0);
  });

  Deno.test(`${program.name}: up that is told to stop while its database is away stops in time`, async () => {
    await using archive = await testArchive();
    await using line = lineTo(archive);
    await using relay = await testRelay();
    await using home = await makeHome(through(line, archive), relay.url);
    await using up = startProgram(program, ["up"], { cwd: home.path });
    await up.said(/everything started/);
    line.cut();
    await up.said(/database lost/);
    const startedAt = performance.now();
    const { code, stderr } = await up.stop("SIGTERM");
    assert.equal(code, 0, stderr);
    assert.ok(performance.now() - startedAt < 15_000);
  });

  Deno.test(`${program.name}: a service waits for a database that comes after it; a command gives up and says so`, async () => {
    await using archive = await testArchive();
    await using line = lineTo(archive);
    await using home = await makeHome(
      through(line, archive),
      "ws://127.0.0.1:1",
    );
    line.cut();
    await using seeder = startProgram(program, ["seeder"], { cwd: home.path });
    await seeder.said(/database is not there yet, waiting for it/);
    const { code, stderr } = await startProgram(program, ["status"], {
      cwd: home.path,
    }).end();
    assert.equal(code, 1);
    assert.match(stderr, /not there yet, waiting for it/);
    assert.match(stderr, /bigbrotr: Cannot reach PostgreSQL at 127/);
    line.mend();
    await seeder.said(/database is there/);
    await seeder.said(/service started/);
    assert.equal((await seeder.stop("SIGTERM")).code, 0);
  });
}

function lineTo({ url }: TestArchive): CuttableLine {
  const { searchParams } = new URL(url);
  return cuttableLine(
    `${searchParams.get("host")}/.s.PGSQL.${searchParams.get("port")}`,
  );
}

/** The part of config/brotr.yaml that leads to the archive through the line. */
function through({ port }: CuttableLine, { url }: TestArchive) {
  const database = new URL(url).pathname.slice(1);
  return { database: { host: "127.0.0.1", port, database } };
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

/** A directory with a configuration in which every failed cycle is the last. */
async function makeHome(
  database: { readonly database: Readonly<Record<string, unknown>> },
  seeds: string,
) {
  const folder = await temporaryDirectory();
  const services = join(folder.path, "config/services");
  await Deno.mkdir(services, { recursive: true });
  const local = {
    allowPrivate: true,
    intervalSeconds: 1,
    maxConsecutiveFailures: 1,
  };
  const files = {
    "seeds.txt": `${seeds}\n`,
    "config/brotr.yaml": {
      ...database,
      retry: { outageSeconds: 1, maxAttempts: 3 },
      up: { metrics: { port: 0 } },
    },
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

async function readyz(address: string) {
  const response = await fetch(`${address}/readyz`);
  return { status: response.status, text: await response.text() };
}

/** What is waited for will not come when the program has ended. */
function alive(up: RunningProgram): boolean {
  if (up.hasEnded) throw new Error("up has ended");
  return true;
}
