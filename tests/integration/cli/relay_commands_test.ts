/**
 * `relay list|show|add|remove|opt-out|retry`: what an operator does with single relays, without SQL.
 *
 * @module
 */
import { deepStrictEqual, equal, match, ok } from "node:assert/strict";
import { join } from "node:path";
import { createRoles } from "../../../src/core/database/roles.ts";
import { type Role, roleName, ROLES } from "../../../src/core/database/role.ts";
import { type TestArchive, testArchive } from "../../support/archive.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { runProgram, SOURCE } from "../../support/program.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";
import { testRelay } from "../../support/test_relay.ts";

interface Stage extends AsyncDisposable {
  readonly archive: TestArchive;
  readonly path: string;
  run(...args: string[]): ReturnType<typeof runProgram>;
}

async function stage(): Promise<Stage> {
  await using stack = new AsyncDisposableStack();
  const archive = stack.use(await testArchive());
  const { path } = stack.use(await temporaryDirectory());
  const owned = stack.move();
  return {
    archive,
    path,
    run: (...args) =>
      runProgram(SOURCE, args, {
        cwd: path,
        env: { BIGBROTR_DATABASE: archive.url },
      }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

Deno.test("relay add, list, show, retry and remove work on candidates and relays", async () => {
  await using here = await stage();
  const { archive, run } = here;
  const added = await run("relay", "add", "nos.lol", "wss://a.damus.io");
  deepStrictEqual(
    [added.code, added.stdout],
    [0, "wss://nos.lol: new candidate\nwss://a.damus.io: new candidate\n"],
  );
  const relay = await run("relay", "add", "nos.lol", "--as", "relay");
  equal(relay.stdout, "wss://nos.lol: new relay\n");
  equal(
    (await run("relay", "add", "nos.lol", "a.damus.io")).stdout,
    "wss://nos.lol: was known\nwss://a.damus.io: was known\n",
  );

  const list = await run("relay", "list", "--json");
  const [listed] = list.stdout.trim().split("\n").map((line) =>
    JSON.parse(line)
  );
  deepStrictEqual(
    [listed.url, listed.state, listed.gaps, listed.dueAt],
    ["wss://nos.lol", "unchecked", 0, null],
  );
  match((await run("relay", "list")).stdout, /^wss:\/\/nos\.lol .*not begun/m);
  equal((await run("relay", "list", "--state", "online", "--json")).stdout, "");

  await archive.sql`
    update candidate set failures = 3, last_failure = 'refused',
      last_tried_at = 1700000000, due_at = 9999999999`;
  const candidates = await run("relay", "list", "--candidates");
  match(candidates.stdout, /^wss:\/\/a\.damus\.io +3 .* operator .*refused/m);
  const shown = await run("relay", "show", "a.damus.io", "nos.lol", "b.lol");
  equal(shown.code, 1, "one of them is unknown");
  match(shown.stdout, /3 failed, the last 2023-11-14T22:13:20Z: refused/);
  match(shown.stdout, /^relay +wss:\/\/nos\.lol/m);
  match(shown.stderr, /Cannot show wss:\/\/b\.lol: there is no such relay/);

  await archive.sql`
    insert into relay_lease (service, relay_id, due_at, failures)
    select 'synchronizer', id, 9999999999, 5 from relay`;
  const retried = await run("relay", "retry", "a.damus.io", "nos.lol", "b.lol");
  equal(retried.code, 1);
  match(retried.stdout, /a\.damus\.io: candidate, due now/);
  match(retried.stdout, /nos\.lol: due now, for checks and sync/);
  const due = "due_at <= unix_now() and failures = 0";
  equal(await archive.count(`relay_lease where ${due}`), 1);
  equal(await archive.count(`candidate where ${due}`), 1);

  const removed = await run("relay", "remove", "a.damus.io", "nos.lol");
  deepStrictEqual(
    [removed.code, removed.stdout],
    [0, "wss://a.damus.io: removed\nwss://nos.lol: removed\n"],
  );
  for (const table of ["relay", "relay_lease", "candidate"]) {
    equal(await archive.count(table), 0, table);
  }
  equal((await run("relay", "remove", "nos.lol")).code, 1);
});

Deno.test("relay remove takes sightings only when told to, and no relay that is in work", async () => {
  await using here = await stage();
  const { archive, run } = here;
  const { sign } = eventFactory("removed");
  const events = [sign(), sign(), sign()];
  await using relay = await testRelay({ events });
  const synced = await run("sync", relay.url, "--allow-private");
  equal(synced.code, 0, synced.stderr);
  const kept = await run("relay", "remove", relay.url);
  equal(kept.code, 1);
  match(kept.stdout, /was seen to hold events: --sightings forgets which/);

  await archive.sql`
    insert into relay_lease (service, relay_id, claimed_until, holder)
    select 'monitor', id, unix_now() + 60, 'host:1' from relay`;
  const held = await run("relay", "remove", relay.url, "--sightings");
  equal(held.code, 1);
  match(held.stdout, /it is in work \(monitor of host:1\)/);

  await archive.sql`update relay_lease set claimed_until = 0`;
  const gone = await run("relay", "remove", relay.url, "--sightings");
  deepStrictEqual(
    [gone.code, gone.stdout],
    [0, `${relay.url}: removed with 3 sightings\n`],
  );
  equal(await archive.count("event"), 3, "events stay");
  for (const table of await tablesOfRelays(archive)) {
    equal(await archive.count(`${table} where relay_id is not null`), 0, table);
  }
  equal((await run("db", "verify", "--deep")).code, 0);
});

Deno.test("relay_remove() forgets no table that refers to relays", async () => {
  await using here = await stage();
  const [row] = await here.archive.sql`
    select string_agg(pg_get_functiondef(name::regproc), '') as source
    from unnest(array['relay_remove', 'statistics_remove_relay', 'statistics_clear_relay']) as name`;
  for (const table of await tablesOfRelays(here.archive)) {
    ok(row?.source.includes(`from ${table} where relay_id`), table);
  }
});

/** But for the queue of facts: what it says of a relay that is gone is still to be taken. */
async function tablesOfRelays({ sql }: TestArchive): Promise<string[]> {
  const rows = await sql`
    select c.table_name as name
    from information_schema.columns c
    join information_schema.tables t using (table_schema, table_name)
    where c.column_name = 'relay_id' and t.table_schema = 'public'
      and t.table_type = 'BASE TABLE' and c.table_name <> 'fact'`;
  return rows.map(({ name }) => name);
}

Deno.test("relay opt-out adds hosts to the lists of the services, each once", async () => {
  await using here = await stage();
  const { path, run } = here;
  const none = await run("relay", "opt-out", "nos.lol");
  equal(none.code, 2);
  match(none.stderr, /none names an "optOutFile"/);

  const services = join(path, "config/services");
  await Deno.mkdir(services, { recursive: true });
  for (const service of ["finder", "monitor"]) {
    await Deno.writeTextFile(
      join(services, `${service}.yaml`),
      "optOutFile: no_visits.txt\n",
    );
  }
  const list = join(path, "no_visits.txt");
  await Deno.writeTextFile(list, "old.example.com  # asked by mail");
  const line = ["wss://Nos.lol/path", "*.damus.io", "old.example.com"];
  const first = await run("relay", "opt-out", ...line);
  equal(first.code, 0, first.stderr);
  match(first.stdout, /old\.example\.com: was in no_visits\.txt/);
  equal((await run("relay", "opt-out", ...line)).code, 0);
  const text = await Deno.readTextFile(list);
  deepStrictEqual(
    text.split("\n").map((one) => one.replace(/ *#.*/, "")),
    ["old.example.com", "nos.lol", "*.damus.io", ""],
  );
  equal((await run("config", "show", "finder")).code, 0);
  const wrong = await run("relay", "opt-out", "not a host", "--file", list);
  equal(wrong.code, 2);
});

Deno.test("readers may look at relays, writers add and retry them, the admin removes them", async () => {
  await using here = await stage();
  const { archive, path } = here;
  const passwords = ROLES.map((role) => [role, "correct horse"]);
  await createRoles(archive.database, Object.fromEntries(passwords));
  const as = (role: Role, ...args: string[]) => {
    const url = new URL(archive.url);
    url.searchParams.set("user", roleName(role));
    return runProgram(SOURCE, [...args, "--database", url.href], {
      cwd: path,
    });
  };
  const cases: [Role, string][] = [
    ["writer", "relay add nos.lol --as relay"],
    ["writer", "relay add relay.damus.io"],
    ["writer", "relay retry nos.lol relay.damus.io"],
    ["reader", "relay list"],
    ["reader", "relay list --candidates"],
    ["reader", "relay show nos.lol relay.damus.io"],
    ["reader", "doctor --only database"],
    ["admin", "relay remove nos.lol relay.damus.io"],
  ];
  for (const [role, line] of cases) {
    const { code, stderr } = await as(role, ...line.split(" "));
    equal(code, 0, `${line} as ${role}: ${stderr}`);
  }
  equal((await as("reader", "relay", "add", "nos.lol")).code, 1);
});
