/**
 * The program on a machine whose clock is wrong, beside a database whose clock is right: what it leaves behind must be
 * as if the clock had been right, and it says what is wrong.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestArchive, testArchive } from "../support/archive.ts";
import { missing, unless } from "../support/installed.ts";
import { addRelay, reply } from "../support/monitor.ts";
import {
  type Program,
  type ProgramResult,
  runProgram,
  SOURCE,
} from "../support/program.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { testRelay } from "../support/test_relay.ts";

/** The program as it runs that much later; null for the right time. */
function shifted(shift: string | null): Program {
  const [command, ...args] = SOURCE.command;
  return shift === null
    ? SOURCE
    : { ...SOURCE, command: ["faketime", "-f", shift, command, ...args] };
}

const NO_FAKETIME = await missing("faketime", ["-f", "+0", "true"]);

Deno.test({
  ...unless(
    NO_FAKETIME,
    "a monitor whose clock is a month, two or years ahead neither leaves relays alone for it nor forgets today",
  ),
  async fn() {
    await using home = await temporaryDirectory();
    await using archive = await testArchive();
    await using relay = await testRelay({ http: reply({ name: "A relay" }) });
    await addRelay(archive, relay.url);
    const file = join(home.path, "monitor.yaml");
    await Deno.writeTextFile(file, "allowPrivate: true\n");
    const args = ["monitor", "--once", "--config", file];
    const monitor = async (shift: string | null) => {
      const place = { archive, cwd: home.path };
      const { code, stderr } = await run(place, { shift, args });
      assert.equal(code, 0, stderr);
      return stderr;
    };
    const checkAgain = async () => {
      await archive.sql`update relay_lease set due_at = unix_now()`;
      await archive.sql`update relay_check set checked_at = checked_at - 5`;
      await archive
        .sql`update relay_state set last_checked_at = last_checked_at - 5`;
    };
    assert.match(await monitor("+30d"), DIFFERS);
    await assertChecks(archive, 1);
    await checkAgain();
    assert.doesNotMatch(await monitor(null), DIFFERS);
    await assertChecks(archive, 2);
    for (const shift of ["+60d", "+3y", "-30d"]) {
      await archive
        .sql`delete from service_state where state_key = 'retention'`;
      assert.match(await monitor(shift), DIFFERS);
      await assertChecks(archive, 2);
    }
    // What an earlier version of the program left behind on such a machine.
    await checkAgain();
    await archive.sql`update relay_lease set due_at = due_at + 30 * 86400`;
    await monitor(null);
    await assertChecks(archive, 3);
  },
});

Deno.test({
  ...unless(
    NO_FAKETIME,
    "status says that a clock differs from the database's, and by how much",
  ),
  async fn() {
    await using home = await temporaryDirectory();
    await using archive = await testArchive();
    const place = { archive, cwd: home.path };
    const ahead = await run(place, { shift: "+2h", args: ["status"] });
    assert.equal(ahead.code, 0, ahead.stderr);
    assert.match(
      ahead.stdout,
      /^WARNING: the clock of this machine is 2\.0 h ahead of the database's/m,
    );
    const args = ["status", "--json"];
    const behind = await run(place, { shift: "-2h", args });
    const { clockSkewSeconds, at } = JSON.parse(behind.stdout);
    assert.ok(Math.abs(clockSkewSeconds + 7_200) < 5, `${clockSkewSeconds} s`);
    assert.ok(Math.abs(at - Date.now() / 1_000) < 60, "the database's time");
    const right = await run(place, { shift: null, args: ["status"] });
    assert.doesNotMatch(right.stdout, /WARNING/);
  },
});

const DIFFERS = /clock differs from the database's/;

/** So many checks, none of them rolled up, and a relay that is due within a day. */
async function assertChecks(archive: TestArchive, count: number) {
  assert.equal(await archive.count("relay_check"), count);
  assert.equal(await archive.count("relay_check_rollup"), 0);
  const [row] = await archive.sql`
    select (due_at - unix_now())::int as due from relay_lease`;
  assert.ok(row!.due > 0 && row!.due <= 86_400, `due in ${row!.due} s`);
}

function run(
  { archive, cwd }: { readonly archive: TestArchive; readonly cwd: string },
  { shift, args }: {
    readonly shift: string | null;
    readonly args: readonly string[];
  },
): Promise<ProgramResult> {
  const all = [...args, "--database", archive.url];
  return runProgram(shifted(shift), all, { cwd });
}
