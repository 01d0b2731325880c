import assert from "node:assert/strict";
import { ParallelRanges } from "../../../../src/workers/walk/parallel_ranges.ts";
import { UNKNOWN_TRAITS } from "../../../../src/workers/protocol/report.ts";
import { OPEN_END } from "../../../../src/models/window.ts";
import { RelayProfile } from "../../../../src/workers/walk/relay_profile.ts";
import { RequestPolicy } from "../../../../src/workers/walk/request_policy.ts";
import { Witnesses } from "../../../../src/workers/walk/witnesses.ts";
import type { Page, PageEvent } from "../../../../src/workers/walk/page.ts";
import { Repeats } from "../../../../src/workers/walk/repeats.ts";

Deno.test("Repeats knows an event by its id and signature, and forgets what will not be asked for again", () => {
  const [above, edge, beneath] = [eventAt(101), eventAt(100), eventAt(49)];
  const repeats = new Repeats();
  repeats.advance([above, edge, beneath], { since: 50, until: 100 });
  assert.ok(repeats.has(edge));
  assert.ok(!repeats.has({ ...edge, sig: "forged" }));
  assert.ok(!repeats.has(above), "no query reaches it");
  assert.ok(!repeats.has(beneath), "nor this one");
  assert.ok(repeats.within({ since: 100, until: 100 }).has(edge));
  assert.ok(!repeats.within({ since: 50, until: 99 }).has(edge));
  repeats.advance([], { since: 50, until: 99 });
  assert.ok(!repeats.has(edge));
});

Deno.test("A walk takes an event that came before, but was not handed on", () => {
  const [newest, taken, refused] = [eventAt(101), eventAt(100), eventAt(100)];
  const ranges = new ParallelRanges({
    filter: {},
    remaining: {
      since: 0,
      until: OPEN_END,
      floor: [],
      reach: 0,
      ceiling: [],
      within: [],
      top: OPEN_END,
      doing: "paging",
    },
    settledBefore: OPEN_END,
    profile: new RelayProfile({ ...UNKNOWN_TRAITS, order: "newest-first" }),
    policy: new RequestPolicy(3, 1),
    witnesses: new Witnesses(),
    findings: {
      prove: () => {},
      gap: () => {},
      contradict: () => {},
      doubt: () => {},
    },
    authors: () => [],
    now: 1_000,
  });
  const asked = ranges.next()!;
  const events = [newest, taken, refused];
  ranges.take(asked, page({ events, accepted: [newest, taken] }));
  const { query, range: { repeats } } = ranges.next()!;
  assert.equal(query.window.until, 100);
  assert.deepEqual(events.map((event) => repeats.has(event)), [
    false,
    true,
    false,
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
    events,
    accepted,
    size: events.length,
    limit: 3,
    newer: 0,
    older: 0,
    lowest: OPEN_END,
    unread: [],
    extra: [],
    isShared: false,
    backpressured: false,
    end: { type: "eose" },
  };
}
