import assert from "node:assert/strict";
import { Subscription } from "../../../../src/nips/client/subscription.ts";
import type { SubscribeOptions } from "../../../../src/nips/client/relay_client.ts";
import type { ReqOutcome } from "../../../../src/nips/client/req_outcome.ts";
import { Unread } from "../../../../src/nips/client/unread.ts";

const OLD = { created_at: 1_700_000_000 };

Deno.test("Subscription gives what came in order and then its end, and gives memory back when it is taken", async () => {
  const { subscription, taken } = open();
  assert.equal(subscription.push("a", 10, 30), 30);
  assert.equal(subscription.pushUnread("garbled", {}, 50), 100);
  assert.equal(subscription.push("b", 10), 10);
  subscription.eose("finish");
  const payloads = await subscription.take();
  assert(Array.isArray(payloads));
  assert.deepEqual(payloads.map((it) => it instanceof Unread ? "?" : it), [
    "a",
    "?",
    "b",
  ]);
  assert.deepEqual(taken, [140]);
  assert.deepEqual(await subscription.take(), {
    type: "eose",
    hint: "finish",
  });
  assert.equal(subscription.bytes, 70);
  assert.equal(subscription.unread, 1);
});

Deno.test("Subscription ends at its budget of events and of characters, and takes nothing after it", async () => {
  const many = open({ maxEvents: 2 });
  for (const payload of ["a", "b", "c"]) many.subscription.push(payload, 1);
  assert.deepEqual(many.ends, [["over-budget", false]]);
  assert.deepEqual(await many.subscription.take(), ["a", "b"]);
  assert.equal(many.subscription.push("d", 1), 0);

  const long = open({ maxBytes: 10 });
  assert.equal(long.subscription.push("a", 11), 0);
  const end = await long.subscription.take();
  assert(!Array.isArray(end) && end.type === "over-budget");
  assert.equal(end.detail, "more than 10 characters came");
});

Deno.test("Subscription lingers for what comes late, which takes the hint back", async () => {
  const { subscription, ends } = open({ lingerMs: 20 });
  subscription.eose("finish");
  assert.equal(subscription.hasEnded, false);
  subscription.push(OLD, 1);
  subscription.push({ created_at: Math.floor(Date.now() / 1_000) }, 1);
  const payloads = await subscription.take();
  assert(Array.isArray(payloads) && payloads.length === 2);
  assert.deepEqual(await subscription.take(), { type: "eose", late: 1 });
  assert.deepEqual(ends, [["eose", false]]);
});

Deno.test("Subscription lingers no longer than five times, however much comes", async () => {
  const { subscription } = open({ lingerMs: 20 });
  subscription.eose(undefined);
  const flood = setInterval(() => subscription.push(OLD, 1), 2);
  const startedAt = performance.now();
  while (Array.isArray(await subscription.take()));
  clearInterval(flood);
  const tookMs = performance.now() - startedAt;
  assert(tookMs >= 90 && tookMs < 5_000, `${tookMs} ms`);
});

Deno.test("Subscription that is live goes on after EOSE, and tells of signs of life when what came before is taken", async () => {
  const signs: (number | string)[] = [];
  const { subscription } = open({
    live: {
      onEose: () => signs.push("eose"),
      onAlive: (sentAt) => signs.push(sentAt),
    },
  });
  const chunks = subscription.chunks();
  subscription.alive(1);
  subscription.push("stored", 1);
  subscription.eose(undefined);
  subscription.alive(2);
  assert.deepEqual((await chunks.next()).value, ["stored"]);
  assert.deepEqual(signs, ["eose"], "it is not taken before more is asked");
  const next = chunks.next();
  subscription.push("new", 1);
  assert.deepEqual((await next).value, ["new"]);
  assert.deepEqual(signs, ["eose", 2]);
  await chunks.return({ type: "aborted" });
  assert.equal(subscription.hasEnded, true);
});

Deno.test("Subscription repeats once, and ends once: silently when it is told to stop before it began", () => {
  const { subscription, ends } = open();
  assert.equal(subscription.mayRepeat(), true);
  assert.equal(subscription.mayRepeat(), false);
  subscription.end({ type: "aborted" });
  subscription.end({ type: "eose" });
  assert.deepEqual(ends, [["aborted", false]]);
  assert.equal(open().subscription.mayRepeat(), true);

  const stopped = open({ signal: AbortSignal.abort() });
  assert.deepEqual(stopped.ends, [["aborted", true]]);
});

/** A subscription that nothing but the test ends; it is ended with the test at the latest. */
function open(options: Partial<SubscribeOptions> = {}) {
  const ends: [ReqOutcome["type"], boolean][] = [];
  const taken: number[] = [];
  const stop = new AbortController();
  const subscription = new Subscription({
    signal: stop.signal,
    idleTimeoutMs: 60_000,
    totalTimeoutMs: 60_000,
    maxEvents: 1_000_000,
    maxBytes: 1e9,
    ...options,
  }, {
    id: "bb1",
    request: "[]",
    ended: ({ type }, silently) => ends.push([type, silently]),
    silent: () => {},
    taken: (bytes) => taken.push(bytes),
    isWithholding: () => false,
  });
  opened.push(subscription);
  return { subscription, ends, taken };
}

const opened: Subscription[] = [];
Deno.test.afterEach(() => {
  for (const subscription of opened.splice(0)) {
    subscription.end({ type: "aborted" });
  }
});
