/**
 * Places where the program may not read or write: named with the reason in words for people, never with Deno's.
 *
 * @module
 */
import { doesNotMatch, equal, match } from "node:assert/strict";
import { join } from "node:path";
import { testArchive } from "../../support/archive.ts";
import { testWith, unless } from "../../support/installed.ts";
import { type Program, runProgram, SOURCE } from "../../support/program.ts";
import { canMountSmallDisk, smallDisk } from "../../support/small_disk.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";

/** Root that heeds modes, as everybody else has to. */
const WITHOUT_OVERRIDE: Program = {
  name: "source",
  command: [
    "setpriv",
    "--bounding-set=-dac_override",
    "--inh-caps=-dac_override",
    ...SOURCE.command,
  ],
};

/** Every way to name a place, and the code that its refusal ends with. */
const LINES: readonly (readonly [code: number, line: readonly string[]])[] = [
  [1, ["db", "init", "--data-dir", "PLACE"]],
  [1, ["db", "init", "--data-dir", "PLACE/data"]],
  [1, ["status", "--log-file", "PLACE/a.log"]],
  [1, ["export", "-o", "PLACE/a.jsonl"]],
  [1, ["relay", "opt-out", "--file", "PLACE/list", "a.example.com"]],
];

async function refusals(
  place: string,
  { program = SOURCE, database, lines = LINES }: {
    readonly program?: Program;
    readonly database: string;
    readonly lines?: typeof LINES;
  },
): Promise<string[]> {
  await using folder = await temporaryDirectory();
  const said: string[] = [];
  for (const [expected, line] of lines) {
    const args = line.map((word) => word.replace("PLACE", place));
    const all = args.includes("--data-dir")
      ? args
      : [...args, "--database", database];
    const { code, stdout, stderr } = await runProgram(program, all, {
      cwd: folder.path,
    });
    equal(code, expected, `${all.join(" ")}: ${stdout}${stderr}`);
    match(stderr, new RegExp(place), "the place is named");
    doesNotMatch(stderr, /allow-all|Requires|os error|\n\s+at /);
    said.push(stderr);
  }
  return said;
}

Deno.test("places below /dev, /proc and /sys are refused as what they are", async () => {
  await using archive = await testArchive();
  for (const place of ["/dev/shm", "/proc/sys", "/sys/kernel"]) {
    const said = await refusals(place, { database: archive.url });
    for (const text of said) {
      match(text, /what is below \/dev, \/proc and \/sys is closed/);
    }
    match(said[3] ?? "", /or pipe it out of -/);
  }
});

Deno.test("doctor finds a data directory wrong that cannot be used", async () => {
  await using folder = await temporaryDirectory();
  const line = ["doctor", "--only", "disk", "--data-dir", "/dev/shm/data"];
  const { code, stdout } = await runProgram(SOURCE, line, { cwd: folder.path });
  equal(code, 1);
  match(stdout, /WRONG disk: \/dev\/shm\/data cannot be used .*closed to this/);
});

await testWith(
  "setpriv",
  "directories that may not be written are refused with their names",
  async () => {
    await using archive = await testArchive();
    await using folder = await temporaryDirectory();
    const closed = join(folder.path, "closed");
    await Deno.mkdir(closed);
    await Deno.chmod(closed, 0o555);
    const program = Deno.uid() === 0 ? WITHOUT_OVERRIDE : SOURCE;
    const options = { program, database: archive.url };
    for (const text of await refusals(closed, options)) {
      match(text, /this user may not write there/);
    }
  },
);

const obstacle = Deno.uid() === 0 && await canMountSmallDisk()
  ? null
  : "no small disk can be mounted here";

Deno.test({
  ...unless(obstacle, "a disk that is mounted read-only is said to be that"),
  async fn() {
    await using archive = await testArchive();
    await using disk = await smallDisk(100);
    const { success } = await new Deno.Command("mount", {
      args: ["-o", "remount,ro", disk.path],
    }).output();
    equal(success, true);
    const options = { database: archive.url };
    for (const text of await refusals(disk.path, options)) {
      match(text, /the file system is read-only/);
    }
  },
});

Deno.test("a password on the command line is warned of, one in the environment is not, and neither is shown", async () => {
  await using folder = await temporaryDirectory();
  const server = "postgres://a:hunter2@127.0.0.1:1/x";
  const retry = join(folder.path, "brotr.yaml");
  await Deno.writeTextFile(retry, "retry: { maxAttempts: 1 }\n");
  const status = ["status", "--brotr-config", retry];
  const run = (args: string[], env: Record<string, string> = {}) =>
    runProgram(SOURCE, args, { cwd: folder.path, env });
  const shown = await run([...status, "--database", server]);
  match(shown.stderr, /shown by ps/);
  const hidden = await run(status, { BIGBROTR_DATABASE: server });
  match(hidden.stderr, /Cannot reach PostgreSQL at 127\.0\.0\.1:1/);
  doesNotMatch(hidden.stderr, /shown by ps/);
  doesNotMatch(shown.stderr + hidden.stderr, /hunter2/);
});
