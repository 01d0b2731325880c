/**
 * `bigbrotr up` after it was killed: what the dead process held is the new one's at once.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { leaseRelays } from "../../src/archive/leases.ts";
import { insertRelays } from "../../src/archive/relays.ts";
import { testArchive } from "../support/archive.ts";
import { eventFactory } from "../support/event_factory.ts";
import {
  type Program,
  programs,
  type RunningProgram,
  runProgram,
  startProgram,
} from "../support/program.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { testRelay } from "../support/test_relay.ts";
import { until } from "../support/until.ts";

const factory = eventFactory("takeover");

for (const program of programs()) {
  Deno.test(`${program.name}: what a killed up held is taken over by the next one at once`, async () => {
    const answers = Promise.withResolvers<void>();
    await using relay = await testRelay({
      events: [factory.sign()],
      // Handshakes and checks are answered; a walk waits until the relay has been visited twice.
      onReq: async (req) => {
        const isWalk = req.filters.some(({ limit }) => (limit ?? 0) > 10);
        if (isWalk) await answers.promise;
        await req.serve();
      },
    });
    await using home = await makeHome(relay.url);
    const { path } = home;
    {
      await using up = startUp(program, path);
      await until(
        "the relay is leased",
        async () => (await running(program, up, path)) === 1,
      );
      await up.stop("SIGKILL");
    }
    await using up = startUp(program, path);
    const [, released] = await up.said(
      /took over what processes held that are gone.*released=(\d+)/,
    );
    assert.ok(Number(released) >= 1);
    answers.resolve();
    await until(
      "the event is archived",
      async () => (await status(program, up, path)).events.count === 1,
    );
    assert.equal((await up.stop("SIGTERM")).code, 0);
  });

  Deno.test(`${program.name}: what a killed synchronizer held on a server is taken over at once, and what other machines hold is not`, async () => {
    await using archive = await testArchive();
    const answers = Promise.withResolvers<void>();
    await using relay = await testRelay({
      events: [factory.sign()],
      onReq: async (req) => {
        await answers.promise;
        await req.serve();
      },
    });
    const { database } = archive;
    await insertRelays(database, [relay.relay]);
    await using home = await makeHome(relay.url);
    const start = () =>
      startProgram(program, ["synchronizer", "--database", archive.url], {
        cwd: home.path,
      });
    {
      await using running = start();
      await relay.received("REQ");
      await running.stop("SIGKILL");
    }
    await insertRelays(database, [{
      url: "wss://elsewhere.example",
      network: "clearnet",
    }]);
    await leaseRelays(database, {
      service: "synchronizer",
      holder: "elsewhere:1:00000000-4026531836-1-12345678",
      networks: ["clearnet"],
      limit: 1,
      leaseSeconds: 600,
    });
    await using running = start();
    const [, released] = await running.said(
      /took over what processes held that are gone.*released=(\d+)/,
    );
    assert.equal(released, "1");
    answers.resolve();
    await until(
      "the event is archived",
      async () => await archive.count("event") === 1,
    );
    assert.equal(
      await archive.count(
        "relay_lease where holder like 'elsewhere:%' and claimed_until > unix_now()",
      ),
      1,
    );
    assert.equal((await running.stop("SIGTERM")).code, 0);
  });
}

function startUp(program: Program, cwd: string): RunningProgram {
  return startProgram(program, ["up", "--data-dir", "data"], { cwd });
}

async function running(program: Program, up: RunningProgram, cwd: string) {
  return (await status(program, up, cwd)).coverage.running;
}

async function status(program: Program, up: RunningProgram, cwd: string) {
  if (up.hasEnded) throw new Error((await up.end()).stderr);
  const line = ["status", "--json", "--data-dir", "data"];
  const { code, stdout } = await runProgram(program, line, { cwd });
  // It may still be starting.
  if (code !== 0) return { events: { count: 0 }, coverage: { running: 0 } };
  return JSON.parse(stdout);
}

async function makeHome(seed: string) {
  const folder = await temporaryDirectory();
  const services = join(folder.path, "config/services");
  await Deno.mkdir(services, { recursive: true });
  const local = { allowPrivate: true, intervalSeconds: 1 };
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
