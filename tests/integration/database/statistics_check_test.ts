/**
 * `db verify --deep` finds any cell of statistics that is not what the tables say, and no other.
 *
 * @module
 */
import assert from "node:assert/strict";
import { insertEvents, storeBatch } from "../../../src/archive/events.ts";
import {
  checkStatistics,
  type StatisticsFault,
} from "../../../src/archive/statistics/check_statistics.ts";
import {
  refreshStatistics,
  requestRemake,
} from "../../../src/archive/statistics/refresh.ts";
import { forget } from "../../../src/archive/visibility/forget.ts";
import { encodeEvents } from "../../../src/models/encoded_events.ts";
import type { TestArchive } from "../../support/archive.ts";
import { assertStatistics } from "../../support/brute_statistics.ts";
import { testOnEachServer } from "../../support/each_server.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { newRelay, syncBatch } from "../../support/sync_batch.ts";

const factory = eventFactory("statistics_check_test");
const { signal } = new AbortController();
const DAY = 86_400;
const TODAY = Math.floor(Date.now() / 1_000 / DAY);

/** All there is. */
function check({ database }: TestArchive): Promise<StatisticsFault[]> {
  return checkStatistics(database, {
    days: 100,
    relays: 10,
    authors: 1_000,
    sketches: 1_000,
    signal,
  });
}

/** 300 events of five authors on ten days, some of them on two relays. */
async function fill(archive: TestArchive) {
  const relays = [
    await newRelay(archive, "wss://one.example"),
    await newRelay(archive, "wss://two.example"),
  ] as const;
  const events = Array.from({ length: 300 }, (_, n) =>
    factory.sign({
      author: n % 5,
      kind: [1, 7, 1_059][n % 3]!,
      createdAt: (TODAY - n % 10) * DAY + n,
    }));
  // The first second of all, and one after the last day.
  const ends = [0, 9_999_999_999].map((createdAt) =>
    factory.sign({ author: 9, kind: 30, createdAt })
  );
  await storeBatch(archive.database, syncBatch(relays[1], ends));
  await insertEvents(archive.database, encodeEvents(events.slice(0, 50)));
  await storeBatch(archive.database, syncBatch(relays[0], events.slice(50)));
  await storeBatch(
    archive.database,
    syncBatch(relays[1], events.slice(100, 150)),
  );
  return { relays, events };
}

async function foldAll({ database }: TestArchive): Promise<void> {
  while (!(await refreshStatistics(database, { limit: 50, signal })).isIdle);
}

testOnEachServer(
  "statistics that are right are found right, whatever waits or is to be made",
  async (archive) => {
    const { database } = archive;
    const { events } = await fill(archive);
    assert.deepEqual(await check(archive), [], "all of it waits");
    await refreshStatistics(database, { limit: 1, signal });
    assert.deepEqual(await check(archive), [], "some of it waits");
    await foldAll(archive);
    assert.deepEqual(await check(archive), [], "nothing waits");

    const [one, other] = [events[60]!, events[120]!];
    await forget(database, [
      { type: "event", key: one.id },
      { type: "author", key: other.pubkey },
    ], signal);
    assert.deepEqual(await check(archive), [], "deletions wait");
    await requestRemake(database, {
      since: (TODAY - 3) * DAY,
      until: TODAY * DAY,
    });
    assert.deepEqual(await check(archive), [], "days are to be made");
    await foldAll(archive);
    assert.deepEqual(await check(archive), [], "they are made");
    await requestRemake(database, {});
    await refreshStatistics(database, { limit: 50, signal });
    assert.deepEqual(await check(archive), [], "all of it is to be made");
    await foldAll(archive);
    assert.deepEqual(await check(archive), [], "all of it is made");
  },
);

/** What is done to a cell, and what of it is named. */
const FORGERIES: readonly (readonly [sql: string, names: RegExp])[] = [
  [
    "update kind_day set events = events - 1 where day = $day and kind = 7",
    /^kind_day of \d{4}-\d\d-\d\d, kind 7: 9 instead of 10$/,
  ],
  [
    "delete from kind_day where day = $day and kind = 1",
    /^kind_day of .*, kind 1: 0 instead of 10$/,
  ],
  [
    "insert into kind_day (events, day, kind) values (3, $day, 30023)",
    /^kind_day of .*, kind 30023: 3 instead of 0$/,
  ],
  [
    "update kind_hour set events = events + 1 where hour = $day * 24 and kind = 1",
    /^kind_hour of hour \d+, kind 1: /,
  ],
  [
    "delete from event_minute where minute / 1440 = $day",
    /^event_minute of minute \d+: 0 instead of /,
  ],
  [
    "update kind_total set events = events + 5 where kind = 7",
    /^kind_total, kind 7: 105 instead of 100$/,
  ],
  [
    "update author_day set events = events + 1 where day = $day",
    /^author_day of .*, author [0-9a-f]{64}: /,
  ],
  [
    "update author set events = events + 1",
    /^author [0-9a-f]{64}: events: 41 instead of 40$/,
  ],
  [
    "update author set first_at = first_at - 1",
    /^author [0-9a-f]{64}: first_at: /,
  ],
  [
    "update author set last_at = last_at + 1",
    /^author [0-9a-f]{64}: last_at: /,
  ],
  [
    "update relay_day set events = events + 1 where day = $day",
    /^relay_day of relay \d+, /,
  ],
  [
    "delete from relay_kind where kind = 1059",
    /^relay_kind of relay \d+, kind 1059: 0 instead of /,
  ],
  [
    "update relay_author set events = events + 1",
    /^relay_author of relay \d+, author [0-9a-f]{64}: \d+ instead of \d+$/,
  ],
  [
    "update relay_author set first_at = 1",
    /^relay_author of relay \d+, author .*: first_at: 1 instead of /,
  ],
  [
    "update relay_author set kinds = substr(kinds, 3)",
    /^relay_author of relay \d+, author .*: kinds: 1 instead of 2$/,
  ],
  [
    "update distinct_sketch set registers = substr(registers, 4) where subject = 1 and first = $day and second = 1",
    /^distinct_sketch of kindDay, \d+, 1: 0 instead of 1$/,
  ],
  [
    "update distinct_sketch set registers = substr(registers, 4) where subject = 5",
    /^distinct_sketch of relayEvents, /,
  ],
  [
    "update distinct_sketch set registers = substr(registers, 4) where subject = 7",
    /^distinct_sketch of networkEvents, 1, 0: /,
  ],
];

testOnEachServer(
  "a cell that was altered is named with what it should be",
  async (archive) => {
    await fill(archive);
    await foldAll(archive);
    for (const [statement, names] of FORGERIES) {
      const forgery = statement.replaceAll("$day", `${TODAY - 4}`);
      const found = await forged(archive, forgery);
      const texts = found.map(({ cell, expected, found }) =>
        `${cell}: ${found} instead of ${expected}`
      );
      assert.ok(
        texts.some((text) => names.test(text)),
        `${forgery}: ${texts.join("; ")}`,
      );
    }
    assert.deepEqual(await check(archive), []);
  },
);

testOnEachServer(
  "a rebuild of everything puts right whatever was altered",
  async (archive) => {
    await fill(archive);
    await foldAll(archive);
    for (const [statement] of FORGERIES) {
      await archive.sql.unsafe(statement.replaceAll("$day", `${TODAY - 4}`));
    }
    assert.ok((await check(archive)).length > FORGERIES.length);
    await requestRemake(archive.database, {});
    await foldAll(archive);
    assert.deepEqual(await check(archive), []);
    await assertStatistics(archive.sql);
  },
);

/** What is found while a table is altered. */
async function forged(
  archive: TestArchive,
  statement: string,
): Promise<StatisticsFault[]> {
  const [, table] = /^(?:update|delete from|insert into) (\w+)/.exec(
    statement,
  )!;
  await archive.sql.unsafe(`create table genuine as table ${table}`);
  await archive.sql.unsafe(statement);
  const faults = await check(archive);
  await archive.sql.unsafe(`
    delete from ${table};
    insert into ${table} overriding system value select * from genuine;
    drop table genuine`);
  return faults;
}
