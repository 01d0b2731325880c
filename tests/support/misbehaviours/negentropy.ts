/**
 * Rows about NIP-77: relays that refuse it, lie by it or fall silent.
 *
 * @module
 */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { encodeKeys } from "../../../src/models/encoded_events.ts";
import type { NostrEvent } from "../../../src/models/event.ts";
import type { Filter } from "../../../src/models/filter.ts";
import { respond } from "../negentropy_responder.ts";
import { SortedKeys } from "../../../src/nips/negentropy/sorted_keys.ts";
import type { RelaySync } from "../../../src/services/synchronizer/sync_relay.ts";
import { eventFactory } from "../event_factory.ts";
import { BEGUN_AT } from "../misbehaving_relay.ts";
import type {
  Listed,
  NegentropyScript,
  TestNeg,
} from "../test_relay_negentropy.ts";
import type { RelayScript } from "../test_relay_script.ts";

const factory = eventFactory("negentropy misbehaviour");
/** In the past hour: a second sync looks at all of it again. */
const RECENT = BEGUN_AT - 3_600;
export const EVENTS: readonly NostrEvent[] = Array.from(
  { length: 300 },
  (_, i) =>
    factory.sign({
      createdAt: RECENT + i * 8,
      kind: i % 3,
      author: i % 7,
    }),
);

/** What the relay does, what must be had of it and what it may cost. */
interface Row {
  readonly promise: string;
  readonly negentropy: NegentropyScript;
  readonly script?: RelayScript;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly filter?: Filter;
  /** Events that must be obtained. Default: all 300. */
  readonly stored?: number;
  readonly method: RelaySync["method"];
  /** It lists what it gives to nobody: gaps stay. */
  readonly withholds?: boolean;
  /** What the next sync knows. */
  readonly support: "supported" | "unsupported" | "unknown";
  readonly maxOpens: number;
  readonly maxRequests: number;
  /** What the next sync may receive and ask. Default: nothing, by one request. */
  readonly again?: { readonly received: number; readonly requests: number };
}

const PAGING_AGAIN = { received: 700, requests: 6 };

const ROWS: readonly Row[] = [
  {
    promise:
      "splits windows for a relay that does not say how many are too many",
    negentropy: { maxRecords: 50, hidesMaxRecords: true },
    method: "negentropy",
    support: "supported",
    maxOpens: 60,
    maxRequests: 100,
    // Every part of the window is too much again.
    again: { received: 0, requests: 40 },
  },
  {
    promise: "pages a relay to which everything is too many",
    negentropy: { maxRecords: -1 },
    method: "paging",
    support: "unsupported",
    maxOpens: 48,
    maxRequests: 60,
    again: PAGING_AGAIN,
  },
  ...[
    "blocked: you are not welcome",
    "restricted: members only",
    "error: internal error",
    "invalid: I do not like your filter",
    "auth-required: who are you?",
    "no reason at all",
  ].map((reason) => ({
    promise: `asks once a relay that answers NEG-ERR ${reason}`,
    negentropy: { onMessage: (neg: TestNeg) => neg.error(reason) },
    method: "paging" as const,
    support: "unsupported" as const,
    maxOpens: 1,
    maxRequests: 7,
    again: PAGING_AGAIN,
  })),
  {
    promise:
      "leaves a relay in peace that is asked too often, until the next time",
    negentropy: {
      onMessage: (neg) => neg.error("rate-limited: slow down"),
    },
    method: "paging",
    support: "unknown",
    maxOpens: 3,
    maxRequests: 9,
    again: { received: 700, requests: 9 },
  },
  {
    promise: "takes silence after NEG-OPEN for an answer",
    negentropy: { onMessage: () => {} },
    config: { negentropy: { probeTimeoutMs: 300 } },
    method: "paging",
    support: "unsupported",
    maxOpens: 1,
    maxRequests: 7,
    again: PAGING_AGAIN,
  },
  {
    promise: "does not wait for ever for one that falls silent in mid-dialogue",
    negentropy: { onMessage: (neg) => neg.nth === 1 && neg.serve() },
    config: { requests: { idleTimeoutMs: 500 } },
    method: "paging",
    support: "unsupported",
    maxOpens: 3,
    maxRequests: 12,
    again: PAGING_AGAIN,
  },
  {
    promise: "does not insist on NIP-77 where the relay hangs up on it",
    negentropy: { onMessage: (neg) => neg.disconnect() },
    method: "paging",
    support: "unsupported",
    maxOpens: 3,
    maxRequests: 9,
    again: PAGING_AGAIN,
  },
  ...["zz", "abc", "61ff", "", "6000", "610000010000"].map((hex) => ({
    promise: `reads past a NEG-MSG of "${hex}"`,
    negentropy: { onMessage: (neg: TestNeg) => neg.answer(hex) },
    method: "paging" as const,
    support: "unsupported" as const,
    maxOpens: 1,
    maxRequests: 7,
    again: PAGING_AGAIN,
  })),
  {
    promise: "asks no more where the relay answers with the question",
    negentropy: { onMessage: (neg) => neg.answer(neg.message) },
    method: "paging",
    support: "unsupported",
    maxOpens: 1,
    maxRequests: 7,
    again: PAGING_AGAIN,
  },
  {
    promise: "asks three times a relay that forgets what it was asked",
    negentropy: {
      onMessage: (neg) =>
        neg.nth === 1 ? neg.serve() : neg.error("closed: who are you?"),
    },
    method: "paging",
    support: "unsupported",
    maxOpens: 3,
    maxRequests: 12,
    again: PAGING_AGAIN,
  },
  {
    promise: "gives up frames that never converge",
    negentropy: { onMessage: answerAtRandom },
    config: { requests: { limit: 100 } },
    method: "paging",
    support: "unsupported",
    maxOpens: 3,
    maxRequests: 120,
    again: { received: 900, requests: 20 },
  },
  {
    promise: "remembers ids that a relay lists and nobody has",
    negentropy: { lists: (events) => [...events, ...nonentities(1_000)] },
    withholds: true,
    method: "negentropy",
    support: "supported",
    maxOpens: 2,
    maxRequests: 50,
  },
  {
    promise: "refuses what a relay lists beside the filter",
    negentropy: { lists: (_, { kinds: _kinds }) => EVENTS },
    config: { filters: [{ kinds: [1] }] },
    filter: { kinds: [1] },
    stored: 100,
    withholds: true,
    method: "negentropy",
    support: "supported",
    maxOpens: 2,
    maxRequests: 20,
  },
  {
    promise: "pages a relay that lists what is older than it was asked for",
    negentropy: { lists: () => EVENTS },
    config: { since: RECENT + 150 * 8 },
    stored: 150,
    method: "paging",
    support: "unsupported",
    maxOpens: 1,
    maxRequests: 12,
    again: PAGING_AGAIN,
  },
  {
    promise: "pages a relay that lists no more than it gives at once",
    negentropy: { lists: (events) => events.slice(0, 100) },
    method: "paging",
    support: "unsupported",
    maxOpens: 1,
    maxRequests: 12,
    again: PAGING_AGAIN,
  },
  {
    promise: "pages a relay that lists nothing of what it has",
    negentropy: { lists: () => [] },
    method: "paging",
    support: "unsupported",
    maxOpens: 1,
    maxRequests: 8,
    again: PAGING_AGAIN,
  },
  {
    promise: "does not receive forged events again",
    negentropy: {},
    script: {
      onReq: async (req) => {
        const ids = new Set(req.filters.flatMap(({ ids = [] }) => ids));
        await req.events(EVENTS.filter(({ id }) => ids.has(id)).map(forge));
        req.eose();
      },
    },
    stored: 200,
    withholds: true,
    method: "negentropy",
    support: "supported",
    maxOpens: 1,
    maxRequests: 5,
    // It shows nothing of what it gave, so that no claim is confirmed: they are asked about again.
    again: { received: 0, requests: 20 },
  },
];

/** All that is to be known of a row. */
export interface NegentropyMisbehaviour extends Omit<Row, "negentropy"> {
  readonly script: RelayScript;
  /** All that is authentic. */
  readonly truth: readonly NostrEvent[];
}

export const MISBEHAVIOURS: readonly NegentropyMisbehaviour[] = ROWS.map((
  { negentropy, script, ...row },
) => ({
  ...row,
  script: { events: EVENTS, negentropy, ...script },
  truth: script === undefined
    ? EVENTS
    : EVENTS.filter((event) => forge(event) === event),
}));

function forge(event: NostrEvent): NostrEvent {
  return EVENTS.indexOf(event) % 3 === 0
    ? { ...event, sig: "0".repeat(128) }
    : event;
}

/** Lists other ids each time, and so never agrees to anything. */
function answerAtRandom(neg: TestNeg): void {
  const keys = new SortedKeys(encodeKeys(
    Array.from({ length: 20 }, (_, i) => ({
      id: randomBytes(32).toString("hex"),
      created_at: RECENT + i,
    })),
  ));
  const answer = respond(keys, Uint8Array.fromHex(neg.message), Infinity);
  assert.ok(answer.ok);
  neg.answer(answer.value.toHex());
}

function nonentities(count: number): Listed[] {
  return Array.from({ length: count }, (_, i) => ({
    id: createHash("sha256").update(`nobody ${i}`).digest("hex"),
    created_at: RECENT + i % 2_000,
  }));
}
