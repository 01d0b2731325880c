import assert from "node:assert/strict";
import type { Database } from "../../../src/core/database/connection/database.ts";
import { EventReader } from "../../../src/archive/reading/event_reader.ts";
import { insertEvents } from "../../../src/archive/events.ts";
import { encodeEvents } from "../../../src/models/encoded_events.ts";
import type { NostrEvent } from "../../../src/models/event.ts";
import { type Filter, matchesFilter } from "../../../src/models/filter.ts";
import { testOnEachServer } from "../../support/each_server.ts";
import { edgeCaseEvents } from "../../support/edge_case_events.ts";
import { eventFactory } from "../../support/event_factory.ts";

const factory = eventFactory("event_reader_test");
const edgeCases = Object.values(edgeCaseEvents(factory));
const crowd = manyEvents(600);
const FIRST = crowd[0]!.created_at;

testOnEachServer(
  "EventReader gives back to the byte what was stored",
  async ({ database }) => {
    await insertEvents(database, encodeEvents(edgeCases));
    assert.deepEqual(await query(database, {}), newestFirst(edgeCases));
  },
);

testOnEachServer(
  "EventReader answers filters as matchesFilter() does",
  async ({ database, sql }) => {
    const events = [...crowd, ...edgeCases];
    await insertEvents(database, encodeEvents(events));
    // With statistics the planner chooses other ways than without.
    for (const analyzed of [false, true]) {
      if (analyzed) await sql`analyze`;
      for (const filter of FILTERS) {
        const wanted = newestFirst(
          events.filter((event) => matchesFilter(filter, event)),
        ).slice(0, filter.limit);
        const found = await query(database, filter);
        assert.deepEqual(
          found.map(({ id }) => id),
          wanted.map(({ id }) => id),
          JSON.stringify(filter),
        );
      }
    }
  },
);

testOnEachServer(
  "EventReader finds a tag value by its whole text, not by its hash or beginning",
  async ({ database }) => {
    const long = "v".repeat(100_000);
    const events = [
      factory.sign({ tags: [["t", long]] }),
      factory.sign({ tags: [["t", long + "w"]] }),
      factory.sign({ tags: [["T", long]] }),
      factory.sign({ tags: [["x", "t"], ["d", long]] }),
      factory.sign({ tags: [[long, "t"]] }),
    ];
    await insertEvents(database, encodeEvents(events));
    assert.deepEqual(await query(database, { "#t": [long] }), [events[0]]);
  },
);

testOnEachServer(
  "EventReader distinguishes texts that are stored alike",
  async ({ database }) => {
    const values = ["a\0b", "a\uFFFDb", "a\ud800b"];
    const events = values.map((value) =>
      factory.sign({ tags: [["t", value]] })
    );
    await insertEvents(database, encodeEvents(events));
    for (const [i, value] of values.entries()) {
      const found = await query(database, { "#t": [value], limit: 1 });
      assert.deepEqual(found, [events[i]]);
    }
  },
);

testOnEachServer(
  "EventReader can be left after the first chunk, and stopped by its signal",
  async ({ database }) => {
    await insertEvents(database, encodeEvents(crowd));
    const reader = new EventReader(database);
    const never = new AbortController().signal;
    for await (const chunk of reader.events([{}], never)) {
      assert.ok(chunk.length < crowd.length);
      break;
    }
    const stop = new AbortController();
    const reason = new Error("stopped");
    await assert.rejects(async () => {
      const chunks = reader.events([{}], stop.signal);
      for await (const _ of chunks) stop.abort(reason);
    }, reason);
    assert.equal((await query(database, {})).length, crowd.length);
  },
);

testOnEachServer(
  "EventReader goes on where it was after its connection was lost",
  async ({ database, sql }) => {
    await insertEvents(database, encodeEvents(crowd));
    const found: NostrEvent[] = [];
    let cut = false;
    const { signal } = new AbortController();
    const chunks = new EventReader(database).events([{ limit: 500 }], signal);
    for await (const chunk of chunks) {
      found.push(...chunk);
      if (cut) continue;
      cut = true;
      const ended = await sql`
        select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and application_name like 'bigbrotr%'`;
      assert.ok(ended.length > 0, "it had a connection");
    }
    assert.ok(cut);
    assert.deepEqual(
      found.map(({ id }) => id),
      newestFirst(crowd).slice(0, 500).map(({ id }) => id),
    );
  },
);

testOnEachServer(
  "EventReader refuses what takes more work than a query may do, after what it could give",
  async ({ database }) => {
    await insertEvents(database, encodeEvents(crowd));
    const { signal } = new AbortController();
    const bounded = new EventReader(database, { maxWork: 2_000 });
    const [first] = crowd;
    const cheap = bounded.events([{ ids: [first!.id] }], signal);
    assert.deepEqual((await Array.fromAsync(cheap)).flat(), [first]);
    const found: NostrEvent[] = [];
    await assert.rejects(async () => {
      const all = bounded.events([{}, { kinds: [1, 7] }, { until: 1 }], signal);
      for await (const events of all) found.push(...events);
    }, { name: "ReadBudgetError", message: /more than 2000 entries/ });
    assert.deepEqual(found, newestFirst(crowd).slice(0, found.length));
    assert.ok(
      found.length > 0 && found.length < crowd.length,
      `${found.length}`,
    );
  },
);

testOnEachServer(
  "EventReader gives each event once over all filters, and each filter its limit",
  async ({ database }) => {
    await insertEvents(database, encodeEvents(crowd));
    const { signal } = new AbortController();
    const ordered = newestFirst(crowd);
    const lists: readonly Filter[][] = [
      [],
      [{ limit: 3 }, { limit: 5 }, { kinds: [1], limit: 2 }],
      [{ kinds: [7] }, { kinds: [1] }, { kinds: [1, 7], limit: 4 }],
    ];
    for (const filters of lists) {
      const wanted = new Set(
        filters.flatMap((filter) =>
          ordered.filter((event) => matchesFilter(filter, event))
            .slice(0, filter.limit)
        ),
      );
      const found = new EventReader(database).events(filters, signal);
      assert.deepEqual(
        (await Array.fromAsync(found)).flat(),
        ordered.filter((event) => wanted.has(event)),
      );
    }
  },
);

testOnEachServer(
  "a query that reads much lets those pass that read little",
  async ({ database }) => {
    await insertEvents(database, encodeEvents(crowd));
    const { signal } = new AbortController();
    const reader = new EventReader(database, { concurrency: 1 });
    const ended: string[] = [];
    const long = (async () => {
      const many = crowd.map(({ id }) => ({ "#e": [id] }));
      await Array.fromAsync(reader.events([{}, ...many], signal));
      ended.push("long");
    })();
    for (let i = 0; i < 3; i++) {
      await Array.fromAsync(reader.events([{ ids: [crowd[i]!.id] }], signal));
      ended.push("short");
    }
    await long;
    assert.deepEqual(ended, ["short", "short", "short", "long"]);
  },
);

testOnEachServer(
  "EventReader refuses a search it cannot do",
  async ({ database }) => {
    await assert.rejects(query(database, { search: "nostr" }), /NIP-50/);
  },
);

testOnEachServer(
  "EventReader tells that a lite archive has no events to give",
  async ({ database }) => {
    await insertEvents(database, encodeEvents(crowd));
    await assert.rejects(query(database, {}), {
      name: "LiteArchiveError",
      message: /lite/,
    });
  },
  { edition: "lite" },
);

/** Every part of a filter alone and in company, hits and misses. */
const FILTERS: readonly Filter[] = [
  {},
  { limit: 0 },
  { limit: 1 },
  { limit: 50 },
  { ids: [] },
  { ids: [crowd[3]!.id] },
  { ids: crowd.slice(10, 40).map(({ id }) => id), kinds: [1], limit: 5 },
  { ids: ["0".repeat(64)] },
  { kinds: [1] },
  { kinds: [1], limit: 10 },
  { kinds: [1, 7], limit: 10 },
  { kinds: [7, 1, 7, 65_535] },
  { kinds: [] },
  { kinds: Array.from({ length: 100 }, (_, i) => i) },
  { authors: [factory.pubkey(1)] },
  { authors: [factory.pubkey(1)], kinds: [1], limit: 3 },
  { authors: [factory.pubkey(1), factory.pubkey(2)], kinds: [0, 1, 3] },
  { authors: [factory.pubkey(1), factory.pubkey(1)], kinds: [1], limit: 9 },
  { authors: Array.from({ length: 70 }, (_, i) => factory.pubkey(i % 9)) },
  { authors: ["f".repeat(64)] },
  { since: FIRST + 20, until: FIRST + 40 },
  { since: FIRST + 20, until: FIRST + 40, kinds: [1, 3], limit: 17 },
  { since: FIRST + 40, until: FIRST + 20 },
  { until: FIRST + 3 },
  { since: Number.MAX_SAFE_INTEGER },
  { "#e": [crowd[5]!.id] },
  { "#e": crowd.slice(0, 50).map(({ id }) => id), limit: 20 },
  { "#p": [factory.pubkey(2)], "#t": ["nostr"] },
  { "#p": [factory.pubkey(2)], kinds: [1], limit: 4 },
  { "#t": ["nostr", "a\0b"], since: FIRST + 5 },
  { "#t": ["x\udc00y"] },
  { "#t": [] },
  { "#d": ["toString"] },
  { "#p": [""] },
  { "#z": ["nothing"] },
];

/** Few authors, kinds and tags, and several events a second, so that filters meet and ties must be broken. */
function manyEvents(count: number): NostrEvent[] {
  const events: NostrEvent[] = [];
  for (let i = 0; i < count; i++) {
    const target = events[factory.number(events.length || 1)]?.id;
    events.push(factory.sign({
      author: factory.number(6),
      kind: factory.pick([0, 1, 1, 1, 3, 7, 30_023]),
      createdAt: 1_750_000_000 + Math.floor(i / 9),
      tags: [
        ...(target && factory.number(2) ? [["e", target, "wss://r"]] : []),
        ["p", factory.pubkey(factory.number(6))],
        ...(factory.number(3) === 0 ? [["t", "nostr"], ["t", "nostr"]] : []),
        ["client", "nostr"],
      ],
    }));
  }
  return events;
}

function newestFirst(events: readonly NostrEvent[]): NostrEvent[] {
  return events.toSorted((a, b) =>
    b.created_at - a.created_at || (a.id < b.id ? -1 : 1)
  );
}

async function query(
  database: Database,
  filter: Filter,
): Promise<NostrEvent[]> {
  const { signal } = new AbortController();
  const chunks = new EventReader(database).events([filter], signal);
  return (await Array.fromAsync(chunks)).flat();
}
