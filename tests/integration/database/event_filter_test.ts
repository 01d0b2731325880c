import assert from "node:assert/strict";
import { eventSelect } from "../../../src/archive/event_filter.ts";
import { insertEvents } from "../../../src/archive/events.ts";
import { encodeEvents } from "../../../src/models/encoded_events.ts";
import type { Filter } from "../../../src/models/filter.ts";
import { randomEvents } from "../../bench/random_events.ts";
import { testOnEachServer } from "../../support/each_server.ts";

const events = randomEvents(6_000, 3);
const [first] = events;
const authors = [...new Set(events.map(({ pubkey }) => pubkey))];

/** A filter, and the index that answers it. */
const WAYS: readonly (readonly [Filter, index: string])[] = [
  [{ limit: 20 }, "event_pkey"],
  [{}, "event_pkey"],
  [{ since: first!.created_at, until: first!.created_at + 50 }, "event_pkey"],
  [{ ids: [first!.id] }, "event_id"],
  [{ ids: events.slice(0, 20).map(({ id }) => id), kinds: [1] }, "event_id"],
  [{ kinds: [9735], limit: 20 }, "event_kind"],
  [{ kinds: [9735, 10_002, 30_023] }, "event_kind"],
  [{ kinds: [9735, 10_002], limit: 20 }, "event_kind"],
  [{ authors: authors.slice(-3), kinds: [0, 3], limit: 5 }, "event_pubkey"],
  [{ authors: authors.slice(-3) }, "event_pubkey"],
  [{ "#e": [events[9]!.id], limit: 5 }, "event_tag"],
  [{ "#p": authors.slice(-2), kinds: [1, 7] }, "event_tag"],
];

testOnEachServer(
  "eventSelect() lets an index answer, and merges what an index has in order",
  async ({ database, sql }) => {
    await insertEvents(database, encodeEvents(events));
    await sql`vacuum analyze event`;
    for (const [filter, index] of WAYS) {
      const { text, parameters, ordered } = eventSelect(filter, filter.limit);
      const plan = await sql.begin(async (sql) => {
        await sql`set local jit = off`;
        if (ordered) await sql`set local enable_sort = off`;
        return await sql.unsafe(`explain ${text}`, [...parameters]);
      });
      const lines = plan.map((row) => String(row["QUERY PLAN"])).join("\n");
      const what = `${JSON.stringify(filter)}\n${lines}`;
      assert.match(lines, new RegExp(`\\b(on|using) ${index}\\b`), what);
      assert.doesNotMatch(lines, /Seq Scan on event\b/, what);
      if (ordered) assert.doesNotMatch(lines, /^ *(-> +)?Sort +\(/m, what);
    }
  },
);
