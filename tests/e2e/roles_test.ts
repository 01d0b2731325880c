/**
 * Each service and command in its own process, logged in as the role that it is meant for.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { createRoles } from "../../src/core/database/roles.ts";
import { type Role, roleName, ROLES } from "../../src/core/database/role.ts";
import { type TestArchive, testArchive } from "../support/archive.ts";
import { eventFactory } from "../support/event_factory.ts";
import { type Program, programs, runProgram } from "../support/program.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { type TestRelay, testRelay } from "../support/test_relay.ts";

const factory = eventFactory("roles");
const FIRST = 1_700_000_000;
const TAGS = [["p", factory.pubkey(1)], ["e", "ab".repeat(32)], ["t", "x"]];
/** Also what statistics derive facts from. */
const EVENTS = Array.from({ length: 40 }, (_, n) => {
  const kind = [1, 1, 1, 3, 7, 9_735][n % 6]!;
  return factory.sign({ createdAt: FIRST + n * 60, kind, tags: TAGS });
});
const FOR_EVENT_RAW = factory.sign({ content: "a\0b", kind: 1 });
const LISTED_ONLY = factory.sign({ createdAt: FIRST, kind: 4 });
const LINES = Array.from(
  { length: 5 },
  (_, n) => JSON.stringify(factory.sign({ createdAt: n + 1, kind: 1 })),
).join("\n");

for (const program of programs()) {
  Deno.test(`${program.name}: every service and command works as the role that it is meant for`, async () => {
    await using archive = await testArchive();
    await using relay = await testRelay({
      events: [...EVENTS, FOR_EVENT_RAW, LISTED_ONLY],
      maxLimit: 20,
      countable: true,
      negentropy: {},
      withheldKinds: [LISTED_ONLY.kind],
    });
    await using home = await makeHome(relay);
    const run = await asRoles(program, archive, home.path);

    await run("admin", "db", "migrate");
    await run("admin", "db", "verify", "--deep");
    for (const service of ["seeder", "validator", "monitor"]) {
      await run("writer", ...configured(service, home.path), "--once");
    }
    assert.equal(await archive.count("relay"), 1);
    assert.equal(await archive.count("relay_check"), 1);
    // The second time everything is known, and what is proven is asked about again.
    for (let visit = 0; visit < 2; visit++) {
      const sync = configured("synchronizer", home.path);
      await run("writer", ...sync, "--once");
      await run("writer", ...configured("finder", home.path), "--once");
      await archive.sql`update relay_lease set due_at = 0`;
    }
    assert.equal(await archive.count("event"), 41);
    assert.equal(await archive.count("sync_withheld"), 1);
    await run("writer", "sync", relay.url, "--allow-private");
    await run("writer", "import", "events.jsonl");
    assert.equal(await archive.count("event"), 46);
    await run("refresher", ...configured("refresher", home.path), "--once");
    await run("writer", "forget", EVENTS[0]!.id, "--yes");
    await run("writer", "db", "cleanup", "--check-days", "1");
    await run("refresher", "refresher", "--rebuild");
    assert.equal(await archive.count("author where events = 45"), 1);

    for (const role of ["reader", "refresher", "writer"] as const) {
      await run(role, "status");
      await run(role, "db", "verify", "--deep");
      const exported = await run(role, "export");
      assert.equal(exported.trim().split("\n").length, 45);
    }
    const refused = await command(program, archive, home.path)("reader", [
      "db",
      "cleanup",
    ]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /read-only|permission denied/);
  });
}

/** Runs a command as a role, expects it to succeed, and gives what it printed. */
async function asRoles(program: Program, archive: TestArchive, cwd: string) {
  const passwords = ROLES.map((role) => [role, "correct horse"]);
  await createRoles(archive.database, Object.fromEntries(passwords));
  const start = command(program, archive, cwd);
  return async (role: Role, ...args: string[]) => {
    const { code, stdout, stderr } = await start(role, args);
    const ran = `${args.join(" ")} as ${role}: ${stderr}${stdout}`;
    assert.equal(code, 0, ran);
    // A service may go on without what it is denied.
    assert.doesNotMatch(stderr, /denied| error /, ran);
    return stdout;
  };
}

function command(program: Program, { url }: TestArchive, cwd: string) {
  return (role: Role, args: readonly string[]) => {
    const own = new URL(url);
    own.searchParams.set("user", roleName(role));
    const line = [...args, "--database", own.href];
    return runProgram(program, line, { cwd });
  };
}

function configured(service: string, home: string): string[] {
  return [service, "--config", join(home, `${service}.yaml`)];
}

async function makeHome(relay: TestRelay) {
  const folder = await temporaryDirectory();
  const local = { allowPrivate: true };
  const files = {
    "seeds.txt": `${relay.url}\n`,
    "events.jsonl": `${LINES}\n`,
    "seeder.yaml": { ...local, filePath: join(folder.path, "seeds.txt") },
    "finder.yaml": {
      ...local,
      api: { enabled: false },
      archive: { settleSeconds: 0 },
    },
    "validator.yaml": local,
    "monitor.yaml": local,
    "synchronizer.yaml": local,
    "refresher.yaml": {},
  };
  for (const [name, content] of Object.entries(files)) {
    const text = typeof content === "string"
      ? content
      : JSON.stringify(content);
    await Deno.writeTextFile(join(folder.path, name), text);
  }
  return folder;
}
