import { deepStrictEqual, equal, match, ok } from "node:assert/strict";
import { join } from "node:path";
import { testArchive } from "../../support/archive.ts";
import { runProgram, SOURCE, startProgram } from "../../support/program.ts";
import { testWith } from "../../support/installed.ts";
import { serviceManager } from "../../support/service_manager.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";

/** A seed file and a configuration of the seeder that reads it again and again. */
async function seederFiles(
  directory: string,
  config: Record<string, unknown> = {},
): Promise<string> {
  const seeds = join(directory, "seeds.txt");
  await Deno.writeTextFile(
    seeds,
    "wss://relay.damus.io\nwss://nos.lol\n",
  );
  const path = join(directory, "seeder.yaml");
  const tree = { filePath: seeds, intervalSeconds: 3_600, ...config };
  await Deno.writeTextFile(path, JSON.stringify(tree));
  return path;
}

Deno.test("a service serves its health, shows in status, and ends with 0 on SIGTERM", async () => {
  await using archive = await testArchive();
  await using directory = await temporaryDirectory();
  const cwd = directory.path;
  const config = await seederFiles(cwd, {
    metrics: { enabled: true, port: 0 },
  });
  const place = ["--database", archive.url];
  await using seeder = startProgram(SOURCE, [
    "seeder",
    "--config",
    config,
    ...place,
  ], { cwd });
  const [, base = ""] = await seeder.said(
    /health and metrics served url=(http:[^ ]+)\/metrics/,
  );
  await seeder.said(/seeds read/);

  const service = await runningService(cwd, place, base);
  equal(service.state, "running");
  equal(service.runtime.failures, 0);
  equal(service.runtime.cycles, 1);
  ok(service.uptimeSeconds >= 0 && service.runtime.lastSuccessAt > 0);

  equal((await fetchText(`${base}/healthz`)).status, 200);
  const ready = await fetchText(`${base}/readyz`);
  equal(ready.status, 200, ready.text);
  const { text } = await fetchText(`${base}/metrics`);
  match(
    text,
    /bigbrotr_service_counter_total\{service="seeder",name="cycles_success"\} 1\n/,
  );

  const { code, stderr } = await seeder.stop("SIGTERM");
  equal(code, 0, stderr);
  match(stderr, /info seeder stopping signal=SIGTERM/);
  equal((await reported(cwd, place)).state, "stopped");
  equal(await archive.count("candidate"), 2);
});

/** The report of the seeder once its first cycle is recorded, which is just after it said that seeds were read. */
async function runningService(cwd: string, place: string[], base: string) {
  while (true) {
    const { text } = await fetchText(`${base}/readyz`);
    if (JSON.parse(text).services?.seeder?.cycles === 1) {
      return await reported(cwd, place);
    }
  }
}

async function reported(cwd: string, place: string[]) {
  const { code, stdout, stderr } = await runProgram(SOURCE, [
    "status",
    "--json",
    ...place,
  ], { cwd });
  equal(code, 0, stderr);
  const report = JSON.parse(stdout);
  deepStrictEqual(Object.keys(report.relays), [
    "clearnet",
    "tor",
    "i2p",
    "loki",
  ]);
  return report.services.find((one: { service: string }) =>
    one.service === "seeder"
  );
}

async function fetchText(url: string) {
  const response = await fetch(url);
  return { status: response.status, text: await response.text() };
}

Deno.test("status is a page for people, too", async () => {
  await using archive = await testArchive();
  await using directory = await temporaryDirectory();
  const options = { cwd: directory.path };
  const line = ["status", "--database", archive.url];
  const { code, stdout } = await runProgram(SOURCE, line, options);
  equal(code, 0);
  match(stdout, /^network +candidates +due +failed +relays/);
  match(stdout, /^clearnet +0 +0/m);
  match(stdout, /^lag +nothing proven complete yet$/m);
  match(stdout, /^seeder +never ran$/m);
});

Deno.test("a service that keeps failing gives up with 1 and says why", async () => {
  await using archive = await testArchive();
  await using directory = await temporaryDirectory();
  const cwd = directory.path;
  const config = await seederFiles(cwd, {
    intervalSeconds: 0.05,
    maxConsecutiveFailures: 3,
  });
  await archive.sql`drop function candidate_insert`;
  const line = ["seeder", "--config", config, "--database", archive.url];
  const { code, stderr } = await runProgram(SOURCE, line, { cwd });
  equal(code, 1);
  equal(stderr.match(/error seeder cycle failed/g)?.length, 3, stderr);
  match(
    stderr,
    /^bigbrotr: Giving up after 3 failed cycles in a row .*candidate_insert/m,
  );
});

Deno.test("a service whose named file is not there exits 2 before it begins", async () => {
  await using archive = await testArchive();
  await using directory = await temporaryDirectory();
  const cwd = directory.path;
  const config = await seederFiles(cwd, { filePath: join(cwd, "missing.txt") });
  const line = ["seeder", "--config", config, "--database", archive.url];
  for (const more of [[], ["--once"]]) {
    const { code, stderr } = await runProgram(SOURCE, [...line, ...more], {
      cwd,
    });
    equal(code, 2);
    match(stderr, /^bigbrotr: .*missing\.txt/);
  }
});

Deno.test("a metrics port in use is said with its key, and nothing is started", async () => {
  await using archive = await testArchive();
  await using directory = await temporaryDirectory();
  const cwd = directory.path;
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  const config = await seederFiles(cwd, { metrics: { enabled: true, port } });
  const line = ["seeder", "--config", config, "--database", archive.url];
  const { code, stderr } = await runProgram(SOURCE, line, { cwd });
  equal(code, 1);
  match(
    stderr,
    new RegExp(
      `bigbrotr: Cannot serve metrics on 127\\.0\\.0\\.1:${port} \\("metrics\\.port in .*seeder\\.yaml"\\): the port is in use`,
    ),
  );
  equal(await archive.count("candidate"), 0);
});

Deno.test("the log goes where and how the command line says, a fatal error included", async () => {
  await using archive = await testArchive();
  await using directory = await temporaryDirectory();
  const cwd = directory.path;
  const config = await seederFiles(cwd);
  await archive.sql`drop function candidate_insert`;
  const line = [
    "seeder",
    "--once",
    "--config",
    config,
    "--database",
    archive.url,
  ];
  const json = await runProgram(SOURCE, [
    ...line,
    "--log-format",
    "json",
    "--log-time",
    "unix",
  ], { cwd });
  equal(json.code, 1);
  const entries = json.stderr.trim().split("\n").map((one) => JSON.parse(one));
  ok(
    entries.every(({ time, service }) =>
      typeof time === "number" && service === "seeder"
    ),
  );
  equal(entries.at(-1).message, "command failed");

  const file = join(cwd, "logs", "seeder.log");
  const quiet = await runProgram(SOURCE, [
    ...line,
    "--log-file",
    file,
    "--log-level",
    "debug",
  ], { cwd });
  match(quiet.stderr, /^bigbrotr: .*candidate_insert/);
  ok(!quiet.stderr.includes("service started"));
  const text = await Deno.readTextFile(file);
  match(text, /info seeder service started/);
  match(text, /error seeder command failed/);
  match(text, /stack=/);
});

const HEARS =
  "the service manager hears when a service is ready, how it is doing and when it stops";

await testWith("python3", HEARS, async () => {
  await using archive = await testArchive();
  await using directory = await temporaryDirectory();
  const cwd = directory.path;
  const socket = join(cwd, "notify");
  await using manager = await serviceManager(socket);
  const config = await seederFiles(cwd);
  const line = ["seeder", "--config", config, "--database", archive.url];
  const env = { NOTIFY_SOCKET: socket, WATCHDOG_USEC: "60000000" };
  await using seeder = startProgram(SOURCE, line, { cwd, env });
  const ended = seeder.end().then(({ stderr }) => `ended: ${stderr}`);
  const heard = async (wanted: string) => {
    for (let message = ""; message !== wanted;) {
      message = await Promise.race([manager.next(), ended]);
      ok(!message.startsWith("ended: "), `${wanted} was not heard: ${message}`);
    }
  };
  await heard("EXTEND_TIMEOUT_USEC=60000000");
  await heard("READY=1");
  await heard("WATCHDOG=1");
  await heard(
    "STATUS=0 of 0 relays online, 0 events (+0/s), nothing proven yet, 0 gaps",
  );
  equal((await seeder.stop("SIGTERM")).code, 0);
  while (await manager.next() !== "STOPPING=1");
});
