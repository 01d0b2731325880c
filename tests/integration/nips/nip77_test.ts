/**
 * NIP-77 over a real connection: what a relay answers, and every other way in which a run can end.
 *
 * @module
 */
import assert from "node:assert/strict";
import { encodeKeys } from "../../../src/models/encoded_events.ts";
import type { NostrEvent } from "../../../src/models/event.ts";
import { connectRelay } from "../../../src/nips/client/connect_relay.ts";
import { SortedKeys } from "../../../src/nips/negentropy/sorted_keys.ts";
import {
  locate,
  reconcile,
  type Reconciled,
  type ReconcileOptions,
  type ReconcileOutcome,
} from "../../../src/nips/nip77/reconcile.ts";
import type { RelayClient } from "../../../src/nips/client/relay_client.ts";
import { never, testDialer, valueOf } from "../../support/dialing.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { type TestRelay, testRelay } from "../../support/test_relay.ts";
import type {
  NegentropyScript,
  TestNeg,
} from "../../support/test_relay_negentropy.ts";
import type { RelayScript } from "../../support/test_relay_script.ts";

const factory = eventFactory("nip77");
const events = Array.from({ length: 400 }, (_, i) =>
  // Forty of them share a second.
  factory.sign({
    kind: i % 2,
    createdAt: 1_700_000_000 + Math.max(0, i - 40),
  }));
const bounds: ReconcileOptions = {
  signal: never,
  probeTimeoutMs: 20_000,
  idleTimeoutMs: 20_000,
  totalTimeoutMs: 60_000,
  maxBytes: 10_000_000,
  maxIds: 100_000,
  maxRounds: 1_000,
};

function keysOf(held: readonly NostrEvent[]): SortedKeys {
  const sorted = [...held].sort((a, b) =>
    a.created_at - b.created_at || (a.id < b.id ? -1 : 1)
  );
  return new SortedKeys(encodeKeys(sorted));
}

async function connect(
  relay: TestRelay,
  authKey?: Uint8Array,
): Promise<RelayClient> {
  return valueOf(
    await connectRelay(testDialer(), relay.relay, {
      signal: never,
      ...(authKey && { authKey }),
    }),
  );
}

/** Reconciles with a relay that behaves as the script wants. */
async function outcomeOf(
  script: RelayScript | ((neg: TestNeg) => void),
  options: Partial<ReconcileOptions> = {},
): Promise<ReconcileOutcome> {
  const whole = typeof script === "function"
    ? { events, negentropy: { onMessage: script } }
    : { events, ...script };
  await using relay = await testRelay(whole);
  await using client = await connect(relay);
  const held = keysOf(events.slice(0, 300));
  return await reconcile(client, { filter: {}, keys: held }, {
    ...bounds,
    ...options,
  });
}

function reconciled(outcome: ReconcileOutcome): Reconciled {
  assert(outcome.type === "reconciled", JSON.stringify(outcome));
  return outcome;
}

function needOf(outcome: ReconcileOutcome): string[] {
  const hex = reconciled(outcome).need.toHex();
  return Array.from(
    { length: hex.length / 64 },
    (_, i) => hex.slice(64 * i, 64 * i + 64),
  ).sort();
}

const idsOf = (list: readonly NostrEvent[]) => list.map(({ id }) => id).sort();

const scripts: readonly NegentropyScript[] = [
  {},
  { frameBytes: 4_096 },
  { by: "nostr-tools" },
  { by: "nostr-tools", frameBytes: 4_096 },
];

for (const negentropy of scripts) {
  Deno.test(`reconcile() finds what differs: ${JSON.stringify(negentropy)}`, async () => {
    await using relay = await testRelay({
      events: events.slice(30),
      negentropy,
    });
    await using client = await connect(relay);
    const outcome = await reconcile(client, {
      filter: {},
      keys: keysOf(events.slice(0, 350)),
    }, bounds);
    assert.deepEqual(needOf(outcome), idsOf(events.slice(350)));
    assert.equal(reconciled(outcome).have.createdAt.length, 30);
    assert.equal(reconciled(outcome).isConfirmed, true);
    const [, subId = ""] = await relay.received("NEG-OPEN");
    assert.match(String(subId), /^\w{1,20}$/);
    assert.deepEqual(await relay.received("NEG-CLOSE"), ["NEG-CLOSE", subId]);
    const sent = relay.count("NEG-OPEN") + relay.count("NEG-MSG");
    assert.equal(reconciled(outcome).rounds, sent);
  });
}

Deno.test("reconcile() asks for what the filter says, and once when there is nothing new", async () => {
  await using relay = await testRelay({ events, negentropy: {} });
  await using client = await connect(relay);
  const filter = { kinds: [1], since: 1_700_000_100 };
  const wanted = events.filter(({ kind, created_at }) =>
    kind === 1 && created_at >= 1_700_000_100
  );
  const outcome = await reconcile(client, {
    filter: filter,
    keys: keysOf(wanted),
  }, bounds);
  assert.deepEqual(needOf(outcome), []);
  assert.equal(reconciled(outcome).rounds, 1);
  assert.deepEqual((await relay.received("NEG-OPEN"))[2], filter);
});

Deno.test("reconcile() hands over what it finds, each id once, and waits until it is taken", async () => {
  await using relay = await testRelay({
    events,
    negentropy: { frameBytes: 4_096 },
  });
  await using client = await connect(relay);
  const found: string[] = [];
  let isTaking = false;
  const outcome = await reconcile(client, { filter: {}, keys: keysOf([]) }, {
    ...bounds,
    onNeed: async (need) => {
      assert.equal(isTaking, false);
      isTaking = true;
      const sent = relay.log.length;
      found.push(...need.map(({ id }) => id));
      for (const { id, since, until } of need) {
        const at = events.find((event) => event.id === id)?.created_at ?? -1;
        assert(since <= at && at <= until);
      }
      await fetch(new URL(relay.url.replace("ws:", "http:"))).then((it) =>
        it.body?.cancel()
      );
      assert.equal(relay.log.length, sent);
      isTaking = false;
    },
  });
  assert.deepEqual(needOf(outcome), idsOf(events));
  assert.deepEqual(found.sort(), idsOf(events));
});

Deno.test("reconcile() throws what the taker of ids throws", async () => {
  await using relay = await testRelay({ events, negentropy: {} });
  await using client = await connect(relay);
  await assert.rejects(
    reconcile(client, { filter: {}, keys: keysOf([]) }, {
      ...bounds,
      onNeed: () => Promise.reject(new Error("no room")),
    }),
    /no room/,
  );
  await relay.received("NEG-CLOSE");
});

Deno.test("locate() finds the seconds of events that are listed and not given", async () => {
  await using relay = await testRelay({ events, negentropy: {} });
  await using client = await connect(relay);
  const hidden = events.slice(200, 210).map(({ id }) => ({
    id,
    since: 0,
    until: Infinity,
  }));
  const located = await locate(client, { filter: {}, hidden }, bounds);
  const expected = new Map(
    events.slice(200, 210).map((event) => [event.id, event.created_at]),
  );
  assert.equal(located.createdAt.length, 10);
  for (const [i, createdAt] of located.createdAt.entries()) {
    const id = located.ids.subarray(32 * i, 32 * i + 32).toHex();
    assert.equal(createdAt, expected.get(id));
  }
});

Deno.test("several runs share a connection with each other and with requests", async () => {
  await using relay = await testRelay({ events, negentropy: {} });
  await using client = await connect(relay);
  const page = {
    ...bounds,
    idleTimeoutMs: 20_000,
    maxEvents: 1_000,
  };
  const [zero, one, fetched] = await Promise.all([
    reconcile(client, { filter: { kinds: [0] }, keys: keysOf([]) }, bounds),
    reconcile(client, { filter: { kinds: [1] }, keys: keysOf([]) }, bounds),
    client.fetchPage({ limit: 100 }, page),
  ]);
  assert.deepEqual(needOf(zero), idsOf(events.filter((it) => it.kind === 0)));
  assert.deepEqual(needOf(one), idsOf(events.filter((it) => it.kind === 1)));
  assert.equal(fetched.events.length, 100);
  assert.equal(relay.requests.length, 1);
});

Deno.test("reconcile() takes slots as subscriptions do", async () => {
  await using relay = await testRelay({ events, negentropy: {} });
  await using client = valueOf(
    await connectRelay(testDialer(), relay.relay, {
      signal: never,
      maxSubscriptions: 1,
    }),
  );
  const runs = [1, 2, 3].map(() =>
    reconcile(client, { filter: {}, keys: keysOf(events) }, bounds)
  );
  for (const run of runs) assert.deepEqual(needOf(await run), []);
  await relay.received("NEG-CLOSE", 3);
  const opened = relay.log.map(({ message }) => message[0]);
  assert.deepEqual(opened, [1, 2, 3].flatMap(() => ["NEG-OPEN", "NEG-CLOSE"]));
});

Deno.test("reconcile() says that there is too much, and how much would do", async () => {
  assert.deepEqual(await outcomeOf({ negentropy: { maxRecords: 100 } }), {
    type: "too-many",
    reason: "blocked: too many query results",
    maxRecords: 100,
  });
  const silent = (reason: string) => outcomeOf((neg) => neg.error(reason));
  for (const reason of ["blocked: this query is too big", "RESULTS_TOO_BIG"]) {
    assert.deepEqual(await silent(reason), { type: "too-many", reason });
  }
});

Deno.test("reconcile() hands on why it is refused", async () => {
  const refusals = [
    ["blocked: you are not welcome", "blocked"],
    ["closed: you took too long to respond!", "none"],
    ["restricted: members only", "restricted"],
    ["PROTOCOL-ERROR", "none"],
  ] as const;
  for (const [reason, prefix] of refusals) {
    assert.deepEqual(
      await outcomeOf((neg) => neg.error(reason)),
      { type: "refused", prefix, reason },
    );
  }
  assert.deepEqual(
    await outcomeOf((neg) =>
      neg.send(JSON.stringify(["CLOSED", neg.subId, "error: busy"]))
    ),
    { type: "refused", prefix: "error", reason: "error: busy" },
  );
});

Deno.test("reconcile() knows a relay that does not know it: by silence, by NOTICE, by what it says", async () => {
  const silence = await outcomeOf(() => {}, { probeTimeoutMs: 100 });
  assert.deepEqual(silence, {
    type: "unsupported",
    detail: "nothing came for 100 ms after NEG-OPEN",
  });
  assert.deepEqual(await outcomeOf({}), {
    type: "unsupported",
    detail: "ERROR: bad msg: unknown cmd",
  });
  const detail = "unsupported: no such thing";
  assert.deepEqual(
    await outcomeOf((neg) => neg.error(detail)),
    { type: "unsupported", detail },
  );
});

Deno.test("a NOTICE that names negentropy is for it, also beside requests; another one is not", async () => {
  await using relay = await testRelay({
    events,
    negentropy: {
      onMessage: (neg) => {
        neg.notice("ERROR: you are too slow");
        neg.notice("negentropy disabled");
      },
    },
    onReq: () => {},
  });
  await using client = await connect(relay);
  const stop = new AbortController();
  const page = client.fetchPage({ limit: 1 }, {
    ...bounds,
    signal: stop.signal,
    maxEvents: 10,
  });
  await relay.received("REQ");
  assert.deepEqual(
    await reconcile(client, { filter: {}, keys: keysOf([]) }, bounds),
    {
      type: "unsupported",
      detail: "negentropy disabled",
    },
  );
  stop.abort();
  assert.equal((await page).outcome.type, "aborted");
});

Deno.test("reconcile() does not believe answers that are none", async () => {
  for (const answer of ["", "zz", "6", "60", "7f", "61ff", "6100"]) {
    const outcome = await outcomeOf((neg) => neg.answer(answer));
    assert.equal(outcome.type, "unsupported", answer);
  }
  const echo = await outcomeOf((neg) => neg.answer(neg.message));
  assert.equal(echo.type, "unsupported");
});

Deno.test("reconcile() says so when the relay does not confirm what was found", async () => {
  await using relay = await testRelay({
    negentropy: {
      onMessage: (neg) => {
        // It names one id, and then does not stand by it.
        if (neg.type === "NEG-OPEN") neg.answer(`6100000201${"ab".repeat(32)}`);
        else neg.answer(`61000001${"00".repeat(16)}`);
      },
    },
  });
  await using client = await connect(relay);
  const outcome = await reconcile(client, {
    filter: {},
    keys: keysOf(events.slice(0, 3)),
  }, bounds);
  assert.deepEqual(needOf(outcome), ["ab".repeat(32)]);
  assert.equal(reconciled(outcome).have.createdAt.length, 3);
  assert.equal(reconciled(outcome).isConfirmed, false);
});

Deno.test("reconcile() waits for a slow relay, but not forever", async () => {
  const halfway = await outcomeOf((neg) => {
    if (neg.nth === 1) neg.serve();
  }, { idleTimeoutMs: 100 });
  assert.deepEqual(halfway, {
    type: "timeout",
    detail: "nothing came for 100 ms",
  });
  const late = await outcomeOf((neg) => {
    setTimeout(() => neg.serve(), 60);
  }, { totalTimeoutMs: 50 });
  assert.deepEqual(late, {
    type: "timeout",
    detail: "not finished within 50 ms",
  });
});

Deno.test("reconcile() keeps to its bounds of bytes, ids and messages", async () => {
  const over = async (options: Partial<ReconcileOptions>) => {
    const outcome = await outcomeOf({ negentropy: {} }, options);
    return outcome.type === "over-budget" ? outcome.detail : outcome.type;
  };
  assert.equal(await over({ maxBytes: 2_000 }), "more than 2000 characters");
  assert.equal(await over({ maxIds: 50 }), "more than 50 ids to fetch");
  assert.equal(await over({ maxRounds: 1 }), "more than 1 messages");
});

Deno.test("reconcile() ends when the connection does, and when it is told to", async () => {
  const cut = await outcomeOf((neg) => neg.disconnect());
  assert(cut.type === "disconnected" && cut.failure.code === "closed");

  await using relay = await testRelay({
    events,
    negentropy: { onMessage: () => {} },
  });
  await using client = await connect(relay);
  const stop = new AbortController();
  const options = { ...bounds, signal: stop.signal };
  const run = reconcile(client, { filter: {}, keys: keysOf([]) }, options);
  await relay.received("NEG-OPEN");
  stop.abort();
  assert.deepEqual(await run, { type: "aborted" });
  await relay.received("NEG-CLOSE");
  const after = reconcile(client, { filter: {}, keys: keysOf([]) }, options);
  assert.deepEqual(await after, { type: "aborted" });

  const closing = reconcile(client, { filter: {}, keys: keysOf([]) }, bounds);
  await relay.received("NEG-OPEN", 2);
  await client.close();
  assert.deepEqual(await closing, { type: "aborted" });
  const closed = await reconcile(
    client,
    { filter: {}, keys: keysOf([]) },
    bounds,
  );
  assert.deepEqual(closed, { type: "aborted" });
});

Deno.test("reconcile() authenticates once when it has to", async () => {
  await using relay = await testRelay({
    events,
    negentropy: {},
    authRequired: "req",
  });
  await using stranger = await connect(relay);
  assert.deepEqual(
    await reconcile(stranger, { filter: {}, keys: keysOf([]) }, bounds),
    {
      type: "refused",
      prefix: "auth-required",
      reason: "auth-required: who are you?",
    },
  );
  await using client = await connect(relay, new Uint8Array(32).fill(7));
  const outcome = await reconcile(
    client,
    { filter: {}, keys: keysOf([]) },
    bounds,
  );
  assert.deepEqual(needOf(outcome), idsOf(events));
  assert.equal(relay.count("AUTH"), 1);
});
