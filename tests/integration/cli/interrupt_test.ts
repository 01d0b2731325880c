/**
 * Commands that are interrupted before they are done say so by their exit code: a script must not believe them.
 *
 * @module
 */
import { deepStrictEqual, equal, match } from "node:assert/strict";
import { join } from "node:path";
import { type TestArchive, testArchive } from "../../support/archive.ts";
import { backendOf, untilWaitedFor } from "../../support/lock_waits.ts";
import {
  type RunningProgram,
  SOURCE,
  startProgram,
} from "../../support/program.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";

Deno.test("a one-shot that is interrupted before its end exits 130 and gives no result", async () => {
  await using archive = await testArchive();
  await using folder = await temporaryDirectory();
  const lines = [
    "db init",
    "db migrate",
    "db verify --deep",
    "db cleanup",
    "status",
    "export",
  ];
  const tables = await archive.sql<{ name: string }[]>`
    select format('%I', tablename) as name from pg_tables where schemaname = 'public'`;
  const locks = await archive.sql.reserve();
  const holder = await backendOf(locks);
  for (const line of lines) {
    // Whatever it does, it waits for one of them.
    await locks.unsafe(
      `begin; lock table ${tables.map(({ name }) => name).join(", ")}`,
    );
    await using program = start(archive, folder.path, line);
    await untilWaitedFor(line, { sql: archive.sql, holder });
    const { code, stdout, stderr } = await program.stop("SIGINT");
    deepStrictEqual([line, code, stdout], [line, 130, ""], stderr);
    match(stderr, /interrupted before ".*" was done\n$/);
    await locks.unsafe("rollback");
  }
  locks.release();
});

Deno.test("sync that is interrupted prints its summary and exits 130", async () => {
  await using archive = await testArchive();
  await using folder = await temporaryDirectory();
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = silent.addr;
  await using program = start(
    archive,
    folder.path,
    `sync ws://127.0.0.1:${port} --allow-private`,
  );
  using _socket = await silent.accept();
  const { code, stdout, stderr } = await program.stop("SIGINT");
  equal(code, 130, stderr);
  match(stdout, new RegExp(`^ws://127.0.0.1:${port}`, "m"));
  match(stderr, /interrupted before "sync" was done\n$/);
});

for (const command of ["import", "seeder"]) {
  Deno.test(`${command} that is interrupted while its input is silent exits 130`, async () => {
    await using archive = await testArchive();
    await using folder = await temporaryDirectory();
    const pipe = join(folder.path, "pipe");
    await new Deno.Command("mkfifo", { args: [pipe] }).output();
    await using program = start(archive, folder.path, `${command} ${pipe}`);
    using _writer = await Deno.open(pipe, { write: true });
    const { code, stderr } = await program.stop("SIGTERM");
    equal(code, 130, stderr);
  });
}

function start(
  archive: TestArchive,
  cwd: string,
  line: string,
): RunningProgram {
  const args = [...line.split(" "), "--database", archive.url];
  return startProgram(SOURCE, args, { cwd });
}
