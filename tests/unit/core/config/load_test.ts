import { deepStrictEqual, equal, ok, throws } from "node:assert/strict";
import { z } from "zod";
import { ConfigError } from "../../../../src/core/config/config_error.ts";
import { loadConfig } from "../../../../src/core/config/load.ts";

const schema = z.strictObject({
  intervalSeconds: z.number().min(1).default(300),
  timeoutMs: z.int().min(100).max(5_000).default(1_000),
  batchSize: z.int().default(10),
  title: z.string().default("none"),
  mode: z.enum(["fast", "slow"]).default("fast"),
  enabled: z.boolean().default(true),
  secretKeyEnv: z.string().optional(),
  urls: z.array(z.url()).default([]),
  pool: z.strictObject({
    maxConnections: z.int().max(200).default(5),
    idleMs: z.int().nullable().default(null),
  }).prefault({}),
});

/** Loads `yaml` from a file, with `env` as the environment. */
function load(
  yaml: string,
  env: Record<string, string> = {},
  overrides: Record<string, unknown> = {},
): z.output<typeof schema> {
  const path = Deno.makeTempFileSync({ suffix: ".yaml" });
  try {
    Deno.writeTextFileSync(path, yaml);
    return loadConfig(path, schema, { env: (name) => env[name], overrides });
  } finally {
    Deno.removeSync(path);
  }
}

/** The problems of `yaml`, which must have some. */
function problems(yaml: string, env: Record<string, string> = {}): string[] {
  let found: readonly string[] = [];
  throws(() => load(yaml, env), (error) => {
    ok(error instanceof ConfigError);
    found = error.problems;
    return true;
  });
  return [...found];
}

Deno.test("loadConfig() gives every key its default without a file and with an empty one", () => {
  const defaults = loadConfig(undefined, schema);
  equal(defaults.intervalSeconds, 300);
  equal(defaults.pool.maxConnections, 5);
  deepStrictEqual(load(""), defaults);
  deepStrictEqual(load("# only a comment\n"), defaults);
});

Deno.test("loadConfig() reads values, nested ones too, and lets overrides win", () => {
  const config = load(
    'timeoutMs: 200\nurls: ["https://a.example"]\npool:\n  maxConnections: 7\n',
    {},
    { pool: { idleMs: 9 }, title: "over", batchSize: undefined },
  );
  equal(config.timeoutMs, 200);
  deepStrictEqual(config.urls, ["https://a.example"]);
  deepStrictEqual(config.pool, { maxConnections: 7, idleMs: 9 });
  equal(config.title, "over");
  equal(config.batchSize, 10);
});

Deno.test("an override of null removes what the file says", () => {
  equal(load("title: file\n", {}, { title: null }).title, "none");
  const pool = { maxConnections: null, idleMs: 5 };
  equal(load("", {}, { pool }).pool.maxConnections, 5);
});

Deno.test("loadConfig() lists all problems at once, each with key, line and value", () => {
  deepStrictEqual(
    problems(
      "intervalSeconds: 5m\ntimeoutMs: 30\nmode: quick\npool:\n  maxConnections: 900\n  maxConections: 4\n",
    ).sort(),
    [
      'intervalSeconds (line 1): must be a number of seconds, without a unit: current value is "5m"',
      'mode (line 3): must be one of fast, slow: current value is "quick"',
      'pool.maxConections (line 6): unknown key; did you mean "maxConnections"?',
      "pool.maxConnections (line 5): must be <= 200: current value is 900",
      "timeoutMs (line 2): must be >= 100: current value is 30",
    ],
  );
});

Deno.test("an unknown key is answered by the nearest one, whatever its unit or case", () => {
  const asked = {
    intervalMs: "intervalSeconds",
    interval: "intervalSeconds",
    interval_seconds: "intervalSeconds",
    intervalMinutes: "intervalSeconds",
    timeout: "timeoutMs",
    timeoutSeconds: "timeoutMs",
    batchsize: "batchSize",
    batch_size: "batchSize",
    enable: "enabled",
    pol: "pool",
  };
  for (const [wrong, right] of Object.entries(asked)) {
    deepStrictEqual(problems(`${wrong}: 1\n`), [
      `${wrong} (line 1): unknown key; did you mean "${right}"?`,
    ]);
  }
});

Deno.test("an unknown key that resembles none is answered by those there are", () => {
  const [problem = ""] = problems("pool:\n  colour: red\n");
  equal(
    problem,
    "pool.colour (line 2): unknown key; known here are idleMs, maxConnections",
  );
});

Deno.test("wrong types are answered by what is accepted", () => {
  const said = (yaml: string) => problems(yaml)[0]?.replace(/ \(line \d\)/, "");
  equal(
    said("timeoutMs: 0.5\n"),
    "timeoutMs: must be a whole number of milliseconds, without a unit: current value is 0.5",
  );
  equal(
    said("timeoutMs: 30s\n"),
    'timeoutMs: must be a number of milliseconds, without a unit: current value is "30s"',
  );
  equal(
    said("enabled: maybe\n"),
    'enabled: must be true or false: current value is "maybe"',
  );
  equal(said("title: 5\n"), "title: must be text: current value is 5");
  equal(
    said("urls: https://a.example\n"),
    'urls: must be a list: current value is "https://a.example"',
  );
  equal(said("pool: 5\n"), "pool: must be keys and values: current value is 5");
});

Deno.test("a wrong value that may hold a password is not shown", () => {
  const attempts = [
    "u:Sec@re/t@db.example/db",
    "http://u:Sec@re/t@db.example",
    'postgresql://u:Se"c@re/t@db.example',
    "host=db.example password=Secret",
  ];
  for (const attempt of attempts) {
    equal(
      problems(`urls: ${JSON.stringify(attempt)}\n`)[0],
      "urls (line 1): must be a list: current value is not shown, as it may hold a password",
    );
  }
  equal(
    problems("urls: postgresql://u:Sec@re/t@db.example/db\n")[0],
    'urls (line 1): must be a list: current value is "postgresql://u:***@db.example/db"',
  );
});

Deno.test("a section whose keys are all commented out has its defaults", () => {
  equal(load("pool:\n  # maxConnections: 7\n").pool.maxConnections, 5);
});

Deno.test("a file that is no map, no YAML or not there is a configuration error", () => {
  equal(
    problems("- a\n- b\n")[0],
    "the file must hold keys and values (key: value): it holds a list",
  );
  ok(problems("a: [1,\nb: }\n").length > 0);
  ok(problems("title: a\ntitle: b\n")[0]?.includes("unique"));
  throws(
    () => loadConfig("/nowhere/brotr.yaml", schema),
    /Bad configuration in \/nowhere\/brotr.yaml: there is no such file/,
  );
});

Deno.test("variables are replaced, with defaults, and typed as YAML would", () => {
  const config = load(
    "timeoutMs: ${T}\nenabled: ${E:-false}\ntitle: ${GREETING:-hello} ${NAME}\nbatchSize: ${N:-7}\n",
    { T: "250", NAME: "world", N: "" },
  );
  equal(config.timeoutMs, 250);
  equal(config.enabled, false);
  equal(config.title, "hello world");
  equal(config.batchSize, 7);
});

Deno.test("a quoted reference stays text, and so does one that is no plain number", () => {
  equal(load('title: "${T}"\n', { T: "250" }).title, "250");
  equal(load("title: ${T}\n", { T: "1e5" }).title, "1e5");
  equal(load("title: ${T}\n", { T: "007" }).title, "007");
  equal(load("title: ${T}\n", { T: "a: b # c" }).title, "a: b # c");
});

Deno.test("$${ is a literal, and a reference in a key is none", () => {
  equal(load("title: $${HOME}\n").title, "${HOME}");
});

Deno.test("a variable without value or default is named with its key", () => {
  deepStrictEqual(problems("pool:\n  idleMs: ${IDLE}\nurls:\n- ${URL}\n"), [
    "pool.idleMs: the environment variable IDLE is not set (a default is written ${IDLE:-default})",
    "urls.0: the environment variable URL is not set (a default is written ${URL:-default})",
  ]);
  ok(
    problems("title: ${1x}\n")[0]?.startsWith('title: "${" begins no variable'),
  );
});

Deno.test("loadConfig() shows no password of a URL that it refuses", () => {
  const refused = problems(
    'urls: ["ftp//x", "mysql //u:hidden@h"]\nmode: "postgres://u:hidden@h/db"\n',
  );
  ok(
    refused.some((one) => one.includes("postgres://u:***@h/db")),
    refused.join(),
  );
});
