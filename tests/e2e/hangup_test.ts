/**
 * SIGHUP: a closed terminal is a reason to stop in order, and without a terminal a request to read files again.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { insertRelays } from "../../src/archive/relays.ts";
import { testArchive } from "../support/archive.ts";
import { eventFactory } from "../support/event_factory.ts";
import { testWith } from "../support/installed.ts";
import { lines } from "../support/lines.ts";
import { programs, startProgram } from "../support/program.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { testRelay } from "../support/test_relay.ts";
import { until } from "../support/until.ts";

const factory = eventFactory("hangup_test");

/** Runs a command on a terminal of its own, closes that when it shows a text, and tells how the command ended. */
const TERMINAL = `
import os, pty, sys
wanted, command = sys.argv[1].encode(), sys.argv[2:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(command[0], command)
seen = b""
while wanted not in seen:
    seen = seen[-4096:] + os.read(terminal, 4096)
os.close(terminal)
_, status = os.waitpid(pid, 0)
print(os.waitstatus_to_exitcode(status))
`;

for (const program of programs()) {
  await testWith(
    "python3",
    `${program.name}: up whose terminal is closed stops in order, and its database with it`,
    async () => {
      await using home = await temporaryDirectory();
      const services = join(home.path, "config/services");
      await Deno.mkdir(services, { recursive: true });
      const files = {
        "config/brotr.yaml": "up: { metrics: { port: 0 } }\n",
        "config/services/seeder.yaml": "filePath: seeds.txt\n",
        "config/services/finder.yaml": "api: { enabled: false }\n",
        "seeds.txt": "# none\n",
      };
      for (const [name, text] of Object.entries(files)) {
        await Deno.writeTextFile(join(home.path, name), text);
      }
      const child = new Deno.Command("python3", {
        args: [
          "-c",
          TERMINAL,
          "everything started",
          ...program.command,
          "up",
          "--data-dir",
          "data",
        ],
        cwd: home.path,
        stdin: "null",
        stdout: "piped",
        stderr: "inherit",
      }).spawn();
      const output = await Array.fromAsync(lines(child.stdout));
      assert.equal((await child.status).code, 0);
      assert.deepEqual(output, ["0"]);
      await assert.rejects(
        Deno.stat(join(home.path, "data/postgres/postmaster.pid")),
        Deno.errors.NotFound,
      );
    },
  );

  Deno.test(`${program.name}: SIGHUP reads log level, log file, opt-out and tiers again, and what is wrong changes nothing`, async () => {
    await using archive = await testArchive();
    await using relay = await testRelay();
    await using home = await temporaryDirectory();
    const { path: cwd } = home;
    await Deno.mkdir(join(cwd, "config/services"), { recursive: true });
    const write = (name: string, content: unknown) =>
      Deno.writeTextFile(
        join(cwd, "config", name),
        typeof content === "string" ? content : JSON.stringify(content),
      );
    const log = (name: string) => join(cwd, name);
    const said = async (file: string, pattern: RegExp) =>
      pattern.test(await Deno.readTextFile(log(file)).catch(() => ""));
    const service = { allowPrivate: true, intervalSeconds: 1 };
    await write("brotr.yaml", {
      database: { url: archive.url },
      log: { file: log("first.log") },
    });
    await write("services/synchronizer.yaml", service);
    await using up = startProgram(program, ["synchronizer"], { cwd });
    await until("it runs", () => said("first.log", /service started/));
    const hangUp = () => Deno.kill(up.pid, "SIGHUP");

    await write("brotr.yaml", {
      database: { url: archive.url },
      log: { file: log("second.log"), level: "debug" },
    });
    await write("services/synchronizer.yaml", {
      ...service,
      optOut: ["127.0.0.1"],
      tiers: { high: { relays: [relay.url] } },
    });
    hangUp();
    await until(
      "the second file is written",
      () => said("second.log", /configuration read again.*level=debug/),
    );
    await until(
      "the tier is taken over",
      () => said("second.log", /priority relays introduced/),
    );
    await until("debug is heard", () => said("second.log", /debug/));

    const { url } = relay;
    await insertRelays(archive.database, [{ url, network: "clearnet" }]);
    await until(
      "the relay was taken and let alone",
      async () =>
        await archive.count("relay_lease where due_at > unix_now()") === 1,
    );
    assert.equal(relay.requests.length, 0, "it has opted out");

    await write("services/synchronizer.yaml", { ...service, nonsense: true });
    hangUp();
    await until(
      "it is refused",
      () => said("second.log", /configuration not read again.*nonsense/),
    );
    const { code } = await up.stop("SIGTERM");
    assert.equal(code, 0);
  });

  Deno.test(`${program.name}: SIGHUP tells the workers who opts out and who no more, shortens intervals, and names what waits for a restart`, async () => {
    await using archive = await testArchive();
    const events = [factory.sign(), factory.sign()];
    const at = (host: string) => testRelay({ events, bind: host, host });
    await using stays = await at("127.0.0.1");
    await using leaves = await at("127.0.0.2");
    await using returns = await at("127.0.0.3");
    const relays = [stays, leaves, returns];
    await insertRelays(archive.database, relays.map(({ relay }) => relay));
    await using home = await temporaryDirectory();
    const file = join(home.path, "config/services/synchronizer.yaml");
    await Deno.mkdir(join(home.path, "config/services"), { recursive: true });
    const write = (config: Record<string, unknown>) =>
      Deno.writeTextFile(
        file,
        JSON.stringify({ allowPrivate: true, intervalSeconds: 1, ...config }),
      );
    const tier = { relays: [stays.url], intervalSeconds: 86_400 };
    await write({
      optOut: ["127.0.0.3"],
      live: { enabled: false },
      tiers: { high: tier },
    });
    await using running = startProgram(
      program,
      ["synchronizer", "--database", archive.url],
      { cwd: home.path },
    );
    await until(
      "each was taken and given back",
      async () =>
        await archive.count(
          "relay_lease where due_at > unix_now() + 200 and claimed_until = 0",
        ) === 3,
    );
    assert.equal(returns.requests.length, 0);
    const before = [stays, leaves].map(({ requests }) => requests.length);

    await write({
      optOut: ["127.0.0.2"],
      live: { enabled: true },
      tiers: { high: { ...tier, intervalSeconds: 1 } },
      workers: 1,
    });
    await archive.sql`
      update relay_lease set due_at = 0
      where relay_id = (select id from relay where host = '127.0.0.2')`;
    Deno.kill(running.pid, "SIGHUP");
    const [, keys] = await running.said(/needs a restart.*keys=(.*)/);
    assert.equal(keys, "synchronizer.live.enabled,synchronizer.workers");
    await Promise.all([
      returns.received("REQ"),
      stays.requested((before[0] ?? 0) + 1),
    ]);
    await until(
      "the other one is left alone for long",
      async () =>
        await archive.count(
          "relay_lease where due_at > unix_now() + 80000",
        ) === 1,
    );
    assert.equal(leaves.requests.length, before[1]);
    assert.equal((await running.stop("SIGTERM")).code, 0);
  });

  Deno.test(`${program.name}: SIGHUP has the monitor check relays again that opted out no more`, async () => {
    await using archive = await testArchive();
    await using relay = await testRelay();
    await insertRelays(archive.database, [relay.relay]);
    await using home = await temporaryDirectory();
    const services = join(home.path, "config/services");
    await Deno.mkdir(services, { recursive: true });
    const list = join(home.path, "opted-out");
    await Deno.writeTextFile(list, "127.0.0.1 # as asked\n");
    await Deno.writeTextFile(
      join(services, "monitor.yaml"),
      JSON.stringify({
        allowPrivate: true,
        intervalSeconds: 1,
        optOutFile: list,
      }),
    );
    await using running = startProgram(
      program,
      ["monitor", "--database", archive.url],
      { cwd: home.path },
    );
    await until(
      "the relay is left alone for long",
      async () =>
        await archive.count("relay_lease where due_at > unix_now() + 600") ===
          1,
    );
    assert.equal(relay.requests.length, 0);
    await Deno.writeTextFile(list, "# nobody\n");
    Deno.kill(running.pid, "SIGHUP");
    await relay.requested();
    await until(
      "it is checked",
      async () => await archive.count("relay_check where online") === 1,
    );
    assert.equal((await running.stop("SIGTERM")).code, 0);
  });
}
