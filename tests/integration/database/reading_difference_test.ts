/**
 * The archive answers random lists of filters as a relay in memory does, at several sizes.
 *
 * READING_FILTERS: how many filters to try in all (default 900). READING_SEED: where they come from.
 *
 * @module
 */
import assert from "node:assert/strict";
import { insertEvents } from "../../../src/archive/events.ts";
import { EventReader } from "../../../src/archive/reading/event_reader.ts";
import { encodeEvents } from "../../../src/models/encoded_events.ts";
import { testOnEachServer } from "../../support/each_server.ts";
import {
  naiveAnswer,
  newestFirst,
  readingCorpus,
} from "../../support/reading_corpus.ts";

const SEED = Deno.env.get("READING_SEED") ?? crypto.randomUUID();
const FILTERS = Number(Deno.env.get("READING_FILTERS") ?? 900);
const SIZES = [80, 1_500, 12_000];

for (const size of SIZES) {
  testOnEachServer(
    `EventReader answers random filters over ${size} events as a relay in memory does`,
    async ({ database, sql }) => {
      const { events, filters } = readingCorpus(`${SEED} ${size}`, size);
      for (let at = 0; at < events.length; at += 1_000) {
        const batch = encodeEvents(events.slice(at, at + 1_000));
        await insertEvents(database, batch);
        // A second time: nothing may be there twice.
        await insertEvents(database, batch);
      }
      const ordered = newestFirst(events);
      const reader = new EventReader(database);
      const { signal } = new AbortController();
      const most = FILTERS / SIZES.length;
      let lists = 0;
      for (let tried = 0; tried < most;) {
        // The way must not depend on what the planner knows.
        if (lists++ === 200) await sql`vacuum analyze event`;
        const list = filters();
        tried += list.length;
        const found = (await Array.fromAsync(reader.lines(list, signal)))
          .flat();
        const wanted = naiveAnswer(ordered, list)
          .map((event) => JSON.stringify(event));
        if (found.join() === wanted.join()) continue;
        const idOf = (json: string): string => JSON.parse(json).id;
        assert.deepEqual(
          found.map(idOf),
          wanted.map(idOf),
          `READING_SEED=${SEED}: ${JSON.stringify(list)}`,
        );
        assert.deepEqual(found, wanted);
      }
    },
  );
}
