import assert from "node:assert/strict";
import type { NostrEvent } from "../../../src/models/event.ts";
import type { Filter } from "../../../src/models/filter.ts";
import type {
  RelayClient,
  SubscribeOptions,
} from "../../../src/nips/client/relay_client.ts";
import type { ReqOutcome } from "../../../src/nips/client/req_outcome.ts";
import { asking, bounds, connectTo } from "../../support/client.ts";
import { failureOf, valueOf } from "../../support/dialing.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { testRelay } from "../../support/test_relay.ts";

const factory = eventFactory("client");
const events = Array.from(
  { length: 50 },
  (_, i) => factory.sign({ kind: i % 2 }),
).reverse();

Deno.test("fetchPage() gives what the relay has, in its order, unverified, and how it ended", async () => {
  const forged = { ...events[0], id: "0".repeat(64), sig: "nonsense" };
  await using relay = await testRelay({
    onReq: (req) => {
      req.send(JSON.stringify(["EVENT", req.subId, events[1]]));
      req.send(JSON.stringify(["EVENT", req.subId, forged]));
      req.send(JSON.stringify(["EVENT", req.subId, null]));
      req.eose();
    },
  });
  await using client = await connectTo(relay);
  const page = await client.fetchPage({ limit: 3 }, bounds);
  assert.deepEqual(page.events, [events[1], forged, null]);
  assert.deepEqual(page.outcome, { type: "eose" });
  assert(page.bytes > 500 && page.bytes < 2_000);
  const [, subId = "", ...filters] = await relay.received("REQ");
  assert.match(String(subId), /^\w{1,20}$/);
  assert.deepEqual(filters, [{ limit: 3 }]);
  assert.deepEqual(await relay.received("CLOSE"), ["CLOSE", subId]);
});

Deno.test("fetchPage() hands on the hints of NIP-67 and ignores what else stands there", async () => {
  await using relay = await testRelay({ events, eoseHint: true });
  await using client = await connectTo(relay);
  const outcome = async (limit: number) =>
    (await client.fetchPage({ limit }, bounds)).outcome;
  assert.deepEqual(await outcome(49), { type: "eose", hint: "more" });
  assert.deepEqual(await outcome(50), { type: "eose", hint: "finish" });

  await using odd = await testRelay({ onReq: (req) => req.eose({ a: 1 }, 2) });
  await using oddClient = await connectTo(odd);
  const page = await oddClient.fetchPage({}, bounds);
  assert.deepEqual(page.outcome, { type: "eose" });
});

Deno.test("subscribe() gives chunks and returns the outcome; several filters are one REQ", async () => {
  await using relay = await testRelay({ events });
  await using client = await connectTo(relay);
  const filters = [{ kinds: [0], limit: 5 }, { kinds: [1], limit: 5 }];
  const { events: got, outcome } = await collect(client, filters);
  assert.deepEqual(outcome, { type: "eose" });
  assert.equal(got.length, 10);
  assert.deepEqual((await relay.received("REQ")).slice(2), filters);
});

Deno.test("many requests share one connection, and each gets its own", async () => {
  await using relay = await testRelay({ events });
  await using client = await connectTo(relay);
  const pages = await Promise.all(
    events.map(({ id }) => client.fetchPage({ ids: [id] }, bounds)),
  );
  const ids = pages.map((page) => page.events.map(idOf));
  assert.deepEqual(ids, events.map(({ id }) => [id]));
  assert.equal(relay.requests.length, 1);
  assert.equal(client.stats.events, events.length);
});

Deno.test("no more than the allowed subscriptions are open at once; the rest wait in line", async () => {
  const waiting: (() => void)[] = [];
  await using relay = await testRelay({
    onReq: (req) => {
      waiting.push(() => req.eose());
    },
  });
  await using client = await connectTo(relay, { maxSubscriptions: 2 });
  const pages = [1, 2, 3].map(() => client.fetchPage({ limit: 1 }, bounds));
  await relay.received("REQ", 2);
  assert.equal(relay.count("REQ"), 2);
  waiting[0]?.();
  await relay.received("REQ", 3);
  assert.equal(relay.count("CLOSE"), 1, "the seat is free after its CLOSE");
  for (const answer of waiting) answer();
  await Promise.all(pages);
});

Deno.test("waiting in line ends with the signal, and with the connection", async () => {
  await using relay = await testRelay({ onReq: () => {} });
  const client = await connectTo(relay, { maxSubscriptions: 1 });
  const first = client.fetchPage({}, bounds);
  const stop = new AbortController();
  const stopped = client.fetchPage({}, { ...bounds, signal: stop.signal });
  const left = client.fetchPage({}, bounds);
  const generator = client.subscribe({}, bounds);
  const listening = generator.next();
  stop.abort();
  assert.deepEqual((await stopped).outcome, { type: "aborted" });
  await client.close();
  assert.deepEqual((await first).outcome, { type: "aborted" });
  assert.deepEqual((await left).outcome, { type: "aborted" });
  assert.deepEqual((await listening).value, { type: "aborted" });
  const late = await client.fetchPage({}, bounds);
  assert.deepEqual(late.outcome, { type: "aborted" });
});

Deno.test("a subscription that is left early is closed, and its seat is free", async () => {
  await using relay = await testRelay({ events });
  await using client = await connectTo(relay, { maxSubscriptions: 1 });
  for await (const _chunk of client.subscribe({ limit: 50 }, bounds)) break;
  await relay.received("CLOSE");
  const page = await client.fetchPage({ limit: 1 }, bounds);
  assert.equal(page.events.length, 1);
});

Deno.test("a request ends as aborted when its signal does, and CLOSE is sent", async () => {
  await using relay = await testRelay({
    onReq: (req) => req.events(events.slice(0, 2)),
  });
  await using client = await connectTo(relay);
  const stop = new AbortController();
  const { signal } = stop;
  const generator = client.subscribe({}, { ...bounds, signal });
  let got = 0;
  while (got < 2) got += lengthOf(await generator.next());
  stop.abort();
  const end = await generator.next();
  assert.deepEqual(end, { done: true, value: { type: "aborted" } });
  await relay.received("CLOSE");
});

Deno.test("a live subscription goes on after EOSE and tells of it", async () => {
  await using relay = await testRelay({ events, eoseHint: true });
  await using client = await connectTo(relay);
  const stop = new AbortController();
  const eose = Promise.withResolvers<string | undefined>();
  const live = client.subscribe({ kinds: [1], limit: 1 }, {
    ...bounds,
    signal: stop.signal,
    idleTimeoutMs: 1_000,
    totalTimeoutMs: 1_000,
    live: { onEose: eose.resolve },
  });
  const stored = await live.next();
  assert.deepEqual(stored.value, [events.find(({ kind }) => kind === 1)]);
  assert.equal(await eose.promise, "more");
  const fresh = factory.sign({ kind: 1 });
  relay.add([factory.sign({ kind: 7 }), fresh]);
  assert.deepEqual((await live.next()).value, [fresh]);
  stop.abort();
  assert.deepEqual((await live.next()).value, { type: "aborted" });
});

Deno.test("a live subscription knows no clock after EOSE", async () => {
  await using relay = await testRelay({ events });
  await using client = await connectTo(relay);
  const eose = Promise.withResolvers<void>();
  const live = client.subscribe({ limit: 1 }, {
    ...bounds,
    idleTimeoutMs: 50,
    totalTimeoutMs: 100,
    live: { onEose: () => eose.resolve() },
  });
  await live.next();
  await eose.promise;
  // Another relay runs into later deadlines meanwhile.
  await using silent = await testRelay({ onReq: () => {} });
  await using other = await connectTo(silent);
  await other.fetchPage({}, { ...bounds, idleTimeoutMs: 200 });
  relay.add([factory.sign()]);
  assert.equal(lengthOf(await live.next()), 1);
  await live.return({ type: "aborted" });
});

Deno.test("publish() gives the relay's verdict", async () => {
  const [event] = events;
  assert(event);
  await using relay = await testRelay();
  await using client = await connectTo(relay);
  const accepted = valueOf(await client.publish(event, asking));
  assert.deepEqual(accepted, { accepted: true, prefix: "none", message: "" });
  assert(relay.has(event.id));

  await using strict = await testRelay({
    onEvent: () => [false, "blocked: not you"],
  });
  await using refused = await connectTo(strict);
  assert.deepEqual(valueOf(await refused.publish(event, asking)), {
    accepted: false,
    prefix: "blocked",
    message: "blocked: not you",
  });
  await using silent = await testRelay({ onEvent: () => null });
  await using unanswered = await connectTo(silent);
  const late = await unanswered.publish(event, { ...asking, timeoutMs: 50 });
  failureOf(late, "timeout");
});

Deno.test("count() gives the number, or why there is none", async () => {
  await using relay = await testRelay({ events, countable: true });
  await using client = await connectTo(relay);
  const count = valueOf(await client.count({ kinds: [1] }, asking));
  assert.deepEqual(count, { count: 25, approximate: false });
  await using without = await testRelay({ events });
  await using plain = await connectTo(without);
  const refused = await plain.count({}, asking);
  assert.match(failureOf(refused, "protocol").detail, /unknown cmd/);
});

Deno.test("the end of the connection ends everything that waits for it, with the reason", async () => {
  await using relay = await testRelay({
    onReq: (req) => {
      if (req.nth === 2) req.disconnect();
    },
    onEvent: () => null,
  });
  await using client = await connectTo(relay);
  const [event] = events;
  assert(event);
  const publishing = client.publish(event, asking);
  const pages = [1, 2].map(() => client.fetchPage({}, bounds));
  for (const { outcome } of await Promise.all(pages)) {
    assert(outcome.type === "disconnected");
    assert.equal(outcome.failure.code, "closed");
  }
  failureOf(await publishing, "closed");
  const late = await client.fetchPage({}, bounds);
  assert.equal(late.outcome.type, "disconnected");
  failureOf(await client.count({}, asking), "closed");
  assert.equal((await client.closed).code, "closed");
});

Deno.test("the client takes a hundred thousand events without losing one or its memory", async () => {
  const [model] = events;
  assert(model);
  const many: NostrEvent[] = Array.from({ length: 100_000 }, (_, i) => ({
    ...model,
    id: i.toString(16).padStart(64, "0"),
    created_at: 1_700_000_000 + i,
  }));
  await using relay = await testRelay({ events: many });
  await using client = await connectTo(relay);
  const { events: got, outcome } = await collect(client, { limit: 100_000 }, {
    ...bounds,
    maxEvents: 100_000,
    maxBytes: 1e9,
  });
  assert.deepEqual(outcome, { type: "eose" });
  assert.equal(new Set(got.map(idOf)).size, 100_000);
});

async function collect(
  client: RelayClient,
  filters: Filter | readonly Filter[],
  options: SubscribeOptions = bounds,
): Promise<{ events: unknown[]; outcome: ReqOutcome }> {
  const collected: unknown[] = [];
  const generator = client.subscribe(filters, options);
  while (true) {
    const { done, value } = await generator.next();
    if (done) return { events: collected, outcome: value };
    for (const event of value) collected.push(event);
  }
}

function lengthOf(result: IteratorResult<unknown[], ReqOutcome>): number {
  assert(!result.done);
  return result.value.length;
}

function idOf(event: unknown): unknown {
  return typeof event === "object" && event !== null && "id" in event
    ? event.id
    : undefined;
}
