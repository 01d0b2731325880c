import assert from "node:assert/strict";
import { getPow } from "nostr-tools/nip13";
import { hasValidId, parseEvent } from "../../../src/models/event.ts";
import { measureRtt, type RttOptions } from "../../../src/nips/nip66/rtt.ts";
import { never, testDialer } from "../../support/dialing.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { type TestRelay, testRelay } from "../../support/test_relay.ts";

const secretKey = new Uint8Array(32).fill(5);
const event = eventFactory("rtt").sign({ kind: 1 });

Deno.test("measureRtt() opens, reads and writes over one connection", async () => {
  await using relay = await testRelay({ events: [event] });
  const { data, logs, failure } = await measure(relay, { secretKey });
  const names = ["rtt_open", "rtt_read", "rtt_write"];
  assert.deepEqual(Object.keys(data), names);
  for (const name of names) {
    assert(Number.isInteger(data[name]) && Number(data[name]) >= 0, name);
  }
  assert.deepEqual(logs, {
    open_success: true,
    read_success: true,
    write_success: true,
  });
  assert.equal(failure, null);
  assert.equal(relay.requests.length, 1);

  const [, sent] = await relay.received("EVENT");
  const parsed = parseEvent(sent);
  assert(parsed.ok && hasValidId(parsed.value));
  assert.equal(parsed.value.kind, 22_456);
  assert.deepEqual(parsed.value.tags, [["d", `${relay.url}/`]]);
});

Deno.test("measureRtt() takes an empty relay's EOSE for an answer", async () => {
  await using relay = await testRelay();
  const { data, logs } = await measure(relay);
  assert.deepEqual(Object.keys(data), ["rtt_open", "rtt_read"]);
  assert.deepEqual(logs, { open_success: true, read_success: true });
});

Deno.test("measureRtt() writes only with a key, and only when it may", async () => {
  await using relay = await testRelay();
  await measure(relay);
  await measure(relay, { secretKey, readOnly: true });
  assert.equal(relay.count("EVENT"), 0);
});

Deno.test("measureRtt() judges writing by the OK, and gives the relay's reason", async () => {
  await using strict = await testRelay({
    onEvent: () => [false, "blocked: members only"],
  });
  const refused = await measure(strict, { secretKey });
  assert.equal(refused.data["rtt_write"], undefined);
  assert.equal(refused.logs["write_success"], false);
  assert.equal(refused.logs["write_reason"], "blocked: members only");
  assert.equal(refused.failure, null);

  await using silent = await testRelay({ onEvent: () => null });
  const late = await measure(silent, { secretKey, timeoutMs: 200 });
  assert.match(String(late.logs["write_reason"]), /^timeout: EVENT/);
  assert.equal(late.failure, null, "the relay spoke: it is online");
});

Deno.test("measureRtt() does the work a relay wants, and refuses to do too much", async () => {
  await using relay = await testRelay();
  await measure(relay, { secretKey, minPow: 8 });
  const [, sent] = await relay.received("EVENT");
  const parsed = parseEvent(sent);
  assert(parsed.ok && hasValidId(parsed.value));
  assert(getPow(parsed.value.id) >= 8);
  const { logs } = await measure(relay, { secretKey, minPow: 60 });
  assert.equal(logs["write_reason"], "pow: 60 bits are not found in time");
  assert.equal(relay.count("EVENT"), 1);
});

Deno.test("measureRtt() tells a relay that refuses from one that is not there", async () => {
  await using closed = await testRelay({ authRequired: "all" });
  const refused = await measure(closed);
  assert.equal(refused.logs["read_reason"], "auth-required: who are you?");
  assert.equal(refused.failure, null);

  await using mute = await testRelay({ onReq: () => {} });
  const silent = await measure(mute, { timeoutMs: 100 });
  assert.equal(silent.logs["open_success"], true);
  assert.equal(silent.failure?.code, "timeout");

  await using gone = await testRelay({ upgrade: { status: 502 } });
  const absent = await measure(gone, { secretKey });
  assert.deepEqual(absent.data, {});
  for (const phase of ["open", "read", "write"]) {
    assert.equal(absent.logs[`${phase}_success`], false);
    assert.match(String(absent.logs[`${phase}_reason`]), /^http 502/);
  }
  assert.equal(absent.failure?.code, "http");
});

Deno.test("measureRtt() authenticates with its key where that is asked for", async () => {
  await using relay = await testRelay({ authRequired: "all" });
  const { logs } = await measure(relay, { secretKey });
  assert.deepEqual(logs, {
    open_success: true,
    read_success: true,
    read_authenticated: true,
    write_success: true,
    write_authenticated: true,
  });
});

function measure(
  { relay }: TestRelay,
  options: Partial<RttOptions> = {},
) {
  return measureRtt(testDialer(), relay, {
    signal: never,
    timeoutMs: 20_000,
    ...options,
  });
}
