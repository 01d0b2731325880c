/**
 * Relays whose answers misbehave, whatever carries them: what must be had of each, what may be claimed, what it may
 * cost. The tables in `tests/support/misbehaviours` have one of each family on real sockets.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { NostrEvent } from "../../../../src/models/event.ts";
import { OPEN_END } from "../../../../src/models/window.ts";
import type {
  FailureReason,
  GapReason,
} from "../../../../src/workers/protocol/report.ts";
import { fake, FIRST } from "./simulated_events.ts";
import { forgotten, simulate, type SimulatedRelay } from "./simulated_relay.ts";

interface Row {
  readonly promise: string;
  readonly relay: Partial<SimulatedRelay>;
  readonly obtained: number;
  /** Each gap has one of these; without them there is none. */
  readonly reasons: readonly GapReason[];
  readonly order?: "newest-first" | "unsorted" | "unknown";
  readonly maxRequests: number;
}

const WHOLE = { since: 0, until: OPEN_END };
const FILTER = { kinds: [1, 4] };

/** Two a minute. */
const EVENTS: readonly NostrEvent[] = Array.from(
  { length: 400 },
  (_, i) => fake({ createdAt: FIRST + (i >> 1) * 60, author: i % 7 }),
);

const PRIVATE = EVENTS.slice(100)
  .map((_, i) => fake({ kind: 4, createdAt: FIRST + 100_000 + i }));

/** Fails each time, after so many events. */
function failing(
  reason: FailureReason,
  after = 0,
): NonNullable<SimulatedRelay["fails"]> {
  return () => ({ end: { type: "failed", reason }, after });
}

/** Fails each nth time. */
function tiring(
  nth: number,
  reason: FailureReason,
): NonNullable<SimulatedRelay["fails"]> {
  return (request) =>
    request % nth === nth - 1
      ? { end: { type: "failed", reason }, after: 0 }
      : null;
}

const REFUSALS = [
  ["auth-required", 1],
  ["restricted", 1],
  ["refused", 4],
  ["rate-limited", 5],
  ["timeout", 2],
  ["disconnected", 6],
  ["over-budget", 6],
] as const;

const ROWS: readonly Row[] = [
  ...REFUSALS.map(([reason, maxRequests]) => ({
    promise: `claims nothing of a relay whose every answer is ${reason}`,
    relay: { fails: failing(reason) },
    obtained: 0,
    reasons: [reason],
    maxRequests,
  })),
  {
    promise: "keeps what came before the relay fell silent, and claims nothing",
    relay: { fails: failing("timeout", 40) },
    obtained: 40,
    reasons: ["timeout"],
    maxRequests: 2,
  },
  ...(["rate-limited", "refused"] as const).map((reason) => ({
    promise: `gets everything from a relay that is ${reason} each 6th time`,
    relay: { cap: 50, fails: tiring(6, reason) },
    obtained: 400,
    reasons: [],
    maxRequests: 32,
  })),
  {
    promise: "does not believe an EOSE that comes at once",
    relay: {
      fails: (request) =>
        request === 0 ? { end: { type: "eose" }, after: 0 } : null,
    },
    obtained: 400,
    reasons: ["hidden"],
    maxRequests: 60,
  },
  {
    promise: "believes a relay that ends every page at once, and is cheap",
    relay: { events: [] },
    obtained: 0,
    reasons: [],
    maxRequests: 3,
  },
  {
    promise: "goes below private messages that a relay counts and drops",
    relay: {
      events: [...EVENTS.slice(0, 100), ...PRIVATE],
      cap: 100,
      droppedKinds: [4],
    },
    obtained: 100,
    reasons: ["hidden"],
    maxRequests: 60,
  },
  ...(["random", "oldest-first", "oldest-first-sorted"] as const).map((
    order,
  ) => ({
    promise: `gets everything from a relay whose order is ${order}`,
    relay: { order, cap: 50 },
    obtained: 400,
    reasons: [],
    order: "unsorted" as const,
    maxRequests: 90,
  })),
  {
    promise: "gets everything from a relay that ignores since",
    relay: { ignores: ["since"], cap: 90 },
    obtained: 400,
    reasons: [],
    maxRequests: 60,
  },
  {
    promise: "gets everything from a relay whose until is exclusive",
    relay: { exclusiveUntil: true, cap: 50 },
    obtained: 400,
    reasons: [],
    maxRequests: 60,
  },
];

for (const row of ROWS) {
  const { promise, relay, obtained, reasons, order, maxRequests } = row;
  Deno.test(`walkWindow() ${promise}`, () => {
    const simulated = { events: EVENTS, cap: 500, ...relay };
    for (const picks of [[], [0], [1, 5, 0, 3]]) {
      const outcome = simulate(simulated, {
        window: WHOLE,
        filter: FILTER,
        picks,
      });
      assert.deepEqual(outcome.lies, []);
      assert.deepEqual(forgotten(WHOLE, outcome), []);
      assert.equal(outcome.obtained.size, obtained);
      const found = [...new Set(outcome.gaps.map(({ reason }) => reason))];
      assert.deepEqual(found, reasons);
      if (order !== undefined) assert.equal(outcome.order, order);
      assert.ok(
        outcome.requests <= maxRequests,
        `${outcome.requests} requests, ${picks}`,
      );
    }
  });
}
