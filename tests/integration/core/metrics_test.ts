/**
 * The metrics of the whole program, as Prometheus and promtool read them.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { Registry } from "prom-client";
import { brotrConfig } from "../../../src/core/config/brotr_config.ts";
import { registerDatabaseMetrics } from "../../../src/core/database/database_metrics.ts";
import { openProcessMetrics } from "../../../src/core/metrics/process_metrics.ts";
import { finder } from "../../../src/services/finder/mod.ts";
import { monitor } from "../../../src/services/monitor/mod.ts";
import { seeder } from "../../../src/services/seeder/mod.ts";
import { synchronizer } from "../../../src/services/synchronizer/mod.ts";
import { validator } from "../../../src/services/validator/mod.ts";
import {
  runOnce,
  type TestArchive,
  testArchive,
} from "../../support/archive.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { testWith } from "../../support/installed.ts";
import { monitorConfig, unusedPort } from "../../support/monitor.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";
import { testRelay } from "../../support/test_relay.ts";

/** Of an embedded database, with its disk. */
const EMBEDDED = brotrConfig.parse({ embedded: { dataDir: Deno.cwd() } });
const factory = eventFactory("metrics");

/** These names are the contract, although promtool wants no type in a name. */
const PROMTOOL_OBJECTS = [
  "bigbrotr_service_counter_total metric name should not include type 'counter'",
  "bigbrotr_service_gauge metric name should not include type 'gauge'",
];

await testWith(
  "promtool",
  "promtool objects to nothing in the metrics of all services but to the names of two families",
  async () => {
    await using archive = await testArchive();
    const text = await scrapeOfAll(archive);
    const promtool = new Deno.Command("promtool", {
      args: ["check", "metrics"],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const input = promtool.stdin.getWriter();
    await input.write(new TextEncoder().encode(text));
    await input.close();
    const { stdout, stderr } = await promtool.output();
    const said = new TextDecoder().decode(stdout) +
      new TextDecoder().decode(stderr);
    assert.deepEqual(said.trim().split("\n").sort(), PROMTOOL_OBJECTS);
  },
);

Deno.test("every metric has the program's prefix or is of the process, and a help worth reading", async () => {
  await using archive = await testArchive();
  const text = await scrapeOfAll(archive);
  const helps = [...text.matchAll(/^# HELP (\S+) (.*)$/gm)];
  const names = helps.map(([, name = ""]) => name);
  assert(names.length > 45, `only ${names.length} metrics`);
  for (const [, name = "", help = ""] of helps) {
    assert.match(name, /^(bigbrotr|process)_[a-z0-9_]+$/);
    assert(help.length >= 25, `${name} is hardly explained: ${help}`);
  }
  for (
    const family of [
      "bigbrotr_service_info",
      "bigbrotr_service_gauge",
      "bigbrotr_service_counter_total",
      "bigbrotr_cycle_duration_seconds",
      "bigbrotr_build_info",
      "process_resident_memory_bytes",
    ]
  ) assert(names.includes(family), family);
  // What a help sends its reader to exists.
  const all = new Set(names);
  for (const [, name, help = ""] of helps) {
    const named = help.match(/\b(sync|monitor|database|disk|process)_\w+/g);
    for (const other of named ?? []) {
      const exists = all.has(other) || all.has(`bigbrotr_${other}`) ||
        await archive.count(`pg_class where relname = '${other}'`) === 1;
      assert(exists, `the help of ${name} names ${other}, which is not there`);
    }
  }
});

Deno.test("the metrics say how large the archive is, how much disk is left and how busy the pool is", async () => {
  await using archive = await testArchive();
  const { database } = archive;
  const registry = new Registry();
  registerDatabaseMetrics({ registry, database, config: EMBEDDED });
  const read = series(await database.run(() => registry.metrics()));
  const [size] = await archive.sql`
    select pg_database_size(current_database())::float8 as bytes`;
  const bytes = read("bigbrotr_database_size_bytes");
  assert(Math.abs(bytes - size!.bytes) < 1e6, `${bytes} of ${size!.bytes}`);
  assert(read('bigbrotr_table_size_bytes{table="event"}') > 8_000);
  assert.equal(read('bigbrotr_table_rows{table="event"}'), 0);
  assert.equal(read('bigbrotr_database_connections{state="waiting"}'), 0);
  assert(read('bigbrotr_database_connections{state="busy"}') >= 1);
  assert.equal(read("bigbrotr_database_max_connections"), 6);
  assert.equal(read("bigbrotr_database_up"), 1);
  const free = read("bigbrotr_disk_free_bytes");
  assert(free > 0 && free < read("bigbrotr_disk_size_bytes"));
});

Deno.test("without the database the rest of the metrics is there, and says that it is away", async () => {
  await using archive = await testArchive();
  const registry = new Registry();
  const { database } = archive;
  registerDatabaseMetrics({ registry, database, config: EMBEDDED });
  using _process = openProcessMetrics({ registry, version: "1.2.3" });
  await database[Symbol.asyncDispose]();
  const text = await registry.metrics();
  const read = series(text);
  assert.equal(read("bigbrotr_database_up"), 0);
  assert(Number.isNaN(read("bigbrotr_database_size_bytes")));
  assert(!text.includes("bigbrotr_table_size_bytes{"));
  assert(read("process_resident_memory_bytes") > 1e6);
  assert(read("process_cpu_seconds_total") > 0);
  assert(read("process_open_fds") < read("process_max_fds"));
  const startedAt = read("process_start_time_seconds");
  assert(Math.abs(Date.now() / 1_000 - startedAt) < 3_600);
  assert.match(text, /^bigbrotr_build_info\{version="1\.2\.3",deno="/m);
});

/** What a scrape of a process gives that has run every service once, with relays that answer and one that does not. */
async function scrapeOfAll(archive: TestArchive): Promise<string> {
  const registry = new Registry();
  const { database } = archive;
  registerDatabaseMetrics({ registry, database, config: EMBEDDED });
  using _process = openProcessMetrics({ registry, version: "1.2.3" });
  await using relay = await testRelay({
    events: Array.from({ length: 20 }, () => factory.sign()),
  });
  await using directory = await temporaryDirectory();
  const filePath = join(directory.path, "seeds.txt");
  const dead = `ws://127.0.0.1:${await unusedPort()}`;
  await Deno.writeTextFile(filePath, `${relay.url}\n${dead}\n`);
  const own = { allowPrivate: true };
  await using publishing = await monitorConfig({ relays: [relay.url] });
  const run = { registry };
  await runOnce(seeder, database, { ...run, config: { ...own, filePath } });
  await runOnce(validator, database, { ...run, config: own });
  await runOnce(monitor, database, { ...run, config: publishing.config });
  await runOnce(synchronizer, database, { ...run, config: own });
  const api = { enabled: false };
  await runOnce(finder, database, { ...run, config: { ...own, api } });
  return await registry.metrics();
}

/** Reads single series of a scrape. */
function series(text: string): (name: string) => number {
  const values = new Map(
    text.split("\n").map((line) => {
      const end = line.lastIndexOf(" ");
      return [line.slice(0, end), line.slice(end + 1)];
    }),
  );
  return (name) => {
    const value = values.get(name);
    assert(value !== undefined, `${name} is not among the metrics`);
    return Number(value === "Nan" ? NaN : value);
  };
}
