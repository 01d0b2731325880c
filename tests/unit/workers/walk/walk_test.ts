import assert from "node:assert/strict";
import { OPEN_END } from "../../../../src/models/window.ts";

import {
  burst,
  BURST_AT,
  fake,
  FIRST,
  hex,
  spread,
} from "./simulated_events.ts";
import {
  forgotten,
  NOW,
  type Outcome,
  simulate,
  type SimulatedRelay,
} from "./simulated_relay.ts";

const WHOLE = { since: 0, until: OPEN_END };

Deno.test("walkWindow() proves by the relay's word where it gives it", () => {
  const relay = { events: spread(3_000), cap: 500, hints: true };
  const outcome = simulate(relay, { window: WHOLE });
  assert.equal(outcome.obtained.size, 3_000);
  assert.equal(outcome.proven.at(-1)?.proof, "finish");
  assert.equal(
    outcome.requests,
    9,
    "seven pages, a look at the order, and one that could say otherwise",
  );
});

Deno.test("walkWindow() receives at most 5 % more than there is", () => {
  const relay = { events: spread(50_000), cap: 500 };
  const outcome = simulate(relay, { window: WHOLE });
  assert.equal(outcome.obtained.size, 50_000);
  assert.deepEqual(outcome.gaps, []);
  assert.ok(outcome.received <= 52_500, `received ${outcome.received}`);
  assert.ok(outcome.requests <= 106, `asked ${outcome.requests} times`);
});

Deno.test("walkWindow() asks an empty relay twice, and believes it then", () => {
  const outcome = simulate({ events: [], cap: 500 }, { window: WHOLE });
  assert.equal(outcome.requests, 2);
  assert.deepEqual(outcome.proven, [
    { since: 0, until: NOW, proof: "empty-page", witness: null },
  ]);
});

Deno.test("walkWindow() leaves 800 events of one second behind a cap of 500 as a gap", () => {
  const events = [
    ...spread(100),
    ...burst(800, { authors: 1 }).map((event) => ({ ...event, kind: 1 })),
  ];
  const outcome = simulate({ events, cap: 500 }, { window: WHOLE });
  assert.deepEqual(outcome.lies, []);
  assert.deepEqual(outcome.gaps, [
    { since: BURST_AT, until: BURST_AT, reason: "saturated" },
  ]);
  assert.equal(outcome.obtained.size, 600);
});

Deno.test("walkWindow() obtains a crowded second whose kinds and authors can be told apart", () => {
  const events = [...spread(100), ...burst(800, { authors: 40 })];
  const outcome = simulate({ events, cap: 500 }, { window: WHOLE });
  assert.equal(outcome.obtained.size, 900);
  assert.deepEqual(outcome.gaps.map(({ reason }) => reason), ["saturated"]);
});

Deno.test("walkWindow() proves a crowded second when the filter names its kinds or authors", () => {
  const events = [...spread(100), ...burst(800, { authors: 4 })];
  const authors = [0, 1, 2, 3].map((author) => hex(author));
  for (const filter of [{ kinds: [0, 1, 3, 6, 7] }, { authors }]) {
    const outcome = simulate({ events, cap: 500 }, { window: WHOLE, filter });
    assert.deepEqual(outcome.lies, []);
    assert.deepEqual(outcome.gaps, []);
    assert.ok(outcome.obtained.size >= 800);
    assert.ok(outcome.proven.some(({ proof }) => proof === "split"));
  }
});

Deno.test("walkWindow() goes below a thousand private messages that come as an empty page", () => {
  const hidden = spread(1_000).map((event) => ({ ...event, kind: 4 }));
  const older = spread(50, 1_000_000);
  const relay = { events: [...hidden, ...older], cap: 500, droppedKinds: [4] };
  const outcome = simulate(relay, { window: WHOLE });
  assert.deepEqual(outcome.lies, []);
  assert.equal(outcome.obtained.size, 50);
  assert.deepEqual(outcome.gaps.map(({ reason }) => reason), ["hidden"]);
});

Deno.test("walkWindow() walks relays that do not give the newest first in parts", () => {
  const orders = ["oldest-first", "random", "oldest-first-sorted"] as const;
  for (const order of orders) {
    const relay = { events: spread(5_000), cap: 100, order };
    const outcome = simulate(relay, { window: WHOLE });
    assert.deepEqual(outcome.lies, [], order);
    assert.equal(outcome.obtained.size, 5_000, order);
    assert.deepEqual(outcome.gaps, [], order);
    assert.equal(outcome.order, "unsorted");
    assert.ok(outcome.requests < 500, `${order}: ${outcome.requests} requests`);
  }
});

Deno.test("walkWindow() stops at relays that ignore until, and says so", () => {
  const relay: SimulatedRelay = {
    events: spread(2_000),
    cap: 500,
    ignores: ["until"],
  };
  const outcome = simulate(relay, { window: WHOLE });
  assert.deepEqual(outcome.lies, []);
  assert.equal(outcome.obtained.size, 500);
  assert.deepEqual(outcome.gaps.map(({ reason }) => reason), [
    "bounds-ignored",
  ]);
  assert.ok(outcome.requests <= 4);
});

Deno.test("walkWindow() is content with relays that ignore since or limit", () => {
  const window = { since: FIRST + 1_000, until: FIRST + 90_000 };
  for (const ignored of ["since", "limit"] as const) {
    const relay = { events: spread(2_000), cap: 500, ignores: [ignored] };
    const outcome = simulate(relay, { window });
    assert.deepEqual(outcome.lies, []);
    assert.deepEqual(outcome.gaps, []);
  }
});

Deno.test("walkWindow() asks for less when the relay breaks off, and gets everything", () => {
  let sent = 0;
  const fails: SimulatedRelay["fails"] = (_request, { limit }) => {
    if (sent + limit <= 120) {
      sent += limit;
      return null;
    }
    const after = 120 - sent;
    sent = 0;
    return { end: { type: "failed", reason: "disconnected" }, after };
  };
  const relay = { events: spread(2_000), cap: 500, fails };
  const outcome = simulate(relay, { window: WHOLE });
  assert.equal(outcome.brokenBy, null);
  assert.equal(outcome.obtained.size, 2_000);
  assert.deepEqual(outcome.gaps, []);
});

Deno.test("walkWindow() claims nothing of a relay that never answers", () => {
  const fails = () => ({
    end: { type: "failed", reason: "timeout" } as const,
    after: 0,
  });
  const relay = { events: spread(300), cap: 500, fails };
  const outcome = simulate(relay, { window: WHOLE });
  assert.equal(outcome.brokenBy, "timeout");
  assert.deepEqual(outcome.proven, []);
  assert.deepEqual(outcome.gaps, [
    { since: 0, until: NOW, reason: "timeout" },
  ]);
  assert.equal(outcome.requests, 2);
});

Deno.test("walkWindow() records nothing about what it was told to stop", () => {
  const fails = (request: number) =>
    request === 2 ? { end: { type: "aborted" } as const } : null;
  const relay = { events: spread(2_000), cap: 500, fails };
  const outcome = simulate(relay, { window: WHOLE });
  assert.equal(outcome.brokenBy, "aborted");
  assert.deepEqual(outcome.gaps, []);
  assert.deepEqual(outcome.lies, []);
  assert.ok(outcome.proven.length > 0);
});

Deno.test("walkWindow() obtains future-dated events and those of 1970", () => {
  const events = [
    ...spread(20),
    fake({ createdAt: 2 ** 53 - 1 }),
    fake({ createdAt: 43_019_827_200 }),
    fake({ createdAt: 1_700_000_000_000 }),
    fake({ createdAt: 0 }),
    fake({ createdAt: 1 }),
  ];
  const outcome: Outcome = simulate({ events, cap: 10 }, { window: WHOLE });
  assert.equal(outcome.obtained.size, events.length);
  assert.deepEqual(outcome.gaps, []);
});

Deno.test("walkWindow() steps over the second at which the relay breaks off, and goes on below it", () => {
  const events = spread(3_000);
  const poison = events[1_500]!;
  const relay = { events, cap: 500, poison: new Set([poison.id]) };
  const outcome = simulate(relay, { window: WHOLE });
  assert.deepEqual(outcome.lies, []);
  assert.equal(outcome.brokenBy, null);
  assert.deepEqual(forgotten(WHOLE, outcome), []);
  const at = poison.created_at;
  for (const { since, until } of outcome.gaps) {
    assert.ok(since >= at - 60 && until <= at + 60, `${since}-${until} ${at}`);
  }
  assert.ok(outcome.obtained.size >= 2_990, `${outcome.obtained.size}`);
  assert.ok(outcome.requests < 60, `${outcome.requests} requests`);
});

Deno.test("walkWindow() leaves a gap where an event is too long to be read", () => {
  const events = spread(3_000);
  const long = events[1_500]!;
  const ids = new Set([long.id]);
  const relay = { events, cap: 500, oversized: { ids, isSeen: true } };
  const outcome = simulate(relay, { window: WHOLE });
  const at = long.created_at;
  assert.deepEqual(outcome.lies, []);
  assert.equal(outcome.obtained.size, 2_999);
  for (const gap of outcome.gaps) {
    assert.deepEqual(gap, { since: at, until: at, reason: "too-large" });
  }
  assert.ok(outcome.gaps.length > 0);
});

Deno.test("walkWindow() does not believe that a handful of events in one second are all there are", () => {
  const events = burst(20, { authors: 1 }).map((event) => ({
    ...event,
    kind: 1,
  }));
  const outcome = simulate({ events, cap: 5 }, { window: WHOLE });
  assert.deepEqual(outcome.lies, []);
  assert.deepEqual(outcome.gaps, [
    { since: BURST_AT, until: BURST_AT, reason: "saturated" },
  ]);
});

Deno.test("walkWindow() claims nothing below a page full of what is no event", () => {
  const events = spread(1_000);
  const relay = { events, cap: 100, strangers: 100 };
  const outcome = simulate(relay, { window: WHOLE });
  assert.deepEqual(outcome.lies, []);
  assert.deepEqual(outcome.gaps.map(({ reason }) => reason), ["hidden"]);
});

Deno.test("walkWindow() side by side receives at most 5 % more than there is", () => {
  const relay = { events: spread(50_000), cap: 500 };
  for (const picks of [[0], [1, 5, 0, 3, 15, 2], [15]]) {
    const outcome = simulate(relay, { window: WHOLE, picks });
    assert.equal(outcome.obtained.size, 50_000);
    assert.deepEqual(outcome.lies, []);
    assert.deepEqual(outcome.gaps, []);
    assert.deepEqual(forgotten(WHOLE, outcome), []);
    assert.ok(outcome.received <= 52_500, `received ${outcome.received}`);
    assert.ok(outcome.requests <= 250, `asked ${outcome.requests} times`);
    assert.ok(outcome.peak >= 8, `${outcome.peak} at once`);
  }
});
