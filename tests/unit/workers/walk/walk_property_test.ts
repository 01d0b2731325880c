import assert from "node:assert/strict";
import fc from "fast-check";
import type { NostrEvent } from "../../../../src/models/event.ts";
import { OPEN_END } from "../../../../src/models/window.ts";

import { fake, FIRST, spread } from "./simulated_events.ts";
import { forgotten, simulate, type SimulatedRelay } from "./simulated_relay.ts";

const WHOLE = { since: 0, until: OPEN_END };

Deno.test("walkWindow() obtains and proves everything behind any cap, whatever shares a second", () => {
  fc.assert(fc.property(contents(), caps(), picks(), (events, cap, picks) => {
    const outcome = simulate({ events, cap }, { window: WHOLE, picks });
    assert.deepEqual(outcome.lies, []);
    assert.deepEqual(forgotten(WHOLE, outcome), []);
    const crowded = crowdedSeconds(events, cap);
    for (const { since, until, reason } of outcome.gaps) {
      assert.equal(since, until);
      // What lies at zero cannot be asked for by itself.
      if (reason === "bounds-ignored" && since === 0) continue;
      assert.equal(reason, "saturated");
      assert.ok(crowded.has(since), "a gap where nothing was cut off");
    }
    const missing = events.filter(({ id }) => !outcome.obtained.has(id));
    for (const { created_at } of missing) {
      assert.ok(crowded.has(created_at) || created_at === 0);
    }
  }));
});

Deno.test("walkWindow() stays within its window", () => {
  fc.assert(fc.property(contents(), caps(), bounds(), (events, cap, window) => {
    const outcome = simulate({ events, cap }, { window });
    assert.deepEqual(outcome.lies, []);
    assert.deepEqual(forgotten(window, outcome), []);
    for (const { since, until } of [...outcome.proven, ...outcome.gaps]) {
      assert.ok(since >= window.since && until <= window.until);
    }
  }));
});

Deno.test("walkWindow() claims nothing untrue of relays that fail at any moment", () => {
  fc.assert(
    fc.property(contents(), caps(), failures(), (events, cap, failing) => {
      const fails: SimulatedRelay["fails"] = (request) =>
        failing[request % failing.length]!;
      const outcome = simulate({ events, cap, fails }, { window: WHOLE });
      assert.deepEqual(outcome.lies, []);
      assert.deepEqual(forgotten(WHOLE, outcome), []);
    }),
  );
});

Deno.test("walkWindow() claims nothing untrue of relays that break the rules", () => {
  // Behind smaller caps such relays cannot be told from those that have no more.
  const ignores = fc.subarray(["since", "until", "limit", "kinds"] as const);
  const faults = fc.oneof(
    fc.record({ order: fc.constant("oldest-first" as const), ignores }),
    fc.record({ exclusiveUntil: fc.boolean(), ignores }),
  );
  fc.assert(
    fc.property(contents(), caps(10), faults, (events, cap, fault) => {
      const outcome = simulate({ events, cap, ...fault }, { window: WHOLE });
      assert.deepEqual(outcome.lies, []);
      assert.deepEqual(forgotten(WHOLE, outcome), []);
    }),
  );
});

Deno.test("walkWindow() takes few requests for the only event of a relay, whatever rules it breaks", () => {
  const ignores = fc.subarray(["since", "limit", "kinds"] as const);
  fc.assert(fc.property(contents(), ignores, ([event], ignores) => {
    const order = "oldest-first" as const;
    const relay = { events: event ? [event] : [], cap: 64, order, ignores };
    const outcome = simulate(relay, { window: WHOLE });
    assert.deepEqual(outcome.lies, []);
    assert.ok(outcome.requests < 200, `${outcome.requests} requests`);
  }));
});

Deno.test("walkWindow() claims nothing untrue of relays that drop kinds after counting them", () => {
  const kinds = [0, 1, 4, 7];
  fc.assert(
    fc.property(contents(kinds), caps(), picks(), (events, cap, picks) => {
      const relay = { events, cap, droppedKinds: [4] };
      const outcome = simulate(relay, { window: WHOLE, picks });
      assert.deepEqual(outcome.lies, []);
      assert.deepEqual(forgotten(WHOLE, outcome), []);
    }),
  );
});

Deno.test("walkWindow() claims no second in which an event was too long to be read", () => {
  const scenarios = fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 30 }));
  fc.assert(
    fc.property(contents(), caps(), scenarios, (events, cap, [isSeen, nth]) => {
      const ids = new Set(
        events.filter((_, i) => i % nth === 0).map(({ id }) => id),
      );
      const oversized = { ids, isSeen };
      const outcome = simulate({ events, cap, oversized }, { window: WHOLE });
      assert.deepEqual(outcome.lies, []);
      assert.deepEqual(forgotten(WHOLE, outcome), []);
    }),
  );
});

Deno.test("walkWindow() goes around places where the relay fails for ever", () => {
  fc.assert(fc.property(contents(), caps(), (events, cap) => {
    const poison = new Set(events.slice(0, 2).map(({ id }) => id));
    const relay = { events, cap, poison };
    const outcome = simulate(relay, { window: WHOLE });
    assert.deepEqual(outcome.lies, []);
    assert.deepEqual(forgotten(WHOLE, outcome), []);
  }));
});

Deno.test("walkWindow() side by side claims nothing untrue of relays that fail at any moment", () => {
  const relays = fc.record({ failing: failures(), picks: picks() });
  fc.assert(
    fc.property(contents(), caps(), relays, (events, cap, relay) => {
      const { failing, picks } = relay;
      const fails: SimulatedRelay["fails"] = (request) =>
        failing[request % failing.length]!;
      const simulated = { events, cap, fails };
      const outcome = simulate(simulated, { window: WHOLE, picks });
      assert.deepEqual(outcome.lies, []);
      assert.deepEqual(forgotten(WHOLE, outcome), []);
    }),
  );
});

Deno.test("walkWindow() side by side obtains everything from a relay that bears one subscription", () => {
  const reasons = fc.constantFrom("refused" as const, "timeout" as const);
  const relays = fc.record({ displaces: reasons, picks: picks() });
  fc.assert(
    fc.property(fc.integer({ min: 10, max: 60 }), relays, (cap, relay) => {
      const { displaces, picks } = relay;
      const events = spread(2_000);
      const outcome = simulate({ events, cap, displaces }, {
        window: WHOLE,
        picks,
      });
      assert.deepEqual(outcome.lies, []);
      assert.deepEqual(outcome.gaps, []);
      assert.equal(outcome.obtained.size, events.length);
      assert.ok(outcome.requests < 2 * 2_000 / cap + 60);
    }),
    { numRuns: 20 },
  );
});

/** Which of the requests under way is answered next. */
Deno.test("walkWindow() side by side takes no event for two, however long a walk has to wait", () => {
  const waits = fc.record({ heldFrom: fc.nat({ max: 60 }), picks: picks() });
  fc.assert(
    fc.property(fc.integer({ min: 10, max: 60 }), waits, (cap, waits) => {
      const events = spread(3_000);
      // As small a limit as the cap, so that only the last few pages are remembered.
      const simulation = { window: WHOLE, limit: cap, ...waits };
      const outcome = simulate({ events, cap }, simulation);
      assert.deepEqual(outcome.repeated, []);
      assert.equal(outcome.obtained.size, events.length);
    }),
    { numRuns: 50 },
  );
});

function picks(): fc.Arbitrary<number[]> {
  return fc.array(fc.nat({ max: 15 }), { minLength: 1, maxLength: 20 });
}

/** Relay contents with heavy ties: few seconds, many events. */
function contents(
  kinds: readonly number[] = [0, 1, 4, 7, 1059, 12_345],
): fc.Arbitrary<NostrEvent[]> {
  const one = fc.record({
    createdAt: fc.oneof(
      fc.integer({ min: 0, max: 40 }),
      fc.integer({ min: FIRST, max: FIRST + 30 }),
      fc.integer({ min: FIRST, max: FIRST + 10_000_000 }),
      fc.constant(FIRST + 7),
    ),
    kind: fc.constantFrom(...kinds),
    author: fc.integer({ min: 0, max: 5 }),
  });
  return fc.array(one, { maxLength: 200, size: "max" })
    .map((drafts) => drafts.map(fake));
}

function caps(min = 1): fc.Arbitrary<number> {
  return fc.integer({ min, max: 120 });
}

function bounds() {
  return fc.tuple(
    fc.integer({ min: 0, max: FIRST + 20 }),
    fc.integer({ min: 0, max: 10_000_000 }),
  ).map(([since, span]) => ({ since, until: since + span }));
}

function failures() {
  const reason = fc.constantFrom(
    "timeout" as const,
    "disconnected" as const,
    "rate-limited" as const,
    "refused" as const,
    "over-budget" as const,
    "auth-required" as const,
  );
  const failure = fc.record({
    end: reason.map((reason) => ({ type: "failed" as const, reason })),
    after: fc.integer({ min: 0, max: 100 }),
  });
  const one = fc.oneof(
    { weight: 3, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: failure },
  );
  return fc.array(one, { minLength: 1, maxLength: 12 });
}

/** Seconds that hold at least a page of events, or all there are: only there may something be missing. */
function crowdedSeconds(
  events: readonly NostrEvent[],
  cap: number,
): Set<number> {
  const counts = new Map<number, number>();
  for (const { created_at } of events) {
    counts.set(created_at, (counts.get(created_at) ?? 0) + 1);
  }
  // Who has shown one second only may have more of it.
  const isAll = counts.size === 1;
  return new Set(
    [...counts].filter(([, n]) => isAll || n >= cap).map(([at]) => at),
  );
}
