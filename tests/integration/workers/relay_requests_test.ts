import assert from "node:assert/strict";
import type { NostrEvent } from "../../../src/models/event.ts";
import {
  type PageTarget,
  RelayRequests,
} from "../../../src/workers/worker/relay_requests.ts";
import type { Query } from "../../../src/workers/walk/page.ts";
import { never, testDialer } from "../../support/dialing.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { type TestRelay, testRelay } from "../../support/test_relay.ts";
import type { TestReq } from "../../support/test_relay_script.ts";

const factory = eventFactory("relay requests");
const EVENTS = Array.from(
  { length: 10 },
  (_, i) => factory.sign({ createdAt: 1_000 + i, kind: i % 2 }),
).reverse();
const QUERY: Query = {
  filter: { kinds: [1], limit: 100 },
  window: { since: 0, until: 2_000 },
  limit: 100,
  evidenceOnly: false,
};
const ODD = EVENTS.filter(({ kind }) => kind === 1);
const EVEN = EVENTS.filter(({ kind }) => kind === 0);

Deno.test("RelayRequests.fetch() asks the extra filters in the same REQ, and keeps apart what only they bring", async () => {
  await using relay = await testRelay({ events: EVENTS });
  await using requests = requestsOf(relay);
  const extraFilters = [{ ids: [EVEN[0]!.id, ODD[0]!.id], limit: 2 }];
  const { target, accepted } = collector();
  const page = await requests.fetch({ ...QUERY, extraFilters }, target);
  assert.deepEqual(page.extra.map(({ id }) => id), [EVEN[0]!.id]);
  assert.deepEqual(idsOf(accepted), idsOf(ODD));
  assert.deepEqual([page.size, page.end], [5, {
    type: "eose",
    hint: undefined,
  }]);
  const [, , ...filters] = await relay.received("REQ");
  assert.deepEqual(filters, [QUERY.filter, ...extraFilters]);
  assert.equal(relay.count("REQ"), 1);
});

Deno.test("RelayRequests.renew() closes a connection that nothing needs before it makes another one", async () => {
  await using relay = await testRelay({ events: EVENTS });
  await using requests = requestsOf(relay);
  await requests.fetch(QUERY, collector().target);
  assert.equal(await requests.renew(), true);
  await relay.idle();
  assert.equal(await requests.renew(), true, "there is none to be replaced");
  await requests.fetch(QUERY, collector().target);
  assert.deepEqual([connectionsOf(relay), relay.peak], [[1, 2], 1]);
});

Deno.test("RelayRequests.renew() lets a connection finish what is under way, and opens no third one meanwhile", async () => {
  const held: TestReq[] = [];
  await using relay = await testRelay({
    events: EVENTS,
    onReq: async (req) => {
      if (req.connection > 2 || held.length === 2) await req.serve();
      else held.push(req);
    },
  });
  await using requests = requestsOf(relay);
  const first = requests.fetch(QUERY, collector().target);
  await relay.received("REQ", 1);
  assert.equal(await requests.renew(), true);
  const second = requests.fetch(QUERY, collector().target);
  await relay.received("REQ", 2);
  assert.equal(await requests.renew(), false, "two are open");
  await held[0]!.serve();
  assert.equal((await first).end.type, "eose");
  while (relay.open > 1) await requests.fetch(QUERY, collector().target);
  await held[1]!.serve();
  assert.equal((await second).end.type, "eose");
  assert.equal(relay.peak, 2);
  assert.deepEqual(new Set(connectionsOf(relay)), new Set([1, 2]));
});

Deno.test("RelayRequests.fetch() hands on what comes after EOSE, once, and nothing that the page had", async () => {
  await using relay = await testRelay({
    onReq: async (req) => {
      await req.events(ODD.slice(0, 2));
      req.eose();
      const { content: _content, ...broken } = ODD[4]!;
      await req.events([...ODD.slice(0, 3), ODD[2]!, EVEN[0]!]);
      req.send(JSON.stringify(["EVENT", req.subId, broken]));
      await req.events([ODD[3]!]);
    },
  });
  await using requests = requestsOf(relay);
  const { target, accepted, late, lateUnread, wholeLate } = collector(2);
  const page = await requests.fetch(QUERY, target);
  assert.deepEqual(idsOf(page.events), idsOf(ODD.slice(0, 2)));
  await wholeLate;
  assert.deepEqual(idsOf(late), idsOf(ODD.slice(2, 4)));
  assert.deepEqual(idsOf(accepted), idsOf(ODD.slice(0, 4)));
  const at = ODD[4]!.created_at;
  assert.deepEqual(lateUnread, [{ since: at, until: at, reason: "unread" }]);
  assert.equal(requests.late, 2);
});

Deno.test("RelayRequests.fetch() reads a relay that sends late whole when it lingers", async () => {
  await using relay = await testRelay({
    onReq: async (req) => {
      req.eose(["finish"]);
      await new Promise((resolve) => setTimeout(resolve, 20));
      await req.events(ODD);
    },
  });
  await using requests = requestsOf(relay);
  requests.lingerMs = 500;
  const { target, late } = collector();
  const page = await requests.fetch(QUERY, target);
  assert.deepEqual(idsOf(page.events), idsOf(ODD));
  assert.deepEqual(page.end, { type: "eose", hint: undefined });
  assert.deepEqual([late.length, requests.late], [0, ODD.length]);
});

/** A target, and what it was given; `wholeLate` resolves at so many late events. */
function collector(expected = Infinity) {
  const accepted: NostrEvent[] = [];
  const late: NostrEvent[] = [];
  const lateUnread: unknown[] = [];
  const whole = Promise.withResolvers<void>();
  const target: PageTarget = {
    accept: (event) => void accepted.push(event),
    reject: () => {},
    late: (_query, event) => {
      if (late.push(event) === expected) whole.resolve();
    },
    lateUnread: (_query, hole) => void lateUnread.push(hole),
    room: () => Promise.resolve(),
  };
  const wholeLate = whole.promise;
  return { target, accepted, late, lateUnread, wholeLate };
}

function requestsOf({ relay }: TestRelay): RelayRequests {
  return new RelayRequests({
    dialer: testDialer(),
    relay,
    authKey: null,
    signal: never,
    budget: () => 8 * 1024 * 1024,
    bounds: {
      limit: 100,
      batchEvents: 100,
      batchBytes: 1_000_000,
      connectTimeoutMs: 10_000,
      idleTimeoutMs: 10_000,
      requestTimeoutMs: 60_000,
      maxEventBytes: 100_000,
      firstSlotTimeoutMs: 60_000,
      maxPageBytes: 10_000_000,
    },
  });
}

/** The connections on which REQs came, in order. */
function connectionsOf({ log }: TestRelay): number[] {
  return log.filter(({ message }) => message[0] === "REQ")
    .map(({ connection }) => connection);
}

function idsOf(events: readonly { readonly id: string }[]): string[] {
  return events.map(({ id }) => id);
}
