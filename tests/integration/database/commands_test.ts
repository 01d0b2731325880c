import assert from "node:assert/strict";
import { scratchDatabase } from "../../support/postgres.ts";
import { runProgram, SOURCE } from "../../support/program.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";

Deno.test("db init --lite chooses the edition for good", async () => {
  await using scratch = await scratchDatabase();
  const first = await db(scratch.url, ["init", "--lite"]);
  assert.match(first.stdout, /Made the schema \(lite\)/);
  const again = await db(scratch.url, ["init"]);
  assert.match(again.stdout, /was there already \(lite\)/);
  assert.equal(again.code, 0);
});

Deno.test("db verify --deep --json gives the whole finding, with exit code 1", async () => {
  await using scratch = await scratchDatabase();
  await db(scratch.url, ["init"]);
  await scratch.sql.unsafe(`
    drop index event_kind;
    insert into relay_check (checked_at, relay_id, online) values (1, 7, true)`);
  const { code, stdout } = await db(scratch.url, [
    "verify",
    "--deep",
    "--json",
  ]);
  const report = JSON.parse(stdout);
  assert.equal(code, 1);
  assert.equal(report.ok, false);
  assert.deepEqual(
    report.problems.map(({ kind, name, problem }: Record<string, string>) => [
      kind,
      name,
      problem,
    ]),
    [["index", "event_kind", "missing"]],
  );
  assert.deepEqual(report.integrity, [
    { rule: "relay_check → relay", rows: 1, example: "relay_id 7" },
  ]);
  const text = await db(scratch.url, ["verify", "--deep"]);
  assert.match(text.stdout, /missing index: event_kind/);
  assert.match(text.stdout, /relay_check → relay: 1/);
});

Deno.test("db cleanup keeps to the ages given and refuses what is none", async () => {
  await using scratch = await scratchDatabase();
  await db(scratch.url, ["init"]);
  await scratch.sql`select relay_check_insert(
    '[{"relayId": 7, "checkedAt": 1, "online": true},
      {"relayId": 7, "checkedAt": 2, "online": true}]')`;
  const kept = await db(scratch.url, [
    "cleanup",
    "--json",
    "--check-days",
    "never",
  ]);
  assert.equal(JSON.parse(kept.stdout).checks, 0);
  const deleted = await db(scratch.url, ["cleanup", "--json"]);
  assert.equal(JSON.parse(deleted.stdout).checks, 1);
  const wrong = await db(scratch.url, ["cleanup", "--check-days", "2w"]);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /--check-days must be a number of days or never/);
});

async function db(url: string, args: readonly string[]) {
  await using folder = await temporaryDirectory();
  const options = { cwd: folder.path };
  return await runProgram(SOURCE, ["db", ...args, "--database", url], options);
}
