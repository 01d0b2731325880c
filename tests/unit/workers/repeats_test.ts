import assert from "node:assert/strict";
import { Lanes } from "../../../src/workers/walk/lanes.ts";
import { Pace, UNKNOWN_TRAITS } from "../../../src/workers/walk/pace.ts";
import {
  OPEN_END,
  type Page,
  type PageEvent,
} from "../../../src/workers/walk/page.ts";
import { Repeats } from "../../../src/workers/walk/repeats.ts";

Deno.test("Repeats knows an event by its id and signature, and forgets what will not be asked for again", () => {
  const [above, edge] = [eventAt(101), eventAt(100)];
  const repeats = new Repeats();
  repeats.advance([above, edge], 100);
  assert.ok(repeats.has(edge));
  assert.ok(!repeats.has({ ...edge, sig: "forged" }));
  assert.ok(!repeats.has(above), "no query reaches it");
  repeats.advance([], 99);
  assert.ok(!repeats.has(edge));
});

Deno.test("A walk takes an event that came before, but was not handed on", () => {
  const [newest, taken, refused] = [eventAt(101), eventAt(100), eventAt(100)];
  const lanes = new Lanes({
    filter: {},
    window: { since: 0, until: OPEN_END },
    settledBefore: OPEN_END,
    pace: new Pace(3, { ...UNKNOWN_TRAITS, order: "newest-first" }, 1),
    ledger: { prove: () => {}, gap: () => {} },
  });
  const asked = lanes.next()!;
  const events = [newest, taken, refused];
  lanes.take(asked, page({ events, accepted: [newest, taken] }));
  const { query, lane: { repeats } } = lanes.next()!;
  assert.equal(query.window.until, 100);
  assert.deepEqual(events.map((event) => repeats.has(event)), [
    ...[false, true, false],
  ]);
});

let made = 0;

function eventAt(createdAt: number): PageEvent {
  const id = String(made++);
  return { id, createdAt, kind: 1, pubkey: "", sig: id };
}

function page(
  { events, accepted }: Pick<Page, "events" | "accepted">,
): Page {
  return {
    ...{ events, accepted, size: events.length, limit: 3 },
    ...{ newer: 0, older: 0, unread: [], isShared: false, wasHeld: false },
    end: { type: "eose" },
  };
}
