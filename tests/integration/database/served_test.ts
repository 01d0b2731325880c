import assert from "node:assert/strict";
import { EventReader } from "../../../src/archive/reading/event_reader.ts";
import { insertEvents, storeBatch } from "../../../src/archive/events.ts";
import {
  PUBLIC_VIEW,
  type ServedView,
} from "../../../src/archive/visibility/served_view.ts";
import type { Database } from "../../../src/core/database/connection/database.ts";
import { encodeEvents } from "../../../src/models/encoded_events.ts";
import type { NostrEvent } from "../../../src/models/event.ts";
import { populate, SUBJECT } from "../../support/populated_archive.ts";
import { testOnEachServer } from "../../support/each_server.ts";
import {
  type EventFactory,
  eventFactory,
} from "../../support/event_factory.ts";
import { checkServed } from "../../../src/archive/visibility/served_check.ts";
import { servedIds } from "../../../src/archive/visibility/served_model.ts";
import { newRelay, syncBatch } from "../../support/sync_batch.ts";

const OWN_URL = "wss://archive.example.com";
const NOW = Math.floor(Date.now() / 1000);
const seed = `served_test ${Deno.env.get("SEED") ?? NOW}`;

testOnEachServer(
  `what is served is what a naive model says, whatever came first (${seed})`,
  async (archive) => {
    const { database, sql } = archive;
    const factory = eventFactory(seed);
    const relayId = await newRelay(archive);
    const archived: NostrEvent[] = [];
    for (let round = 0; round < 6; round++) {
      const history = shuffled(factory, randomHistory(factory, archived));
      for (let at = 0; at < history.length; at += 40) {
        const some = history.slice(at, at + 40);
        if (factory.number(3) === 0) {
          await insertEvents(database, encodeEvents(some));
        } else await storeBatch(database, syncBatch(relayId, some));
      }
      archived.push(...history);
      if (round === 3) await sql`analyze`;
      for (const view of viewsOf(factory)) {
        const served = await idsOf(database, view);
        const ownUrl = view.ownUrl === null ? null : OWN_URL;
        const wanted = servedIds(archived, { ...view, ownUrl, now: NOW });
        assert.deepEqual(
          difference(served, wanted, archived),
          [],
          JSON.stringify(view),
        );
      }
    }
    const served = servedIds(archived, { ...PUBLIC_VIEW, now: NOW });
    // The histories are about something: a good part is served, and a good part is not.
    assert.ok(served.size > archived.length / 5);
    assert.ok(served.size < archived.length * 4 / 5);
  },
);

testOnEachServer(
  "a request hides at its commit what is stored beside it, whichever commits first",
  async ({ database }) => {
    const factory = eventFactory("served_test beside");
    for (const isFirst of [true, false]) {
      const target = factory.sign();
      const request = factory.sign({ kind: 5, tags: [["e", target.id]] });
      const [early, late] = isFirst ? [request, target] : [target, request];
      await database.transaction(async (sql) => {
        await insertEvents(sql, encodeEvents([late]));
        await insertEvents(database, encodeEvents([early]));
        const before = await idsOf(database, PUBLIC_VIEW);
        assert.ok(before.has(early.id));
      });
      const after = await idsOf(database, PUBLIC_VIEW);
      assert.ok(!after.has(target.id));
      assert.ok(after.has(request.id));
    }
  },
);

testOnEachServer(
  "two versions stored at once leave one current, the newest, and of one second the lowest id",
  async ({ database }) => {
    const factory = eventFactory("served_test versions");
    const versions = Array.from({ length: 9 }, (_, n) =>
      factory.sign({
        kind: 30_023,
        createdAt: 1_700_000_000 + n % 3,
        tags: [["d", "x".repeat(5_000)]],
      }));
    await Promise.all(
      versions.map((event) => insertEvents(database, encodeEvents([event]))),
    );
    const newest = versions.filter((event) =>
      event.created_at === 1_700_000_002
    );
    const [lowest] = newest.map(({ id }) => id).toSorted();
    assert.deepEqual(await idsOf(database, PUBLIC_VIEW), new Set([lowest]));
    const all = { ...PUBLIC_VIEW, allVersions: true };
    assert.equal((await idsOf(database, all)).size, 9);
  },
);

testOnEachServer(
  "an expired event is served until its second has come",
  async ({ database }) => {
    const factory = eventFactory("served_test expiration");
    const [row] = await database.run((sql) => sql`select unix_now() as now`);
    const now = Number(row!["now"]);
    const over = factory.sign({ tags: [["expiration", String(now)]] });
    const open = factory.sign({ tags: [["expiration", String(now + 1_000)]] });
    const odd = factory.sign({
      tags: [["expiration", "soon"], ["-x"], ["t", "-"]],
    });
    await insertEvents(database, encodeEvents([over, open, odd]));
    assert.deepEqual(
      await idsOf(database, PUBLIC_VIEW),
      new Set([open.id, odd.id]),
    );
  },
);

testOnEachServer(
  "what authors asked for before this table was there is taken over by its migration",
  async ({ database, sql }) => {
    const factory = eventFactory("served_test migration");
    const events = randomHistory(factory, []);
    await insertEvents(database, encodeEvents(events));
    const rows = () =>
      sql`select until, target, pubkey from event_deletion order by 2, 3`;
    const vanished = () =>
      sql`select until, pubkey, relay from event_vanish order by 2, 3`;
    const before = [[...await rows()], [...await vanished()]];
    await sql`delete from event_deletion`;
    await sql`delete from event_vanish`;
    const migration = await Deno.readTextFile(
      new URL("../../../sql/migrations/0041_served.sql", import.meta.url),
    );
    const [, takeOver] = migration.split("-- Of what is archived already.");
    await sql.unsafe(`--${takeOver}`);
    assert.deepEqual([[...await rows()], [...await vanished()]], before);
    assert.ok(before.every((part) => part.length > 0));
  },
);

testOnEachServer(
  "checkServed() finds what is served and must not be, and what is hidden without a request",
  async ({ database, sql }) => {
    const factory = eventFactory("served_test check");
    const events = Array.from(
      { length: 5 },
      () => randomHistory(factory, []),
    ).flat();
    await insertEvents(database, encodeEvents(events));
    const check = () =>
      checkServed(database, {
        authors: 30,
        signal: new AbortController().signal,
      });
    assert.deepEqual(await check(), []);
    // What a request hides that is itself gone is no fault.
    await sql`delete from event where kind in (5, 62)`;
    assert.deepEqual(await check(), []);
    await insertEvents(database, encodeEvents(events));
    await sql`delete from event_deletion`;
    assert.ok((await check()).some(({ served }) => served));
    await insertEvents(database, encodeEvents(events));
    await sql.unsafe(`
      create or replace function event_is_replaceable(p_kind int4)
      returns boolean language sql immutable parallel safe
      as 'select p_kind < 20000'`);
    assert.ok((await check()).some(({ served }) => !served));
  },
);

testOnEachServer(
  "the served view is read along the indexes of the archive",
  async (archive) => {
    await populate(archive);
    const plans: readonly (readonly [condition: string, index: string])[] = [
      [`kind = 1 order by created_at desc limit 100`, "event_kind"],
      [`pubkey = '\\x${SUBJECT.pubkey}' and kind = 0`, "event_pubkey"],
      [`id = '\\x${SUBJECT.eventId}'`, "event_id"],
      [`kind = 30023 order by created_at desc limit 10`, "event_address"],
    ];
    for (const [condition, index] of plans) {
      const rows = await archive.sql.unsafe(
        `explain select * from event_served() as event where ${condition}`,
      );
      const plan = rows.map((row) => row["QUERY PLAN"]).join("\n");
      assert.match(plan, new RegExp(`using ${index}|on ${index}`));
      assert.doesNotMatch(plan, /Function Scan|Seq Scan on event /, plan);
      // Nor is all there is sorted for the newest few.
      assert.doesNotMatch(plan, /hashed SubPlan|Sort/, plan);
    }
  },
);

/** Events that hide and supersede each other, and some of those given. */
function randomHistory(
  factory: EventFactory,
  earlier: readonly NostrEvent[],
): NostrEvent[] {
  const history: NostrEvent[] = [];
  const some = () => factory.pick([...earlier.slice(-200), ...history]);
  const author = () => factory.number(6);
  const time = () => 1_750_000_000 + factory.number(60);
  const identifier = () => factory.pick(["", "a", "b", "a:b", "ü\n"]);
  for (let n = 0; n < 120; n++) {
    const kind = factory.pick(KINDS);
    const tags: string[][] = [];
    if (kind >= 30_000 && factory.number(8) > 0) tags.push(["d", identifier()]);
    if (factory.number(4) === 0) tags.push(["d", identifier()]);
    if (factory.number(3) === 0) tags.push(["p", factory.pubkey(author())]);
    if (factory.number(20) === 0) tags.push(["-"]);
    if (factory.number(20) === 0) tags.push(["t", "-"], ["d"]);
    if (factory.number(10) === 0) {
      const at = factory.pick([
        NOW - 1_000,
        NOW + 9_000,
        1,
        "x",
        "9".repeat(30),
      ]);
      tags.push(["expiration", String(at)]);
    }
    history.push(
      factory.sign({ author: author(), kind, createdAt: time(), tags }),
    );
  }
  for (let n = 0; n < 50; n++) {
    const tags: string[][] = [];
    for (let target = factory.number(4); target >= 0; target--) {
      const { id, kind, pubkey, tags: own } = some();
      const d = own.find(([name]) => name === "d")?.[1] ?? "";
      tags.push(
        factory.pick([
          ["e", id],
          ["e", id],
          ["a", `${kind}:${pubkey}:${d}`],
          ["a", `${kind}:${pubkey}:${identifier()}`],
          ["a", `${kind}:${pubkey}`],
          ["a", `${kind}:${pubkey}x:${d}`],
          ["e", id.toUpperCase()],
          ["a"],
          ["e"],
        ]),
      );
    }
    // Mostly of the author of one target.
    const { pubkey } = some();
    const own = [0, 1, 2, 3, 4, 5].find((one) =>
      factory.pubkey(one) === pubkey
    );
    history.push(
      factory.sign({ author: own ?? 0, kind: 5, createdAt: time(), tags }),
    );
  }
  if (factory.number(2) === 0 || earlier.length === 0) {
    const relay = factory.pick([
      "ALL_RELAYS",
      "WSS://archive.example.com/",
      "wss://other.example.com",
      "all_relays",
    ]);
    history.push(factory.sign({
      author: factory.number(2),
      kind: 62,
      createdAt: 1_750_000_000 + factory.number(20),
      tags: [["relay", relay], ["relay", "wss://third.example.com"]],
    }));
  }
  return history;
}

const KINDS = [
  0,
  1,
  1,
  1,
  3,
  4,
  7,
  13,
  1059,
  1059,
  10_002,
  10_002,
  20_001,
  22_242,
  30_000,
  30_023,
  30_023,
  39_999,
  40_000,
];

function viewsOf(factory: EventFactory): ServedView[] {
  return [
    PUBLIC_VIEW,
    { ...PUBLIC_VIEW, ownUrl: OWN_URL },
    { ...PUBLIC_VIEW, allVersions: true },
    { ...PUBLIC_VIEW, viewers: [factory.pubkey(1)] },
    {
      viewers: [factory.pubkey(2), factory.pubkey(3)],
      ownUrl: `${OWN_URL}/`,
      allVersions: true,
    },
  ];
}

async function idsOf(
  database: Database,
  served: ServedView,
): Promise<Set<string>> {
  const ids = new Set<string>();
  const { signal } = new AbortController();
  const reader = new EventReader(database, { served });
  for await (const events of reader.events([{}], signal)) {
    for (const { id } of events) ids.add(id);
  }
  return ids;
}

function difference(
  served: ReadonlySet<string>,
  wanted: ReadonlySet<string>,
  archived: readonly NostrEvent[],
): string[] {
  return archived.filter(({ id }) => served.has(id) !== wanted.has(id))
    .slice(0, 3)
    .map((event) =>
      `${served.has(event.id) ? "served" : "hidden"}: ${JSON.stringify(event)}`
    );
}

function shuffled<T>(factory: EventFactory, items: readonly T[]): T[] {
  return items.map((item) => ({ item, at: factory.number(1_000_000) }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
