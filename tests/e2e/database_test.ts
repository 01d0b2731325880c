/**
 * The database from the command line: set up, verified, and each way in which it can be the wrong one.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { scratchDatabase } from "../support/postgres.ts";
import {
  type Program,
  type ProgramResult,
  programs,
  runProgram,
} from "../support/program.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";

for (const program of programs()) {
  Deno.test(`${program.name}: db init sets a database up, twice is as good as once`, async () => {
    await using scratch = await scratchDatabase();
    const database = ["--database", scratch.url];
    await succeed(program, ["db", "init", ...database]);
    await succeed(program, ["db", "init", ...database]);
    await succeed(program, ["db", "migrate", ...database]);
    await succeed(program, ["db", "verify", ...database]);
    await succeed(program, ["db", "cleanup", ...database]);
  });

  Deno.test(`${program.name}: db verify names what is missing, with exit code 1`, async () => {
    await using scratch = await scratchDatabase();
    const database = ["--database", scratch.url];
    await succeed(program, ["db", "init", ...database]);
    await scratch.sql`drop table rejected_event cascade`;
    const { code, stdout, stderr } = await run(program, [
      "db",
      "verify",
      ...database,
    ]);
    assert.match(stdout + stderr, /rejected_event/);
    assert.equal(code, 1);
  });

  Deno.test(`${program.name}: db migrate puts back functions that were dropped or altered`, async () => {
    await using scratch = await scratchDatabase();
    const database = ["--database", scratch.url];
    await succeed(program, ["db", "init", ...database]);
    await scratch.sql`drop function relay_insert`;
    await scratch
      .sql`create or replace function relay_check_insert(p_checks jsonb)
      returns int4 language sql as 'select 0'`;
    const damaged = await run(program, ["db", "verify", ...database]);
    assert.equal(damaged.code, 1);
    assert.match(damaged.stdout, /missing function: relay_insert/);
    assert.match(damaged.stdout, /altered function: relay_check_insert/);
    assert.match(damaged.stdout, /"bigbrotr db migrate" puts all of it back/);
    await succeed(program, ["db", "migrate", ...database]);
    await succeed(program, ["db", "verify", ...database]);
  });

  Deno.test(`${program.name}: a database without a schema is told what to do with`, async () => {
    await using scratch = await scratchDatabase();
    const { code, stderr } = await run(program, [
      "status",
      "--database",
      scratch.url,
    ]);
    assert.match(stderr, /bigbrotr db init/);
    assert.equal(code, 1);
  });

  Deno.test(`${program.name}: a database newer than the program is left alone`, async () => {
    await using scratch = await scratchDatabase();
    const database = ["--database", scratch.url];
    await succeed(program, ["db", "init", ...database]);
    await scratch.sql`insert into schema_migration
      (version, name, checksum, applied_at) values (9999, '9999_later.sql', '', 0)`;
    for (const command of [["status"], ["db", "migrate"], ["up"]]) {
      const { code, stderr } = await run(program, [...command, ...database]);
      assert.match(stderr, /newer/, command.join(" "));
      assert.equal(code, 1, command.join(" "));
    }
  });

  Deno.test(`${program.name}: a server that is not there is named, with exit code 1`, async () => {
    await using folder = await temporaryDirectory();
    const config = join(folder.path, "brotr.yaml");
    await Deno.writeTextFile(config, "retry: { maxAttempts: 1 }\n");
    const port = freePort();
    const { code, stderr } = await run(program, [
      "status",
      "--brotr-config",
      config,
      "--database",
      `postgres://nobody:hunter2@127.0.0.1:${port}/x`,
    ]);
    assert.match(stderr, new RegExp(`127\\.0\\.0\\.1:${port}`));
    assert.doesNotMatch(stderr, /hunter2/);
    assert.equal(code, 1);
  });

  Deno.test(`${program.name}: a data directory of another PostgreSQL is left alone, and how to carry it over is said`, async () => {
    await using folder = await temporaryDirectory();
    const cluster = join(folder.path, "data/postgres");
    await Deno.mkdir(cluster, { recursive: true });
    await Deno.writeTextFile(join(cluster, "PG_VERSION"), "16\n");
    const { code, stderr } = await run(program, [
      "db",
      "serve",
      "--data-dir",
      join(folder.path, "data"),
    ]);
    assert.match(stderr, /PostgreSQL 16/);
    assert.match(stderr, /pg_dump/);
    assert.equal(code, 1);
  });
}

async function succeed(program: Program, args: string[]): Promise<void> {
  const { code, stderr } = await run(program, args);
  assert.equal(code, 0, `${args.join(" ")}: ${stderr}`);
}

async function run(program: Program, args: string[]): Promise<ProgramResult> {
  await using folder = await temporaryDirectory();
  return await runProgram(program, args, { cwd: folder.path });
}

/** A port that nobody listens on. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
