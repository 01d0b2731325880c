import assert from "node:assert/strict";
import { handshake } from "../../../src/nips/client/handshake.ts";
import {
  failureOf,
  never,
  testDialer,
  valueOf,
} from "../../support/dialing.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { testRelay } from "../../support/test_relay.ts";
import type { RelayScript } from "../../support/test_relay_script.ts";

const event = eventFactory("handshake").sign({ kind: 1 });

Deno.test("handshake() takes any answer for one that only a relay gives", async () => {
  const scripts: [RelayScript, string][] = [
    [{ events: [event] }, "event"],
    [{}, "eose"],
    [{ onReq: (req) => req.closed("restricted: no") }, "closed"],
    [{ authRequired: "all" }, "auth"],
    [{ onReq: (req) => req.notice("ERROR: no") }, "notice"],
    [{ greeting: ["hello", '{"a":1}', '["WELCOME"]'] }, "eose"],
  ];
  for (const [script, answeredBy] of scripts) {
    await using relay = await testRelay(script);
    const answer = valueOf(await shake(relay));
    assert.equal(answer.answeredBy, answeredBy);
    assert(answer.openMs >= 0 && answer.answerMs >= 0);
    await relay.idle();
  }
});

Deno.test("handshake() is not taken in by other servers", async () => {
  await using echo = await testRelay({
    onReq: (req) => req.send(`["REQ","${req.subId}",{}]`),
  });
  failureOf(await shake(echo, 100), "timeout");
  await using chatty = await testRelay({
    onReq: (req) => {
      for (let i = 0; i < 200; i++) req.send("hello");
    },
  });
  failureOf(await shake(chatty), "protocol");
  await using silent = await testRelay({ onReq: () => {} });
  const late = failureOf(await shake(silent, 100), "timeout");
  assert.match(late.detail, /^answer: /);
  await using leaving = await testRelay({ onReq: (req) => req.disconnect() });
  failureOf(await shake(leaving), "closed");
  await using website = await testRelay({ upgrade: { status: 200 } });
  failureOf(await shake(website), "http");
});

Deno.test("handshake() bears a hundred messages that are no answer, and not one more", async () => {
  const no = [
    "hello",
    "",
    "[]",
    '["EOSE"]',
    '["OK","x",true,""]',
    '["COUNT","handshake",{"count":1}]',
    '["NEG-MSG","handshake","61"]',
    '["eose","handshake"]',
  ];
  for (const strange of [100, 101]) {
    await using relay = await testRelay({
      onReq: (req) => {
        for (let i = 0; i < strange; i++) req.send(no[i % no.length]!);
        req.eose();
      },
    });
    const answer = await shake(relay);
    if (strange === 100) assert.equal(valueOf(answer).answeredBy, "eose");
    else failureOf(answer, "protocol");
  }
});

Deno.test("handshake() stops at once when told to", async () => {
  await using relay = await testRelay({ onReq: () => {} });
  const stop = new AbortController();
  const shaking = handshake(testDialer(), relay.relay, {
    signal: stop.signal,
    timeoutMs: 20_000,
  });
  await relay.received("REQ");
  stop.abort();
  failureOf(await shaking, "aborted");
  await relay.idle();
});

function shake(
  { relay }: Pick<Awaited<ReturnType<typeof testRelay>>, "relay">,
  timeoutMs = 20_000,
) {
  return handshake(testDialer(), relay, { signal: never, timeoutMs });
}
