import assert from "node:assert/strict";
import postgres from "postgres";
import { retainChecks } from "../../../src/archive/check_retention.ts";
import { insertChecks } from "../../../src/archive/checks.ts";
import { verifyIntegrity } from "../../../src/core/database/integrity.ts";
import type { TestArchive } from "../../support/archive.ts";
import {
  batchesOf,
  observe,
  outagesOf,
  type ScriptedCheck,
  scriptedChecks,
  stateOf,
} from "../../support/check_script.ts";
import { testOnEachServer } from "../../support/each_server.ts";
import { newRelay } from "../../support/sync_batch.ts";

const DAY = 86_400;
const HOUR = 3_600;
const NOW = Math.floor(Date.now() / 1_000);
const MIDNIGHT = NOW - NOW % DAY;
const FULL_HOUR = NOW - NOW % HOUR;
/** A year and a few days, so that there are twelve whole months in it. */
const YEAR = { since: NOW - 370 * DAY, until: NOW - 60 };
const RELAYS = 20;

const signal = new AbortController().signal;
const RETENTION = { checkDays: 31, hourDays: 92, batchSize: 300, signal };

testOnEachServer(
  "uptime, outages and streaks of a scripted year equal a brute-force computation, before and after roll-up",
  async (archive) => {
    const year = await storeYear(archive);
    await assertHistory(archive, year);
    const deleted = await retainChecks(archive.database, RETENTION);
    const stored = [...year.values()].flat().length;
    assert.ok(deleted.checks > stored * 0.85 && deleted.checks < stored);
    assert.ok(deleted.checkHours > 10_000);
    await assertHistory(archive, year);
    const again = await retainChecks(archive.database, RETENTION);
    assert.deepEqual(again, { checks: 0, checkHours: 0 });
    await assertHistory(archive, year);
  },
);

testOnEachServer(
  "the history is the same when every day was rolled up by two monitors at once, while checks were stored",
  async (archive) => {
    const { database, sql } = archive;
    let passed = 0;
    const year = await storeYear(archive, async (batch) => {
      const until = Math.min(...batch.map(({ checkedAt }) => checkedAt));
      const rollUp = async () => {
        while (true) {
          const [row] = await sql`select
            relay_check_roll_up(${until - 2 * HOUR}, 7) as relays`;
          if (row!.relays === 0) break;
        }
        await sql`select relay_check_expire(${until - 33 * DAY},
          ${until - 90 * DAY}, 7)`;
      };
      passed++;
      await Promise.all([rollUp(), insertChecks(database, batch), rollUp()]);
    });
    assert.ok(passed > 20);
    await retainChecks(database, RETENTION);
    await assertHistory(archive, year);
  },
);

testOnEachServer(
  "a roll-up that is killed leaves nothing behind, and the next one does all of it",
  async (archive) => {
    const { database } = archive;
    const relayId = await newRelay(archive);
    const checks = scriptedChecks(relayId, YEAR);
    await insertChecks(database, checks);
    const doomed = postgres(archive.url, { max: 1, onnotice: () => {} });
    await assert.rejects(doomed`
      select relay_check_roll_up(${NOW}, 9),
        relay_check_expire(${NOW}, null, 9),
        pg_terminate_backend(pg_backend_pid())`);
    await doomed.end();
    assert.equal(await archive.count("relay_check_rollup"), 0);
    assert.equal(await archive.count("relay_check"), checks.length);
    await retainChecks(database, RETENTION);
    await assertHistory(archive, new Map([[relayId, checks]]));
  },
);

testOnEachServer(
  "insertChecks() leaves out what is not newer than the last check of a relay, and what is rolled up",
  async (archive) => {
    const { database, sql } = archive;
    const relayId = await newRelay(archive);
    const check = (checkedAt: number, online: boolean) => ({
      relayId,
      checkedAt,
      online,
      openMs: null,
      failure: null,
    });
    const first = [check(1_000, true), check(2_000, false)];
    assert.equal(await insertChecks(database, first), 2);
    const late = [check(1_500, false), check(2_000, true), check(3_000, false)];
    assert.equal(await insertChecks(database, late), 1);
    await assertStates(archive, [[...first, late[2]!]]);
    await sql`select relay_check_roll_up(${3 * DAY}, 1)`;
    assert.equal(await insertChecks(database, [check(4_000, true)]), 0);
    assert.equal(await insertChecks(database, [check(3 * DAY, true)]), 1);
    await assertStates(archive, [[
      ...first,
      late[2]!,
      check(3 * DAY, true),
    ]]);
  },
);

testOnEachServer(
  "the migration finds in the checks that were there what would have been kept",
  async (archive) => {
    const { database, sql } = archive;
    const relays: ScriptedCheck[][] = [];
    for (const n of [1, 2, 3, 4, 5, 6, 7, 8, 9]) {
      const relayId = await newRelay(archive, `wss://r${n}.example.com`);
      relays.push(scriptedChecks(relayId, YEAR).slice(0, n * n));
    }
    await insertChecks(database, relays.flat());
    await sql`truncate relay_state, relay_outage`;
    const file = "../../../sql/migrations/0013_relay_history.sql";
    const text = await Deno.readTextFile(new URL(file, import.meta.url));
    const [found] = text.match(/^with step as [^;]*;/m)!;
    await sql.unsafe(found);
    await assertStates(archive, relays);
  },
);

testOnEachServer(
  "verifyIntegrity() finds a state and an outage that do not fit the checks",
  async (archive) => {
    const { database, sql } = archive;
    const relayId = await newRelay(archive);
    await insertChecks(database, scriptedChecks(relayId, YEAR));
    const broken = async () =>
      (await verifyIntegrity(database, { batchSize: 100, signal }))
        .map(({ rule }) => rule);
    assert.deepEqual(await broken(), []);
    await sql`update relay_state set online = not online`;
    assert.deepEqual(await broken(), [
      "relay_state = its last check",
      "relay_outage is open = the relay is offline",
    ]);
  },
);

testOnEachServer(
  "two monitors that check one relay at once leave one history",
  async (archive) => {
    const { database } = archive;
    const relayId = await newRelay(archive);
    const check = (n: number) => ({
      relayId,
      checkedAt: NOW - 9_000 + n,
      online: n % 5 < 3,
      openMs: null,
      failure: null,
    });
    const batches = Array.from(
      { length: 40 },
      (_, n) => [check(7 * n), check(7 * n + 3), check(7 * n + 9)],
    );
    await Promise.all(batches.map((batch) => insertChecks(database, batch)));
    const stored = await archive.sql<{ n: number }[]>`
      select (checked_at - ${NOW - 9_000})::int as n
      from relay_check order by 1`;
    assert.ok(stored.length >= 3);
    await assertStates(archive, [stored.map(({ n }) => check(n))]);
  },
);

testOnEachServer(
  "a check of the future counts as one of now, so that a wrong clock closes no history",
  async (archive) => {
    const { database, sql } = archive;
    const relayId = await newRelay(archive);
    const ahead = { relayId, checkedAt: NOW + 400 * DAY, online: true };
    assert.equal(await insertChecks(database, [ahead]), 1);
    const [state] = await sql`
      select unix_now() - last_checked_at as age from relay_state`;
    assert.ok(state!.age >= 0 && state!.age < 600);
  },
);

/** Stores a year of checks of all relays in order, batch by batch. Gives them by relay. */
async function storeYear(
  archive: TestArchive,
  store: (batch: ScriptedCheck[]) => Promise<unknown> = (batch) =>
    insertChecks(archive.database, batch),
): Promise<ReadonlyMap<number, readonly ScriptedCheck[]>> {
  const year = new Map<number, readonly ScriptedCheck[]>();
  for (let n = 0; n < RELAYS; n++) {
    const relayId = await newRelay(archive, `wss://r${n}.example.com`);
    year.set(relayId, scriptedChecks(relayId, YEAR));
  }
  for (const batch of batchesOf([...year.values()].flat(), 1_000)) {
    await store(batch);
  }
  return year;
}

type Year = ReadonlyMap<number, readonly ScriptedCheck[]>;

async function assertHistory(archive: TestArchive, year: Year): Promise<void> {
  for (const [since, until] of windows()) {
    await assertObserved(archive, year, [since, until]);
  }
  for (const at of [NOW, NOW - 13 * HOUR - 7]) {
    await assertUptime(archive, year, at);
  }
  await assertStates(archive, [...year.values()]);
}

/** Windows whose figures stay exact: anywhere in the last month, at full hours for a while, at midnights for ever. */
function windows(): [since: number, until: number][] {
  const lengths = [DAY, 7 * DAY, 30 * DAY];
  const before = (at: number) =>
    lengths.map((length): [number, number] => [at - length, at]);
  const today = new Date(NOW * 1_000);
  const month = (n: number) =>
    Date.UTC(today.getUTCFullYear(), today.getUTCMonth() - n) / 1_000;
  const months = Array.from({ length: 12 }, (_, n): [number, number] => [
    month(n + 1),
    month(n),
  ]);
  return [
    ...before(NOW),
    ...before(NOW - 13 * HOUR - 7),
    ...[20, 35, 48, 61].flatMap((days) =>
      before(FULL_HOUR - days * DAY - 5 * HOUR)
    ),
    ...[30, 95, 200, 330].flatMap((days) => before(MIDNIGHT - days * DAY)),
    ...months,
    [MIDNIGHT - 365 * DAY, MIDNIGHT],
    [MIDNIGHT - 365 * DAY, NOW],
    [MIDNIGHT - 500 * DAY, NOW + DAY],
    [FULL_HOUR - 50 * DAY - 9 * HOUR, FULL_HOUR - 50 * DAY - 2 * HOUR],
    [NOW - 5 * DAY - 1_000, NOW - 5 * DAY - 10],
  ];
}

async function assertObserved(
  { sql }: TestArchive,
  year: Year,
  [since, until]: [number, number],
): Promise<void> {
  const rows = await sql`
    select relay_id, observed_seconds::int as observed,
      online_seconds::int as online
    from relay_observe(${since}, ${until})`;
  const found = new Map(
    rows.map((
      { relay_id, observed, online },
    ) => [relay_id, { observed, online }]),
  );
  const expected = new Map(
    [...year].map(([id, checks]) => [id, observe(checks, since, until)]),
  );
  const what = `${until - since} s up to ${NOW - until} s ago`;
  assert.deepEqual(sorted(found), sorted(expected), what);
}

async function assertUptime(
  { sql }: TestArchive,
  year: Year,
  at: number,
): Promise<void> {
  const rows = await sql`select * from relay_uptime(${at})`;
  assert.equal(rows.length, year.size);
  for (const row of rows) {
    for (const [name, days] of [["24h", 1], ["7d", 7], ["30d", 30]] as const) {
      const checks = year.get(row.relay_id)!;
      const { observed, online } = observe(checks, at - days * DAY, at);
      const share = observed === 0 ? null : online / observed;
      assert.equal(
        row[`uptime_${name}`],
        share,
        `relay ${row.relay_id}, ${name}`,
      );
    }
  }
}

async function assertStates(
  { sql }: TestArchive,
  relays: readonly (readonly ScriptedCheck[])[],
): Promise<void> {
  const outages = await sql`
    select relay_id as "relayId", since::float8, until::float8, checks, cause
    from relay_outage_history order by relay_id, since`;
  assert.deepEqual([...outages], relays.flatMap(outagesOf));
  const states = await sql`
    select relay_id as "relayId", online, since::float8, streak,
      last_checked_at::float8 as "lastCheckedAt",
      last_online_at::float8 as "lastOnlineAt",
      first_checked_at::float8 as "firstCheckedAt"
    from relay_health order by relay_id`;
  assert.deepEqual([...states], relays.map(stateOf));
}

function sorted<T>(map: ReadonlyMap<number, T>): [number, T][] {
  return [...map].toSorted(([a], [b]) => a - b);
}
