import {
  deepStrictEqual,
  doesNotMatch,
  equal,
  match,
  ok,
} from "node:assert/strict";
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
      /WRONG config\/services\/sedeer\.yaml: no service reads this file/,
    );
  }));

Deno.test("config check reads what the configuration names: secrets, lists, files, ports and proxies", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const dead = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const deadPort = dead.addr.port;
  dead.close();
  const proxy = (port: number) => `socks5://127.0.0.1:${port}`;
  await withFiles({
    "config/brotr.yaml": JSON.stringify({
      database: { host: "db.invalid", passwordFile: "none.txt" },
      up: { metrics: { port: taken.addr.port } },
      log: { file: "nowhere/log.txt" },
    }),
    "config/services/monitor.yaml": JSON.stringify({
      keys: { secretKeyEnv: "BIGBROTR_TEST_UNSET" },
      mmdb: { cityPath: "none.mmdb" },
      networks: {
        tor: { enabled: true, proxyUrl: proxy(deadPort) },
        i2p: { enabled: true, proxyUrl: proxy(silent.addr.port) },
      },
    }),
    "config/services/seeder.yaml": "filePath: none.list\n",
    "config/services/finder.yaml": "optOutFile: none.hosts\n",
    "config/services/synchronizer.yaml": JSON.stringify({
      tiers: { high: { priorityFile: "none.priority" } },
    }),
  }, async (run) => {
    const { code, stdout, stderr } = await run("config check");
    equal(code, 2, stderr);
    for (
      const problem of [
        /brotr: .*none\.txt: cannot get the database password/,
        /monitor: .*BIGBROTR_TEST_UNSET is not set/,
        /monitor: mmdb\.cityPath: there is no file none\.mmdb/,
        /seeder: .*cannot read seeds from "none\.list" as there is no such/,
        /finder: .*none\.hosts: cannot get "optOutFile"/,
        /synchronizer: .*none\.priority: cannot get "priorityFile"/,
        new RegExp(`127.0.0.1:${taken.addr.port} .*in use by another prog`),
        new RegExp(`${proxy(deadPort)} cannot be reached .*monitor.*tor`),
        new RegExp(`${proxy(silent.addr.port)} does not answer .*i2p`),
      ]
    ) match(stdout, problem);
  });
});

Deno.test("up exits 2 for what the configuration names and is not there, and makes nothing", () =>
  withFiles({
    "config/services/monitor.yaml":
      "keys:\n  secretKeyEnv: BIGBROTR_TEST_UNSET\n",
    "config/services/finder.yaml": "optOutFile: none.hosts\n",
  }, async (run) => {
    const { code, stderr } = await run("up --data-dir data");
    equal(code, 2);
    match(stderr, /BIGBROTR_TEST_UNSET is not set/);
    match(stderr, /none\.hosts: cannot get "optOutFile"/);
    equal((await run("status --data-dir data")).code, 1, "nothing was made");
  }));

Deno.test("--config names a directory for every command, or the file of one; it must be there", () =>
  withFiles({
    "etc/seeder.yaml": "batchSize: 7\n",
    "one.yaml": "batchSize: 8\n",
  }, async (run) => {
    for (const command of ["up", "config check", "finder --once"]) {
      const { code, stderr } = await run(`${command} --config no/such`);
      equal(code, 2, stderr);
      match(stderr, /no\/such: there is no such file or directory/);
    }
    const file = await run("up --config one.yaml");
    equal(file.code, 2);
    match(file.stderr, /one\.yaml: it must be the directory/);
    const show = async (path: string) =>
      JSON.parse(
        (await run(`config show seeder --json --config ${path}`)).stdout,
      )
        .batchSize;
    deepStrictEqual([await show("etc"), await show("one.yaml")], [7, 8]);
  }));

Deno.test("config check is content without files, and with good ones", () =>
  withFiles(
    { "config/brotr.yaml": "up: { metrics: { port: 0 } }\n" },
    async (run) => {
      const { code, stdout } = await run("config check");
      equal(code, 0);
      ok(
        stdout.split("\n").filter((line) => line !== "").every((line) =>
          line.startsWith("ok ")
        ),
      );
    },
  ));

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

Deno.test("no command shows a part of the password, whatever is in it", () =>
  withFiles({}, async (run) => {
    const urls = [
      'postgresql://u:zq"x@yq/w@127.0.0.1:1/db',
      "postgresql://u:zqx@yq/w?x#y@127.0.0.1:1/db",
      "host=127.0.0.1 password=zqxyqw",
      "u:zqx@yq/w@127.0.0.1/db",
    ];
    for (const url of urls) {
      for (const command of ["config show brotr", "config check", "status"]) {
        const { stdout, stderr } = await run(command, {
          BIGBROTR_DATABASE: url,
        });
        doesNotMatch(stdout + stderr, /zq|yq|q\/w/, command);
      }
    }
  }));

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
    await using home = await temporaryDirectory();
    const env = {
      XDG_DATA_HOME: join(home.path, "data"),
      XDG_CONFIG_HOME: join(home.path, "config"),
    };
    for (const shell of ["bash", "zsh", "fish"]) {
      const { code, stdout } = await run(`completions ${shell} --install`, env);
      equal(code, 0, "on an account without any directory");
      const [path = ""] = stdout.split("\n");
      ok(path.startsWith(home.path) && (await Deno.stat(path)).size > 1_000);
    }
    const other = await run("completions powershell");
    equal(other.code, 2);
    match(other.stderr, /Allowed choices are bash, zsh, fish/);
  }));
