/**
 * Rows about what comes and how it comes: orders, drips, masses, frames.
 *
 * @module
 */
import {
  dripBytes,
  dripEvents,
  EVENTS,
  factory,
  FIRST,
  NEWEST_FIRST,
} from "../misbehaviour.ts";
import { matchesFilter } from "../../../src/models/filter.ts";
import type { Misbehaviour } from "../misbehaviour_row.ts";

const REACTIONS = Array.from(
  { length: 600 },
  (_, i) => factory.sign({ kind: 7, createdAt: FIRST + i * 20 }),
);
const FEW = NEWEST_FIRST.slice(0, 40);
const OTHERS = EVENTS.slice(0, 50);

export const MISBEHAVIOURS: readonly Misbehaviour[] = [
  {
    promise: "reads what comes after the end of its page, and believes it",
    script: {
      onReq: async (req) => {
        const [{ limit = 0, ...filter } = {}] = req.filters;
        req.eose();
        const found = FEW.filter((event) => matchesFilter(filter, event));
        await req.events(found.slice(0, limit));
      },
    },
    truth: FEW,
    stored: 40,
    complete: true,
  },
  {
    promise: "refuses more that it has not asked for than what it has",
    script: {
      events: [...EVENTS, ...REACTIONS],
      maxLimit: 200,
      onReq: async (req) => {
        const [{ until = Infinity, limit = 200 } = {}] = req.filters;
        const all = [...EVENTS, ...REACTIONS]
          .sort((a, b) => b.created_at - a.created_at)
          .filter((event) => event.created_at <= until);
        await req.events(all.slice(0, Math.min(limit, 200)));
        req.eose();
      },
    },
    stored: 400,
    complete: true,
    maxReceived: 2_100,
  },
  {
    promise: "gets everything from a relay that drips events",
    script: { events: FEW, onReq: dripEvents(FEW, 25) },
    truth: FEW,
    requests: { totalTimeoutMs: 1_000 },
    idleTimeoutMs: 800,
    stored: 40,
    complete: true,
    maxRequests: 40,
  },
  {
    promise: "does not wait for the end of a message that comes byte by byte",
    script: { events: EVENTS, onReq: dripBytes },
    idleTimeoutMs: 300,
    stored: 0,
    complete: false,
    reasons: ["timeout"],
    maxRequests: 2,
  },
  {
    promise: "gets what lies around an event as long as a book",
    script: {
      events: [
        ...OTHERS,
        factory.sign({
          createdAt: FIRST + 10_000,
          content: "x".repeat(3_000_000),
        }),
      ],
    },
    stored: 50,
    complete: false,
    reasons: ["too-large"],
    maxRequests: 20,
  },
  {
    promise: "hangs up on a message longer than any event may be",
    script: {
      events: EVENTS,
      onReq: (req) => req.send(" ".repeat(34 * 1024 * 1024)),
    },
    stored: 0,
    complete: false,
    reasons: ["disconnected"],
    maxRequests: 6,
  },
  {
    promise: "reads past long messages that mean nothing",
    script: {
      events: EVENTS,
      maxLimit: 200,
      onReq: async (req) => {
        req.send(JSON.stringify(["NOISE", "x".repeat(4_000_000)]));
        await req.serve();
      },
    },
    stored: 400,
    complete: true,
  },
];
