/**
 * `doctor`: what it finds, what it says to do, and what it puts right.
 *
 * @module
 */
import { deepStrictEqual, equal, match } from "node:assert/strict";
import { join } from "node:path";
import { dnsDiagnoses } from "../../../src/cli/doctor/machine.ts";
import { systemDnsServers } from "../../../src/transport/dns_client.ts";
import { testArchive } from "../../support/archive.ts";
import { unusedPort } from "../../support/monitor.ts";
import { unless } from "../../support/installed.ts";
import { scratchCluster } from "../../support/postgres.ts";
import { debianBinaries } from "../../support/postgres_cluster.ts";
import { privatePostgres } from "../../support/private_postgres.ts";
import { until } from "../../support/until.ts";
import { runProgram, SOURCE } from "../../support/program.ts";
import { scriptedDnsServer } from "../../support/scripted_dns_server.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";

interface Found {
  readonly about: string;
  readonly grade: string;
  readonly text: string;
  readonly advice?: string;
}

async function doctor(
  ...args: string[]
): Promise<{ code: number; diagnoses: Found[] }> {
  await using folder = await temporaryDirectory();
  const line = ["doctor", "--json", ...args];
  const { code, stdout, stderr } = await runProgram(SOURCE, line, {
    cwd: folder.path,
    // Not that of whoever runs the tests.
    env: { PGPASSFILE: join(folder.path, "none") },
  });
  if (stdout === "") throw new Error(stderr);
  return { code, diagnoses: JSON.parse(stdout).diagnoses };
}

function grades(diagnoses: readonly Found[]): string[] {
  return diagnoses.map(({ about, grade }) => `${about} ${grade}`);
}

Deno.test("doctor finds nothing on a sound archive, every index read", async () => {
  await using archive = await testArchive();
  const only = "--only=configuration,disk,database";
  const { code, diagnoses } = await doctor(
    only,
    "--deep",
    "--database",
    archive.url,
  );
  equal(code, 0, JSON.stringify(diagnoses));
  deepStrictEqual(
    grades(diagnoses).filter((one) => !one.endsWith(" ok")),
    [],
  );
  const indexes = diagnoses.find(({ about }) => about === "indexes");
  equal(indexes?.text, "read, and sound");
});

Deno.test("doctor --repair builds invalid and broken indexes anew", async () => {
  await using archive = await testArchive();
  const { sql, url } = archive;
  await sql`update pg_index set indisvalid = false
    where indexrelid = 'candidate_due'::regclass`;
  // An order that changed after the index was built, as by an update of the system's collations.
  await sql.unsafe(`
    create function paper_cmp(int4, int4) returns int4 language sql immutable
      as 'select btint4cmp($1, $2)';
    create operator class paper for type int4 using btree as
      operator 1 <, operator 2 <=, operator 3 =, operator 4 >=, operator 5 >,
      function 1 paper_cmp(int4, int4);
    create table paper (i int4);
    create index paper_i on paper (i paper);
    insert into paper select generate_series(1, 1000);
    create or replace function paper_cmp(int4, int4) returns int4
      language sql immutable as 'select btint4cmp($2, $1)'`);
  const line = ["--only", "database", "--deep", "--database", url];
  const { code, diagnoses } = await doctor(...line);
  equal(code, 1);
  const damage = diagnoses.find(({ about }) => about === "indexes");
  match(damage?.text ?? "", /candidate_due: it is invalid/);
  match(damage?.text ?? "", /paper_i: item order invariant violated/);
  match(damage?.advice ?? "", /--repair/);

  const repaired = await doctor(...line, "--repair");
  match(
    repaired.diagnoses.find(({ about }) => about === "indexes")?.text ?? "",
    /built anew/,
  );
  equal((await doctor(...line)).code, 0);
  const [row] = await sql`select count(*)::int as n from pg_extension
    where extname = 'amcheck'`;
  equal(row?.n, 0, "nothing is left behind");
});

Deno.test("doctor --repair puts indexes into the order of the system's collation", async () => {
  const cluster = await scratchCluster();
  const name = `icu_${crypto.randomUUID().replaceAll("-", "")}`;
  const admin = cluster.connect("postgres");
  try {
    await admin.unsafe(
      `create database ${name} template template0 locale_provider icu icu_locale 'en'`,
    );
    const url = cluster.url(name);
    const init = await runProgram(SOURCE, ["db", "init", "--database", url], {
      cwd: "/tmp",
    });
    equal(init.code, 0, init.stderr);
    await admin`update pg_database set datcollversion = '0.1'
      where datname = ${name}`;
    const line = ["--only=database", "--database", url];
    const { code, diagnoses } = await doctor(...line);
    equal(code, 1);
    match(
      diagnoses.find(({ about }) => about === "indexes")?.text ?? "",
      /relay_url_key: it is in the order of collation version 0\.1, and/,
    );
    equal((await doctor(...line, "--repair")).code, 0);
    const again = await doctor(...line);
    deepStrictEqual(
      again.diagnoses.filter(({ about }) => about === "indexes")
        .map(({ text }) => text),
      ["valid"],
    );
  } finally {
    await admin.unsafe(`drop database if exists ${name} with (force)`);
    await admin.end({ timeout: 5 });
  }
});

Deno.test("doctor says what is wrong with a schema, an archive that is not there, a server that is away", async () => {
  await using archive = await testArchive();
  await archive.sql`drop function relay_twin cascade`;
  const damaged = await doctor("--only=database", "--database", archive.url);
  equal(damaged.code, 1);
  const schema = damaged.diagnoses.find(({ about }) => about === "schema");
  match(schema?.text ?? "", /missing function: relay_twin/);
  match(schema?.advice ?? "", /db migrate/);

  const none = await doctor("--only=database", "--data-dir", "nowhere");
  deepStrictEqual(grades(none.diagnoses), ["database wrong"]);
  match(none.diagnoses[0]?.text ?? "", /There is no archive in .*nowhere yet/);
});

Deno.test("doctor looks at what the configuration names, as config check does", async () => {
  await using folder = await temporaryDirectory();
  const port = await unusedPort();
  await Deno.writeTextFile(
    join(folder.path, "finder.yaml"),
    `networks: { tor: { enabled: true, proxyUrl: "socks5://127.0.0.1:${port}" } }\noptOutFile: none.txt\n`,
  );
  const key = join(folder.path, "key.txt");
  await Deno.writeTextFile(key, `${"1".repeat(64)}\n`, { mode: 0o644 });
  await Deno.chmod(key, 0o644);
  await Deno.writeTextFile(
    join(folder.path, "monitor.yaml"),
    `keys: { secretKeyFile: "${key}" }\n`,
  );
  const only = "--only=configuration,proxies";
  const { code, diagnoses } = await doctor(only, "--config", folder.path);
  equal(code, 1);
  deepStrictEqual(
    grades(diagnoses).filter((one) => one.endsWith(" wrong")),
    ["finder wrong", "proxy wrong"],
  );
  const secret = diagnoses.find(({ about }) => about === "secret");
  equal(secret?.advice, `chmod 600 ${key}`);
});

Deno.test("doctor asks every resolver; one that is silent matters when no other answers", async () => {
  await using answering = await scriptedDnsServer(0);
  const { signal } = new AbortController();
  const silent = { address: "127.0.0.1", port: await unusedPort() };
  const both = await dnsDiagnoses(signal, [answering, silent]);
  deepStrictEqual(grades(both), ["dns ok", "dns note"]);
  deepStrictEqual(grades(await dnsDiagnoses(signal, [silent])), ["dns wrong"]);
  deepStrictEqual(grades(await dnsDiagnoses(signal, [])), ["dns wrong"]);
});

Deno.test("systemDnsServers() names each resolver once", () => {
  const servers = systemDnsServers().map(({ address, port }) =>
    `${address} ${port}`
  );
  deepStrictEqual(servers, [...new Set(servers)]);
});

const debian = await debianBinaries();

Deno.test({
  ...unless(
    debian === null ? "no /usr/lib/postgresql/*/bin" : null,
    "doctor names standbys that confirm nothing, and none that confirm",
  ),
  async fn() {
    await using server = await privatePostgres({
      version: "debian",
      settings: "wal_level = replica\nmax_wal_senders = 4\n",
    });
    const { directory, port, url, sql } = server;
    const line = ["--only=database", "--database", url];
    const init = await runProgram(SOURCE, ["db", "init", "--database", url], {
      cwd: "/tmp",
    });
    equal(init.code, 0, init.stderr);
    await using files = await temporaryDirectory();
    const conninfo = `host=${directory} port=${port} user=bigbrotr`;
    const receiver = new Deno.Command(`${debian}/pg_receivewal`, {
      args: [
        "-D",
        files.path,
        "--synchronous",
        "--no-password",
        "-d",
        `${conninfo} application_name=cellar`,
      ],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    try {
      const state = async (wanted: string) => {
        const [row] = await sql`select sync_state from pg_stat_replication`;
        return row?.sync_state === wanted;
      };
      await until("it replicates", () => state("async"));
      const { code, diagnoses } = await doctor(...line);
      equal(code, 0, "it is no fault");
      const standby = diagnoses.find(({ about }) => about === "standbys");
      match(standby?.text ?? "", /^cellar replicate without confirming/);
      match(standby?.advice ?? "", /synchronous_standby_names/);

      await sql.unsafe(
        "alter system set synchronous_standby_names = 'cellar'",
      );
      await sql`select pg_reload_conf()`;
      await until("it confirms", () => state("sync"));
      const again = await doctor(...line);
      deepStrictEqual(
        again.diagnoses.filter(({ about }) => about === "standbys"),
        [],
      );
    } finally {
      receiver.kill("SIGKILL");
      await receiver.status;
    }
  },
});
