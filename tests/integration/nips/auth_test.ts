import assert from "node:assert/strict";
import { parseEvent } from "../../../src/models/event.ts";
import { asking, bounds, connectTo } from "../../support/client.ts";
import { failureOf, valueOf } from "../../support/dialing.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { testRelay } from "../../support/test_relay.ts";
import type { RelayScript } from "../../support/test_relay_script.ts";

const event = eventFactory("auth").sign();
const authKey = new Uint8Array(32).fill(3);
const CHALLENGE = '["AUTH","abc"]';

Deno.test("a REQ refused for want of authentication is repeated once after it", async () => {
  await using relay = await testRelay({ events: [event], authRequired: "req" });
  await using client = await connectTo(relay, { authKey });
  const page = await client.fetchPage({ limit: 1 }, bounds);
  assert.deepEqual(page.events, [event]);
  assert.deepEqual(page.outcome, { type: "eose" });
  assert.equal(relay.count("REQ"), 2);

  const [, auth] = await relay.received("AUTH");
  const parsed = parseEvent(auth);
  assert(parsed.ok);
  assert.equal(parsed.value.kind, 22_242);
  assert.deepEqual(parsed.value.tags, [
    ["relay", `${relay.url}/`],
    ["challenge", "challenge-1-1"],
  ]);
  await client.fetchPage({ limit: 1 }, bounds);
  assert.equal(client.stats.auths, 1);
});

Deno.test("several requests refused at once share one authentication", async () => {
  await using relay = await testRelay({
    events: [event],
    authRequired: "all",
    countable: true,
  });
  await using client = await connectTo(relay, { authKey });
  const pages = [1, 2, 3].map(() => client.fetchPage({ limit: 1 }, bounds));
  for (const { events } of await Promise.all(pages)) {
    assert.deepEqual(events, [event]);
  }
  assert.equal(client.stats.auths, 1);
});

Deno.test("nobody authenticates unasked, nor without a key", async () => {
  await using relay = await testRelay({ authRequired: "req" });
  await using client = await connectTo(relay);
  const { outcome } = await client.fetchPage({}, bounds);
  assert.deepEqual(outcome, {
    type: "closed",
    prefix: "auth-required",
    reason: "auth-required: who are you?",
  });
  await using open = await testRelay({ greeting: ['["AUTH","abc"]'] });
  await using quiet = await connectTo(open, { authKey });
  await quiet.fetchPage({}, bounds);
  assert.equal(relay.count("AUTH") + open.count("AUTH"), 0);
});

Deno.test("who authenticates and is refused all the same is told so", async () => {
  for (const authAnswer of ["reject", "restricted"] as const) {
    await using relay = await testRelay({ authRequired: "req", authAnswer });
    await using client = await connectTo(relay, { authKey });
    const { outcome } = await client.fetchPage({}, bounds);
    assert(outcome.type === "closed");
    assert.equal(outcome.prefix, "auth-required");
    assert.equal(relay.count("REQ"), 1);
  }
});

Deno.test("a relay that asks again and again is answered a few times only", async () => {
  await using relay = await testRelay({
    authRequired: "req",
    authAnswer: "again",
  });
  await using client = await connectTo(relay, { authKey, maxAuths: 2 });
  for (let request = 0; request < 5; request++) {
    const { outcome } = await client.fetchPage({}, bounds);
    assert(outcome.type === "closed");
  }
  assert.equal(relay.count("AUTH"), 2);
});

Deno.test("a flood of challenges costs nothing", async () => {
  const challenge = JSON.stringify(["AUTH", "x"]);
  await using relay = await testRelay({
    events: [event],
    greeting: Array.from({ length: 5_000 }, () => challenge),
  });
  await using client = await connectTo(relay, { authKey });
  const { outcome } = await client.fetchPage({ limit: 1 }, bounds);
  assert.deepEqual(outcome, { type: "eose" });
  assert.equal(relay.count("AUTH"), 0);
});

Deno.test("a REQ that stays silent while a challenge is open is repeated after authentication, before it is given up", async () => {
  await using relay = await testRelay({
    events: [event],
    greeting: [CHALLENGE],
    onReq: async (req) => {
      if (req.isAuthenticated()) await req.serve();
    },
  });
  await using client = await connectTo(relay, { authKey });
  const impatient = { ...bounds, idleTimeoutMs: 400 };
  const page = await client.fetchPage({ limit: 1 }, impatient);
  assert.deepEqual([page.events, page.outcome], [[event], { type: "eose" }]);
  assert.deepEqual([relay.count("AUTH"), relay.count("REQ")], [1, 2]);

  await using nobody = await connectTo(relay);
  const { outcome } = await nobody.fetchPage({ limit: 1 }, impatient);
  assert.equal(outcome.type, "timeout");
  assert.equal(relay.count("AUTH"), 1);
});

Deno.test("where challenges are answered at once, an answer from before is outdated", async () => {
  await using relay = await testRelay({
    events: [event],
    onReq: async (req) => {
      if (req.nth === 1) req.send(CHALLENGE);
      await req.serve();
    },
  });
  const authPolicy = "when-challenged";
  await using client = await connectTo(relay, { authKey, authPolicy });
  const first = await client.fetchPage({ limit: 1 }, bounds);
  assert.deepEqual(first.outcome, { type: "eose", isOutdated: true });
  const second = await client.fetchPage({ limit: 1 }, bounds);
  assert.deepEqual(second.outcome, { type: "eose" });
  assert.equal(relay.count("AUTH"), 1);
});

Deno.test("where challenges are answered at once, the one that greets is answered before anything is asked", async () => {
  await using relay = await testRelay({ greeting: [CHALLENGE, CHALLENGE] });
  const authPolicy = "when-challenged";
  await using client = await connectTo(relay, { authKey, authPolicy });
  assert.equal(relay.count("AUTH"), 1);
  const { outcome } = await client.fetchPage({ limit: 1 }, bounds);
  assert.deepEqual(outcome, { type: "eose" });

  await using strict = await testRelay({
    greeting: [CHALLENGE],
    authAnswer: "reject",
  });
  await using refused = await connectTo(strict, { authKey, authPolicy });
  const page = await refused.fetchPage({ limit: 1 }, bounds);
  assert.deepEqual(page.outcome, { type: "eose" }, "no better is to be had");
});

Deno.test("an AUTH that gets no OK counts when the relay answers all the same", async () => {
  await using relay = await testRelay({
    events: [event],
    authRequired: "req",
    authAnswer: "silent",
  });
  await using client = await connectTo(relay, { authKey, authTimeoutMs: 50 });
  const page = await client.fetchPage({ limit: 1 }, bounds);
  assert.deepEqual(page.events, [event]);
});

Deno.test("publish() and count() authenticate when they have to", async () => {
  const script: RelayScript = { authRequired: "event", countable: true };
  await using relay = await testRelay(script);
  await using client = await connectTo(relay, { authKey });
  const verdict = valueOf(await client.publish(event, asking));
  assert.equal(verdict.accepted, true);
  assert.equal(relay.count("EVENT"), 2);
  await using nobody = await connectTo(relay);
  const refused = valueOf(await nobody.publish(event, asking));
  assert.equal(refused.prefix, "auth-required");

  await using counting = await testRelay({ ...script, authRequired: "all" });
  await using counter = await connectTo(counting, { authKey });
  assert.equal(valueOf(await counter.count({}, asking)).count, 0);
  await using stranger = await connectTo(counting);
  failureOf(await stranger.count({}, asking), "auth-required");
});
