import { deepStrictEqual, equal, ok, throws } from "node:assert/strict";
import { COMMANDS as ALL } from "../../../src/cli/commands.ts";
import type { Command } from "../../../src/cli/command.ts";
import { UsageError } from "../../../src/cli/usage_error.ts";
import { parseCommandLine, type ParsedLine } from "../../../src/cli/program.ts";

const nothing = () => Promise.resolve(0);
const COMMANDS: readonly Command[] = [
  {
    name: "sync",
    summary: "Archive these relays now",
    arguments: [{
      name: "URL",
      description: "a relay",
      required: true,
      variadic: true,
    }],
    options: [
      { name: "since", value: "TIME", description: "oldest event" },
      {
        name: "kind",
        short: "k",
        value: "KIND",
        description: "a kind",
        repeatable: true,
      },
      { name: "allow-private", description: "private addresses, too" },
      { name: "no-progress", description: "no bars" },
      { name: "workers", value: "N", description: "how many" },
    ],
    examples: [{ command: "sync wss://a.example", does: "one relay" }],
    run: nothing,
  },
  {
    name: "db init",
    summary: "Set the database up",
    options: [{
      name: "edition",
      value: "NAME",
      description: "which",
      choices: ["full", "lite"],
    }],
    examples: [{ command: "db init", does: "do it" }],
    run: nothing,
  },
];

interface Parsed {
  readonly line: ParsedLine;
  readonly out: string;
  readonly err: string;
}

function parse(...args: string[]): Promise<Parsed> {
  return parseWith({}, args);
}

async function parseWith(
  env: Readonly<Record<string, string>>,
  args: readonly string[],
): Promise<Parsed> {
  let out = "";
  let err = "";
  const line = await parseCommandLine(args, {
    commands: COMMANDS,
    writeOut: (text) => out += text,
    writeErr: (text) => err += text,
    columns: 100,
    readEnv: (name) => env[name],
  });
  return { line, out, err };
}

/** The parsed command, which there must be. */
async function parsed(...args: string[]) {
  const { line, err } = await parse(...args);
  if (line.command === null) throw new Error(`not parsed: ${err}`);
  return line;
}

/** What is said on stderr of a line that must be refused with exit code 2. */
async function refused(...args: string[]): Promise<string> {
  const { line, out, err } = await parse(...args);
  ok(line.command === null && line.exitCode === 2, JSON.stringify(line));
  equal(out, "");
  return err;
}

Deno.test("parseCommandLine() gives command, arguments and typed options", async () => {
  const line = await parsed(
    "sync",
    "wss://a.example",
    "--since",
    "1700000000",
    "-k",
    "1",
    "--kind",
    "30023",
    "wss://b.example",
    "--allow-private",
    "--workers",
    "3",
  );
  equal(line.command.name, "sync");
  deepStrictEqual(line.arguments, ["wss://a.example", "wss://b.example"]);
  equal(line.options.time("since"), 1_700_000_000);
  deepStrictEqual(line.options.list("kind"), ["1", "30023"]);
  equal(line.options.flag("allow-private"), true);
  equal(line.options.integer("workers", { min: 1, max: 64 }), 3);
  equal(line.options.text("database"), undefined);
  deepStrictEqual(line.options.list("nothing"), []);
});

Deno.test("a command of two words, common options on either side of it, capitals in choices", async () => {
  const before = await parsed(
    "--log-level",
    "DEBUG",
    "db",
    "init",
    "--edition",
    "Lite",
  );
  equal(before.command.name, "db init");
  equal(before.options.text("log-level"), "debug");
  equal(before.options.text("edition"), "lite");
  const after = await parsed("db", "init", "--database", "postgres://a/b");
  equal(after.options.text("database"), "postgres://a/b");
});

Deno.test("a flag that begins with no- is a flag like any other", async () => {
  equal(
    (await parsed("sync", "x", "--no-progress")).options.flag("no-progress"),
    true,
  );
  equal((await parsed("sync", "x")).options.flag("no-progress"), false);
});

Deno.test("environment variables stand for the common options, and what is typed wins", async () => {
  const options = async (env: Record<string, string>, ...args: string[]) => {
    const { line, err } = await parseWith(env, ["db", "init", ...args]);
    if (line.command === null) throw new Error(err);
    return line.options;
  };
  const env = {
    BIGBROTR_DATABASE: "postgres://a/b",
    BIGBROTR_LOG_LEVEL: "DEBUG",
    BIGBROTR_LOG_FILE: "",
    BIGBROTR_BROTR_CONFIG: "etc/brotr.yaml",
    BIGBROTR_EDITION: "lite",
  };
  const set = await options(env);
  equal(set.text("database"), "postgres://a/b");
  equal(set.text("log-level"), "debug");
  equal(set.text("log-file"), undefined);
  equal(set.text("brotr-config"), "etc/brotr.yaml");
  equal(set.text("edition"), undefined, "only common options have variables");
  equal((await options(env, "--log-level", "warn")).text("log-level"), "warn");
  const typed = await options(env, "--data-dir", "d");
  deepStrictEqual(
    [typed.text("database"), typed.text("data-dir")],
    [undefined, "d"],
    "a directory that is typed means no server",
  );
  const wrong = await parseWith({ BIGBROTR_LOG_LEVEL: "loud" }, ["db", "init"]);
  ok(wrong.err.startsWith("bigbrotr: BIGBROTR_LOG_LEVEL must be one of debug"));
  const both = await parseWith(
    { BIGBROTR_DATABASE: "postgres://a/b", BIGBROTR_DATA_DIR: "d" },
    ["db", "init"],
  );
  ok(both.err.includes("BIGBROTR_DATABASE and BIGBROTR_DATA_DIR are both set"));
  deepStrictEqual(both.line, { command: null, exitCode: 2 });
});

Deno.test("an option that takes one value is refused when it is given twice", async () => {
  ok(
    (await refused("sync", "x", "--since", "1", "--since", "2")).includes(
      "It is given twice",
    ),
  );
  const { options } = await parsed("sync", "x", "-k", "1,3", "-k", "7");
  deepStrictEqual(options.items("kind"), ["1", "3", "7"]);
});

Deno.test("option values are checked where they are read", async () => {
  const { options } = await parsed(
    "sync",
    "x",
    "--workers",
    "many",
    "--since",
    "yesterday",
  );
  throws(
    () => options.integer("workers", { min: 1, max: 64 }),
    (error) =>
      error instanceof UsageError &&
      error.message ===
        '--workers must be a whole number from 1 to 64: given was "many"',
  );
  throws(
    () => options.time("since"),
    /--since must be Unix seconds, 2026-02-05, .*: given was "yesterday"/,
  );
  const dated = await parsed(
    "sync",
    "x",
    "--since",
    "2026-11-21T00:00:00Z",
    "--workers",
    "65",
  );
  equal(dated.options.time("since"), 1_795_219_200);
  throws(
    () => dated.options.integer("workers", { min: 1, max: 64 }),
    /from 1 to 64: given was "65"/,
  );
});

Deno.test("what cannot be understood exits 2 and names what is near", async () => {
  ok((await refused("snyc", "x")).includes("Did you mean sync?"));
  ok((await refused("db", "inti")).includes("Did you mean init?"));
  ok(
    (await refused("sync", "x", "--sinse", "5")).includes(
      "Did you mean --since?",
    ),
  );
  ok(
    (await refused("sync", "x", "--databse", "5")).includes(
      "Did you mean --database?",
    ),
  );
  ok((await refused("sync")).includes("missing required argument 'URL'"));
  ok((await refused("sync", "x", "--since")).includes("argument missing"));
  ok((await refused("db", "init", "extra")).includes("too many arguments"));
  ok((await refused("db", "init", "--edition", "tiny")).includes("full, lite"));
  ok((await refused("db")).includes("Usage: bigbrotr db"));
  ok((await refused()).includes("Usage: bigbrotr"));
});

Deno.test("help keeps within the terminal, but for a command that is wider itself", async () => {
  for (const columns of [60, 80, 200]) {
    const lines = [
      ["--help"],
      ...ALL.map(({ name }) => [...name.split(" "), "--help"]),
    ];
    for (const args of lines) {
      let out = "";
      await parseCommandLine(args, {
        commands: ALL,
        writeOut: (text) => out += text,
        writeErr: () => {},
        columns,
        readEnv: () => undefined,
      });
      for (const line of out.split("\n")) {
        const isCommand = line.startsWith("  $ ") || /^Usage: /.test(line);
        // A word that is wider than its column has nowhere to go.
        const isWord = !line.trim().includes(" ");
        ok(
          line.length <= columns || isCommand || isWord,
          `${args} ${columns}: ${line}`,
        );
      }
    }
  }
});

Deno.test("help and version are asked for on stdout and exit 0", async () => {
  const help = await parse("sync", "--help");
  deepStrictEqual(help.line, { command: null, exitCode: 0 });
  ok(
    help.out.includes("$ bigbrotr sync wss://a.example   one relay"),
    help.out,
  );
  ok(help.out.includes("--log-format"));
  equal(help.err, "");
  const version = await parse("--version");
  ok(/^\d+\.\d+\.\d+/.test(version.out));
  ok((await parse("--help")).out.includes("Exit codes:"));
});
