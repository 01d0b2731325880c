import assert from "node:assert/strict";
import type { NostrEvent } from "../../../src/models/event.ts";
import { testArchive } from "../../support/archive.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { assertTruthful, syncOnce } from "../../support/sync.ts";
import { testRelay } from "../../support/test_relay.ts";
import type { TestReq } from "../../support/test_relay_script.ts";

const factory = eventFactory("unread");
const FIRST = 1_700_000_000;
const EVENTS = Array.from({ length: 10 }, (_, i) =>
  factory.sign({
    createdAt: FIRST + i * 10,
    content: `line one\nline two ${i}`,
  }));
const SPOILT = EVENTS[5]!;

type Spoil = (event: NostrEvent, subId: string) => string;

const asItShouldBe: Spoil = (event, subId) =>
  JSON.stringify(["EVENT", subId, event]);
const withLineFeed: Spoil = (event, subId) =>
  asItShouldBe(event, subId).replace("\\n", "\n");
const cutOff: Spoil = (event, subId) => asItShouldBe(event, subId).slice(0, 40);
const withoutSubId: Spoil = (event) => JSON.stringify(["EVENT", event]);
const inCapitals: Spoil = (event, subId) =>
  asItShouldBe(event, subId.toUpperCase());
const withoutSignature: Spoil = ({ sig: _sig, ...event }, subId) =>
  JSON.stringify(["EVENT", subId, event]);

const ONE_SECOND = [{ since: SPOILT.created_at, until: SPOILT.created_at }];
const BETWEEN_NEIGHBOURS = [{ since: FIRST + 40, until: FIRST + 60 }];

const ONE_SPOILT = [
  ["is no JSON", withLineFeed, ONE_SECOND],
  ["is cut off", cutOff, BETWEEN_NEIGHBOURS],
  ["has no subscription id", withoutSubId, ONE_SECOND],
  ["has another subscription id", inCapitals, ONE_SECOND],
  ["has no signature", withoutSignature, ONE_SECOND],
] as const;

for (const [what, spoil, holes] of ONE_SPOILT) {
  Deno.test(`syncRelay() leaves a gap around an event that ${what}`, async () => {
    const onReq = serve((event) => event === SPOILT ? spoil : asItShouldBe);
    await using archive = await testArchive();
    await using relay = await testRelay({ events: EVENTS, onReq });
    const result = await syncOnce({ archive, relay: relay.relay });
    assert.deepEqual([result.stored, result.complete], [9, false]);
    const gaps = holes.map((hole) => ({ ...hole, reason: "unread" }));
    assert.deepEqual(result.gaps, gaps);
    const { unread = 0, shape = 0 } = result.rejected;
    assert.ok(unread + shape > 0, "the report counts it");
    const truth = { relay: relay.relay, events: EVENTS };
    assert.equal(await assertTruthful(archive, truth), 9);
  });
}

for (const spoil of [withoutSubId, inCapitals]) {
  Deno.test(`syncRelay() claims no second of a relay that sends all events ${spoil.name}`, async () => {
    await using archive = await testArchive();
    await using relay = await testRelay({
      events: EVENTS,
      onReq: serve(() => spoil),
    });
    const result = await syncOnce({ archive, relay: relay.relay });
    assert.deepEqual([result.stored, result.complete], [0, false]);
    // Below the oldest second that is known to hold something unread, nothing can be told.
    const below = { since: 0, until: FIRST - 1, reason: "hidden" };
    assert.deepEqual(result.gaps, [
      below,
      ...EVENTS.map(({ created_at: at }) => ({
        since: at,
        until: at,
        reason: "unread",
      })),
    ]);
    assert.ok(result.rejected.unread! >= EVENTS.length);
    await assertTruthful(archive, { relay: relay.relay, events: EVENTS });
  });
}

Deno.test("syncRelay() gets what could not be read once the relay sends it as it should be", async () => {
  let isSpoilt = true;
  const onReq = serve((event) =>
    event === SPOILT && isSpoilt ? withLineFeed : asItShouldBe
  );
  await using archive = await testArchive();
  await using relay = await testRelay({ events: EVENTS, onReq });
  await syncOnce({ archive, relay: relay.relay });
  isSpoilt = false;
  // As if a week had passed: what could not be read is left alone for so long.
  await archive.sql`update sync_gap set reported_at = reported_at - 604801`;
  const again = await syncOnce({ archive, relay: relay.relay });
  assert.deepEqual([again.stored, again.complete, again.gaps], [1, true, []]);
  const truth = { relay: relay.relay, events: EVENTS };
  assert.equal(await assertTruthful(archive, truth), 10);
});

/** Answers as NIP-01 has it, but writes each event in its own way. */
function serve(wayOf: (event: NostrEvent) => Spoil) {
  return (req: TestReq): void => {
    const [{ since = 0, until = Infinity, kinds, limit = Infinity } = {}] =
      req.filters;
    const found = EVENTS.toReversed().filter((event) =>
      event.created_at >= since && event.created_at <= until &&
      (kinds?.includes(event.kind) ?? true)
    );
    for (const event of found.slice(0, limit)) {
      req.send(wayOf(event)(event, req.subId));
    }
    req.eose();
  };
}
