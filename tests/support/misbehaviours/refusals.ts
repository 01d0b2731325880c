/**
 * Rows about refusals: rates, numbers, and the words they are said in.
 *
 * @module
 */
import type { TestReq } from "../test_relay_script.ts";
import { bearAtOnce, EVENTS, tireAfter } from "../misbehaviour.ts";
import type { Misbehaviour } from "../misbehaviour_row.ts";

export const MISBEHAVIOURS: readonly Misbehaviour[] = [
  ...[
    ["auth-required: who are you?", "auth-required", 1],
    ["restricted: members only", "restricted", 1],
    ["invalid: bad filter", "refused", 4],
  ].map(([words, reason, maxRequests]) => ({
    promise: `claims nothing where it is refused by CLOSED "${words}"`,
    script: { events: EVENTS, onReq: (req: TestReq) => req.closed(`${words}`) },
    stored: 0,
    complete: false,
    reasons: [`${reason}`],
    maxRequests: Number(maxRequests),
  })),
  ...[
    "blocked: too many requests",
  ].map((words) => ({
    promise: `gets everything from a relay that says "${words}" each 6th time`,
    script: {
      events: EVENTS,
      maxLimit: 50,
      onReq: tireAfter(5, (req) => req.closed(words)),
    },
    stored: 400,
    complete: true,
    // 23 as a rule; on a busy machine more of them may be under way when it refuses.
    maxRequests: 40,
  })),
  {
    promise: "gets everything from a relay that says so by NOTICE",
    script: {
      events: EVENTS,
      maxLimit: 50,
      onReq: tireAfter(5, (req) => req.notice("ERROR: rate-limited")),
    },
    idleTimeoutMs: 1_000,
    stored: 400,
    complete: true,
    // Which of several is meant cannot be known; the one that was has to be waited for.
    maxRequests: 80,
  },
  {
    promise: "gets everything from a relay that bears three REQs at once",
    script: {
      events: EVENTS,
      maxLimit: 20,
      latencyMs: 5,
      onReq: bearAtOnce(
        3,
        (req) => req.notice("ERROR: too many concurrent REQs"),
      ),
    },
    idleTimeoutMs: 500,
    stored: 400,
    complete: true,
    maxRequests: 90,
  },
];
