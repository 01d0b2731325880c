/**
 * The command line as a whole: what it explains, what it refuses, and with which exit code.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type Program, programs, runProgram } from "../support/program.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";

for (const program of programs()) {
  Deno.test(`${program.name}: --version prints the version and nothing else`, async () => {
    const { code, stdout, stderr } = await run(program, ["--version"]);
    assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
    assert.deepEqual([code, stderr], [0, ""]);
  });

  Deno.test(`${program.name}: --help names every command of the contract`, async () => {
    const { code, stdout } = await run(program, ["--help"]);
    assert.equal(code, 0);
    for (const command of COMMANDS) {
      assert.match(stdout, new RegExp(`^  ${command}\\b`, "m"));
    }
  });

  Deno.test(`${program.name}: what is wrong on the command line is explained, with exit code 2`, async () => {
    for (const [line, explanation] of WRONG_LINES) {
      const { code, stderr, stdout } = await run(program, line.split(" "));
      assert.match(stderr, explanation, line);
      assert.deepEqual([code, stdout], [2, ""], line);
    }
  });

  Deno.test(`${program.name}: what is wrong in a file is explained, with exit code 2`, async () => {
    await using folder = await temporaryDirectory();
    for (const { file, text, line, explanation } of WRONG_FILES) {
      await Deno.writeTextFile(join(folder.path, file), text);
      const { code, stderr } = await run(program, line.split(" "), folder.path);
      assert.match(stderr, explanation, text);
      assert.equal(code, 2, text);
    }
  });
}

const COMMANDS = [
  "up",
  "seeder",
  "finder",
  "validator",
  "monitor",
  "synchronizer",
  "refresher",
  "sync",
  "check",
  "status",
  "doctor",
  "relay",
  "import",
  "export",
  "db",
  "config",
  "completions",
];

const WRONG_LINES: [string, RegExp][] = [
  ["synchronise", /unknown command 'synchronise'/],
  ["up --datadir /tmp/x", /unknown option '--datadir'.*--data-dir/s],
  ["import", /missing required argument 'FILE/],
  ["import - -", /Standard input \(-\) can be read only once/],
  ["import x --max-line-bytes many", /--max-line-bytes must be a whole number/],
  ["export --kinds 1,x", /Not a NIP-01 filter: "kinds" must be/],
  ["export --filter {", /--filter is not JSON/],
  ['export --filter {"kind":[1]}', /Unknown filter field "kind"/],
  ["export --since yesterday", /--since must be Unix seconds, 2026-02-05/],
  ["refresher --since 2026-01-01", /only with --rebuild/],
  ["refresher --rebuild --since 7d --until 8d", /--until must not be before/],
  ["sync not-a-url", /not-a-url/],
  ["sync wss://relay.damus.io --workers many", /--workers/],
  ["up --database mysql://x", /postgres:\/\//],
  ["status --database postgres://a@b/c --data-dir d", /give one of them/],
  ["status --log-level loud", /debug/],
];

const WRONG_FILES = [
  {
    file: "brotr.yaml",
    line: "status --brotr-config brotr.yaml",
    text: "pool:\n  maxConection: 5\n",
    explanation: /maxConection.*maxConnections/s,
  },
  {
    file: "brotr.yaml",
    line: "status --brotr-config brotr.yaml",
    text: "timeouts:\n  queryMs: 5s\n",
    explanation: /queryMs/,
  },
  {
    file: "brotr.yaml",
    line: "status --brotr-config brotr.yaml",
    text: "database:\n  host: localhost\n  passwordEnv: BIGBROTR_TEST_UNSET\n",
    explanation: /BIGBROTR_TEST_UNSET is not set/,
  },
  {
    file: "brotr.yaml",
    line: "status --brotr-config brotr.yaml",
    text: "database: [unclosed\n",
    explanation: /brotr\.yaml/,
  },
  {
    file: "finder.yaml",
    line: "finder --once --config finder.yaml",
    text: "interval: 60\n",
    explanation: /interval.*intervalSeconds/s,
  },
];

async function run(
  program: Program,
  args: readonly string[],
  folder?: string,
) {
  await using scratch = await temporaryDirectory();
  return await runProgram(program, args, { cwd: folder ?? scratch.path });
}
