import { deepStrictEqual, equal, match, ok } from "node:assert/strict";
import { join } from "node:path";
import { parse } from "yaml";
import { runProgram, SOURCE } from "../../support/program.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";

async function withFiles(
  files: Record<string, string>,
  use: (
    run: (
      line: string,
      env?: Record<string, string>,
    ) => ReturnType<typeof runProgram>,
  ) => Promise<void>,
): Promise<void> {
  await using directory = await temporaryDirectory();
  for (const [path, text] of Object.entries(files)) {
    const file = join(directory.path, path);
    await Deno.mkdir(join(file, ".."), { recursive: true });
    await Deno.writeTextFile(file, text);
  }
  await use((line, env = {}) =>
    runProgram(SOURCE, line.split(" "), { cwd: directory.path, env })
  );
}

Deno.test("config show prints what is in force, and no password", () =>
  withFiles({
    "config/brotr.yaml":
      "database:\n  url: ${DB_URL}\npool:\n  maxConnections: 3\n",
  }, async (run) => {
    const env = { DB_URL: "postgres://me:s3cret@db.example/archive" };
    const { code, stdout } = await run(
      "config show brotr --log-level warn",
      env,
    );
    equal(code, 0);
    ok(!stdout.includes("s3cret"));
    const tree = parse(stdout);
    equal(tree.database.url, "postgres://me:***@db.example/archive");
    equal(tree.pool.maxConnections, 3);
    equal(tree.pool.minConnections, 1);
    equal(tree.log.level, "warn");
    const json = await run("config show seeder --json", env);
    equal(JSON.parse(json.stdout).seedAs, "candidate");
  }));

Deno.test("config check lists the problems of all files and exits 2", () =>
  withFiles({
    "config/brotr.yaml": "pool:\n  maxConections: 3\n",
    "config/services/seeder.yaml": "seedAs: friend\nintervalMinutes: 5\n",
    "config/services/sedeer.yaml": "",
  }, async (run) => {
    const { code, stdout } = await run("config check");
    equal(code, 2);
    match(
      stdout,
      /pool\.maxConections \(line 2\): unknown key; did you mean "maxConnections"\?/,
    );
    match(
      stdout,
      /seedAs \(line 1\): must be one of candidate, relay: current value is "friend"/,
    );
    match(
      stdout,
      /intervalMinutes \(line 2\): unknown key; did you mean "intervalSeconds"\?/,
    );
    match(
      stdout,
      /WRONG config\/services\/sedeer\.yaml\nno service reads this file/,
    );
  }));

Deno.test("config check is content without files, and with good ones", () =>
  withFiles({}, async (run) => {
    const { code, stdout } = await run("config check");
    equal(code, 0);
    ok(
      stdout.split("\n").filter((line) => line !== "").every((line) =>
        line.startsWith("ok ")
      ),
    );
  }));

Deno.test("config schema is a JSON Schema with type, bounds and default of every key", () =>
  withFiles({}, async (run) => {
    const { code, stdout } = await run("config schema brotr");
    equal(code, 0);
    const schema = JSON.parse(stdout);
    equal(schema.$schema, "https://json-schema.org/draft/2020-12/schema");
    equal(schema.additionalProperties, false);
    const { maxConnections } = schema.properties.pool.properties;
    deepStrictEqual(
      [
        maxConnections.type,
        maxConnections.minimum,
        maxConnections.maximum,
        maxConnections.default,
      ],
      ["integer", 1, 200, 10],
    );
  }));

Deno.test("a file that is named must be there, the default one need not", () =>
  withFiles({}, async (run) => {
    const named = await run("config show brotr --brotr-config nowhere.yaml");
    equal(named.code, 2);
    equal(
      named.stderr,
      "bigbrotr: Bad configuration in nowhere.yaml: there is no such file\n",
    );
    equal((await run("config show brotr")).code, 0);
  }));

Deno.test("what the command line says wrongly is not blamed on the file", () =>
  withFiles(
    { "config/brotr.yaml": "database:\n  url: postgres://a/b\n" },
    async (run) => {
      const { code, stderr } = await run("status --database nonsense");
      equal(code, 2);
      equal(
        stderr,
        'bigbrotr: Bad configuration in the command line: database.url: must start with postgres://: current value is "nonsense"\n',
      );
    },
  ));

Deno.test("only up, db init, sync and import make an archive; any other command says where there is none", () =>
  withFiles({}, async (run) => {
    const commands = [
      "status",
      "db verify",
      "db migrate",
      "db cleanup",
      "export",
      "finder --once",
      "validator",
    ];
    for (const command of commands) {
      const { code, stderr, stdout } = await run(`${command} --data-dir data`);
      equal(code, 1);
      equal(stdout, "");
      match(
        stderr,
        /^bigbrotr: There is no archive in .*\/data yet: "bigbrotr up" makes one/,
      );
    }
    equal((await run("status --data-dir data")).code, 1, "nothing was made");
  }));

Deno.test("a missing variable is told with file, key and name", () =>
  withFiles(
    { "config/brotr.yaml": "database:\n  url: ${DB_URL}\n" },
    async (run) => {
      const { code, stderr } = await run("status");
      equal(code, 2);
      match(
        stderr,
        /config\/brotr\.yaml: database\.url: the environment variable DB_URL is not set/,
      );
    },
  ));

Deno.test("completions are printed for each shell, and for no other", () =>
  withFiles({}, async (run) => {
    for (const shell of ["bash", "zsh", "fish"]) {
      const { code, stdout } = await run(`completions ${shell}`);
      equal(code, 0);
      ok(stdout.includes("synchroni") || stdout.includes("seeder"));
    }
    const other = await run("completions powershell");
    equal(other.code, 2);
    match(other.stderr, /Allowed choices are bash, zsh, fish/);
  }));
