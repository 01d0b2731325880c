import assert, { deepEqual, equal, match, ok } from "node:assert/strict";
import { join } from "node:path";
import { testArchive } from "../../support/archive.ts";
import { testWith } from "../../support/installed.ts";
import { unusedPort } from "../../support/monitor.ts";
import { scratchDatabase } from "../../support/postgres.ts";
import { runProgram, SOURCE, startProgram } from "../../support/program.ts";
import { serviceManager } from "../../support/service_manager.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";

/** A directory in which `up` has nothing to do on the real network. */
async function home(files: Record<string, string> = {}) {
  const directory = await temporaryDirectory();
  const all = {
    "config/brotr.yaml": "up: { metrics: { port: 0 } }\n",
    "config/services/finder.yaml": "api: { enabled: false }\n",
    "config/services/seeder.yaml": "filePath: seeds.txt\n",
    "seeds.txt": "# none\n",
    ...files,
  };
  await Deno.mkdir(join(directory.path, "config/services"), {
    recursive: true,
  });
  for (const [name, text] of Object.entries(all)) {
    await Deno.writeTextFile(join(directory.path, name), text);
  }
  return directory;
}

Deno.test("one service that gives up takes the others with it, and up exits 1", async () => {
  await using archive = await testArchive();
  await using directory = await home({
    "config/services/seeder.yaml":
      "{ filePath: seeds.txt, intervalSeconds: 0.05, maxConsecutiveFailures: 2 }\n",
    "seeds.txt": "wss://relay.damus.io\n",
  });
  await archive.sql`drop function candidate_insert`;
  const line = ["up", "--database", archive.url];
  const { code, stderr } = await runProgram(SOURCE, line, {
    cwd: directory.path,
  });
  equal(code, 1);
  match(
    stderr,
    /info up everything started services=seeder,finder,validator,monitor,synchronizer,refresher/,
  );
  match(
    stderr,
    /^bigbrotr: seeder failed: Giving up after 2 failed cycles in a row/m,
  );
});

Deno.test("up says that the port it wants is another bigbrotr's", async () => {
  await using archive = await testArchive();
  const port = await unusedPort();
  await using directory = await home({
    "config/brotr.yaml": `up: { metrics: { port: ${port} } }\n`,
  });
  const line = ["up", "--database", archive.url];
  const options = { cwd: directory.path };
  await using first = startProgram(SOURCE, line, options);
  const [, files] = await first.said(/everything started .*configuration=(.*)/);
  match(files ?? "", /config\/brotr.yaml,config\/services\/seeder.yaml/);
  const { code, stderr } = await runProgram(SOURCE, line, options);
  equal(code, 1);
  match(stderr, /in use by another process\. It is another bigbrotr: stop it/);
});

Deno.test("up tells the problems of all service files at once, before it starts anything", async () => {
  await using archive = await testArchive();
  await using directory = await home({
    "config/services/validator.yaml": "claimSecond: 5\n",
    "config/services/synchronizer.yaml": "batchSize: many\n",
  });
  const line = ["up", "--database", archive.url];
  const { code, stderr } = await runProgram(SOURCE, line, {
    cwd: directory.path,
  });
  equal(code, 2);
  match(
    stderr,
    /validator\.yaml: claimSecond \(line 1\): unknown key; did you mean "claimSeconds"\?/,
  );
  match(
    stderr,
    /synchronizer\.yaml: batchSize \(line 1\): must be a number: current value is "many"/,
  );
  ok(!stderr.includes("info up"));
});

await testWith(
  "python3",
  "up tells systemd what it does while it migrates, and asks for the time that takes",
  async () => {
    await using scratch = await scratchDatabase();
    await using directory = await home();
    const cwd = directory.path;
    const socket = join(cwd, "notify");
    await using manager = await serviceManager(socket);
    const line = ["up", "--database", scratch.url];
    const env = { NOTIFY_SOCKET: socket };
    await using up = startProgram(SOURCE, line, { cwd, env });
    const heard: string[] = [];
    while (!heard.includes("READY=1")) {
      const message = await Promise.race([manager.next(), up.end()]);
      assert(typeof message === "string", "up ended before it was ready");
      heard.push(message);
    }
    deepEqual(heard.slice(0, 2), [
      "STATUS=starting: opening the database",
      "EXTEND_TIMEOUT_USEC=60000000",
    ]);
    match(
      heard.join("\n"),
      /^STATUS=starting: bringing the schema up to date \(\d+ files\)$/m,
    );
    match(await manager.next(), /^STATUS=0 of 0 relays online, 0 events/);
    equal((await up.stop("SIGTERM")).code, 0);
  },
);

const LIVE =
  "up shows live lines that fit a terminal of 60 columns, and Ctrl-C ends it with 0";

await testWith("script", LIVE, async () => {
  await using archive = await testArchive();
  await using directory = await home();
  const up = [...SOURCE.command, "up", "--database", archive.url];
  const child = inTerminal(up, directory.path);
  const writer = child.stdin.getWriter();
  let screen = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    const shownBefore = isShown(screen);
    screen += text;
    // \x03 is Ctrl-C, which the terminal makes a SIGINT.
    if (isShown(screen) && !shownBefore) {
      await writer.write(new Uint8Array([3]));
    }
  }
  await writer.close().catch(() => {});
  await child.status;
  match(screen, /exit code 0\s*$/);
  match(screen, /^ candidates 0\r+\n relays {5}0 · 0 online\r+\n/m);
  match(screen, /info up stopping signal=SIGINT/);
  const heads = screen.match(/── bigbrotr \d[^\r\n]*/g) ?? [];
  ok(heads.length > 0);
  for (const head of heads) equal(head.length, 59, head);
});

function isShown(screen: string): boolean {
  return /^ events {5}0 · \+0\/s\r+\n proven {5}nothing yet/m.test(screen);
}

/** The command in a pseudo terminal, and at last its exit code: that of `script` itself is not always the command's. */
function inTerminal(command: readonly string[], cwd: string) {
  const quoted = command.map((word) => `'${word}'`).join(" ");
  const size = "stty cols 60 rows 20";
  return new Deno.Command("script", {
    args: [
      "-qc",
      `${size}; trap : INT; ${quoted}; echo exit code $?`,
      "/dev/null",
    ],
    cwd,
    env: { NO_COLOR: "1", TERM: "xterm" },
    stdin: "piped",
    stdout: "piped",
  }).spawn();
}

Deno.test("a first start says what takes its time before that is done, and the next one does not", async () => {
  await using folder = await temporaryDirectory();
  const line = ["db", "init", "--data-dir", join(folder.path, "data")];
  const start = () => runProgram(SOURCE, line, { cwd: folder.path });
  const first = await start();
  equal(first.code, 0, first.stderr);
  match(first.stderr, /^.*making the embedded PostgreSQL.*\n.*is up/);
  const second = await start();
  equal(second.code, 0, second.stderr);
  match(second.stderr, /^.*embedded PostgreSQL is up/);
});
