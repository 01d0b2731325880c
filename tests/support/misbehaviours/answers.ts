/**
 * Rows about answers that are wrong, missing, or come for something else.
 *
 * @module
 */
import {
  EVENTS,
  factory,
  FIRST,
  flood,
  FORGED,
  hangUpAfter,
  isWithin,
  NEWEST_FIRST,
  serveWithoutLimit,
} from "../misbehaviour.ts";
import type { Misbehaviour } from "../misbehaviour_row.ts";

export const MISBEHAVIOURS: readonly Misbehaviour[] = [
  {
    promise: "claims nothing of a relay that never answers",
    script: { events: EVENTS, onReq: () => {} },
    stored: 0,
    complete: false,
    reasons: ["timeout"],
    idleTimeoutMs: 200,
    maxRequests: 2,
  },
  {
    promise: "claims nothing of a relay that refuses by NOTICE",
    script: {
      events: EVENTS,
      onReq: (req) => req.notice("ERROR: bad req: filter is too wide"),
    },
    stored: 0,
    complete: false,
    reasons: ["restricted"],
    maxRequests: 1,
  },
  {
    promise: "asks once for what needs authentication it does not have",
    script: { events: EVENTS, authRequired: "req" },
    stored: 0,
    complete: false,
    reasons: ["auth-required"],
    maxRequests: 1,
  },
  {
    promise: "gets everything from a relay that hangs up every 120 events",
    script: { events: EVENTS, onReq: hangUpAfter(120) },
    stored: 400,
    complete: true,
    // It is tried what it bears.
    maxRequests: 90,
  },
  {
    promise:
      "refuses forged signatures, contents and shapes, each for its reason",
    truth: NEWEST_FIRST.filter((_, i) => i % 4 === 0),
    // All at once, or those at page borders would be counted twice.
    script: {
      onReq: async (req) => {
        const { kinds = [1], ...filter } = req.filters[0]!;
        const page = kinds.includes(1) ? FORGED : [];
        await req.events(page.filter((event) => isWithin(filter, event)));
        req.eose(["finish"]);
      },
    },
    stored: 100,
    complete: true,
    // It does not know `authors`, by which it is asked once more as it says `finish`.
    rejected: { signature: 100, id: 100, kind: 100, filter: 1 },
  },
  {
    promise: "stores an event once, however often it comes",
    script: {
      onReq: async (req) => {
        const page = NEWEST_FIRST.filter((event) =>
          isWithin(req.filters[0]!, event)
        );
        for (const event of page.slice(0, 20)) {
          await req.events([event, event, event]);
        }
        req.eose();
      },
    },
    stored: 400,
    complete: true,
    rejected: {},
    maxRequests: 80,
  },
  {
    promise: "refuses what it has not asked for",
    script: {
      events: EVENTS,
      onReq: async (req) => {
        await req.events([STRANGER]);
        await req.serve();
      },
    },
    stored: 400,
    complete: true,
  },
  {
    promise: "stops where a relay ignores until",
    script: {
      onReq: async (req) => {
        await req.events(NEWEST_FIRST.slice(0, 100));
        req.eose();
      },
    },
    stored: 100,
    complete: false,
    reasons: ["bounds-ignored"],
    maxRequests: 20,
  },
  {
    promise: "pages through a relay that ignores limit",
    script: { onReq: serveWithoutLimit },
    stored: 400,
    complete: true,
  },
  {
    promise: "walks a relay in parts that gives the oldest first",
    script: { events: EVENTS, maxLimit: 50, order: "oldest-first" },
    stored: 400,
    complete: true,
    method: "split",
  },
  {
    promise: "reads past garbage",
    script: {
      events: EVENTS,
      onReq: async (req) => {
        req.send("not json");
        req.send(`["EVENT","${req.subId}"]`);
        req.send(`["EVENT","${req.subId}",null]`);
        req.send(`["WHAT",{}]`);
        await req.serve();
      },
    },
    stored: 400,
    complete: true,
  },
  {
    promise: "gives up a relay that floods with one event for ever",
    script: { onReq: flood },
    stored: 1,
    complete: false,
    // The connection is cut when the flood goes on after CLOSE.
    reasons: ["over-budget", "disconnected", "timeout"],
    maxRequests: 6,
  },
];

const STRANGER = factory.sign({ kind: 30_000, createdAt: FIRST + 5 });
