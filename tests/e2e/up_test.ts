/**
 * `bigbrotr up` on an empty directory: until it is healthy, asked to stop, killed, and started again.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { unless } from "../support/installed.ts";
import {
  type Program,
  type ProgramOptions,
  programs,
  type RunningProgram,
  runProgram,
  startProgram,
} from "../support/program.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { until } from "../support/until.ts";

/** No user at all, as good as any. */
const NOBODY = { uid: 65_534, gid: 65_534 };

for (const program of programs()) {
  Deno.test(`${program.name}: up becomes healthy on an empty directory, ends cleanly, and starts again`, async () => {
    await using home = await makeHome();
    for (let start = 0; start < 2; start++) {
      await using up = startUp(program, home);
      await assertMeasured(await untilReady(up));
      const status = await readStatus(program, home);
      assert.equal(status.events.count, 0);
      const { code } = await up.stop("SIGTERM");
      assert.equal(code, 0);
      await assertNoServer(home.path);
    }
  });

  Deno.test(`${program.name}: up takes its directory over again after it was killed`, async () => {
    await using home = await makeHome();
    {
      await using up = startUp(program, home);
      await untilReady(up);
      await up.stop("SIGKILL");
    }
    await using up = startUp(program, home);
    await untilReady(up);
    assert.equal((await up.stop("SIGINT")).code, 0);
    await assertNoServer(home.path);
  });

  Deno.test(`${program.name}: up says whose port it is that is in use, with exit code 1`, async () => {
    using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    await using home = await makeHome(taken.addr.port);
    await using up = startUp(program, home);
    const { code, stderr } = await up.end();
    assert.match(stderr, new RegExp(`${taken.addr.port}.*up\\.metrics\\.port`));
    assert.equal(code, 1);
    await assertNoServer(home.path);
  });

  Deno.test(`${program.name}: db serve tells a second owner who the first is`, async () => {
    await using home = await makeHome();
    const serve = ["db", "serve", "--data-dir", "data"];
    await using first = startProgram(program, serve, home.options);
    await first.said(/PostgreSQL is up/);
    const second = await runProgram(program, serve, home.options);
    assert.equal(second.code, 1);
    assert.match(second.stderr, new RegExp(`\\b${first.pid}\\b`));
    const { stdout } = await runProgram(program, [
      "db",
      "url",
      "--data-dir",
      "data",
    ], home.options);
    assert.match(stdout, /^postgres(ql)?:\/\//);
    assert.equal((await first.stop("SIGTERM")).code, 0);
  });

  Deno.test({
    ...unless(
      cannotBeNobody(program),
      `${program.name}: up runs as an unprivileged user`,
    ),
    async fn() {
      await using home = await makeHome();
      await Deno.chown(home.path, NOBODY.uid, NOBODY.gid);
      await using up = startUp(program, home, NOBODY);
      await untilReady(up);
      assert.equal((await up.stop("SIGTERM")).code, 0);
    },
  });
}

interface Home extends AsyncDisposable {
  readonly path: string;
  readonly options: ProgramOptions;
}

/** A directory with a configuration that leaves the real network alone. */
async function makeHome(metricsPort = 0): Promise<Home> {
  const folder = await temporaryDirectory();
  const services = join(folder.path, "config/services");
  await Deno.mkdir(services, { recursive: true });
  const files = {
    "config/brotr.yaml": `up: { metrics: { port: ${metricsPort} } }\n`,
    "config/services/seeder.yaml": "filePath: seeds.txt\n",
    "config/services/finder.yaml": "api: { enabled: false }\n",
    "seeds.txt": "# none\n",
  };
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(join(folder.path, name), text);
  }
  return {
    path: folder.path,
    options: { cwd: folder.path, env: { HOME: folder.path } },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

function startUp(
  program: Program,
  { options }: Home,
  user?: typeof NOBODY,
): RunningProgram {
  const args = ["up", "--data-dir", "data"];
  return startProgram(program, args, { ...options, ...(user && { user }) });
}

/** Waits for the first cycles: only then everything answers that it is ready. Gives its address. */
async function untilReady(up: RunningProgram): Promise<string> {
  const [, address = ""] = await up.said(/served.*url=(http:\/\/[^/]+)/);
  await until(`${address} is ready`, async () => {
    if (up.hasEnded) throw new Error((await up.end()).stderr);
    const response = await fetch(`${address}/readyz`);
    await response.body?.cancel();
    return response.ok;
  });
  return address;
}

/** What is measured of process, disk and database is there with the permissions that the program has. */
async function assertMeasured(address: string): Promise<void> {
  const text = await (await fetch(`${address}/metrics`)).text();
  for (
    const name of [
      "process_cpu_seconds_total",
      "process_resident_memory_bytes",
      "process_open_fds",
      "process_max_fds",
      "bigbrotr_disk_free_bytes",
      "bigbrotr_disk_size_bytes",
      "bigbrotr_database_size_bytes",
    ]
  ) {
    const [, value] = new RegExp(`^${name} (\\S+)$`, "m").exec(text) ?? [];
    assert(Number(value) > 0, `${name} is ${value}`);
  }
}

async function readStatus(program: Program, { options }: Home) {
  const { code, stdout, stderr } = await runProgram(
    program,
    ["status", "--json", "--data-dir", "data"],
    options,
  );
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

/** The server ends with its owner, and leaves no trace of having been killed. */
async function assertNoServer(home: string): Promise<void> {
  const pidFile = join(home, "data/postgres/postmaster.pid");
  await assert.rejects(Deno.stat(pidFile), Deno.errors.NotFound);
}

/** Why a program cannot run as nobody here; null where it can. */
function cannotBeNobody({ name }: Program): string | null {
  if (Deno.uid() !== 0) return "all of these tests run as one";
  return name === "source"
    ? "Deno's cache, from which the source runs, is root's own"
    : null;
}
