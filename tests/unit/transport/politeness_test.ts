import assert from "node:assert/strict";
import {
  AddressSlots,
  connectionRate,
  takeWhereFree,
} from "../../../src/transport/politeness.ts";

const OPTIONS = { timeoutMs: 10_000, signal: new AbortController().signal };

Deno.test("AddressSlots gives each of two slots freed at once to one of those that wait", async () => {
  const slots = new AddressSlots(2);
  await acquire(slots);
  await acquire(slots);
  const waiting = [acquire(slots), acquire(slots)];
  slots.release(["a"]);
  slots.release(["a"]);
  await Promise.all(waiting);
  // Were a slot lost on the way, nobody would ever get it again.
  slots.release(["a"]);
  slots.release(["a"]);
  await Promise.all([acquire(slots), acquire(slots)]);
});

Deno.test("AddressSlots loses no slot to a caller that gives up as it is freed", async () => {
  const slots = new AddressSlots(1);
  await acquire(slots);
  const leaving = new AbortController();
  const left = slots.acquire(["a"], { ...OPTIONS, signal: leaving.signal });
  leaving.abort();
  slots.release(["a"]);
  assert.equal((await left).ok, false);
  await acquire(slots);
});

Deno.test("AddressSlots says busy when no slot is freed in time", async () => {
  const slots = new AddressSlots(1);
  await acquire(slots);
  const late = await slots.acquire(["a"], { ...OPTIONS, timeoutMs: 1 });
  assert.equal(late.ok ? "" : late.failure.code, "busy");
});

Deno.test("AddressSlots says busy at once to whoever does not wait, and lets nobody pass who waits", async () => {
  const slots = new AddressSlots(1);
  const atOnce = { ...OPTIONS, timeoutMs: 0, authority: "x.test" };
  assert.equal((await slots.acquire(["a"], atOnce)).ok, true);
  assert.equal((await slots.acquire(["a"], atOnce)).ok, false);
  const waiting = acquire(slots);
  slots.release(["a"]);
  assert.equal((await slots.acquire(["a"], atOnce)).ok, false);
  await waiting;
});

Deno.test("AddressSlots knows which authorities find no slot", async () => {
  const slots = new AddressSlots(2);
  const at = (authority: string, ...addresses: string[]) =>
    slots.acquire(addresses, { ...OPTIONS, timeoutMs: 0, authority });
  await at("one.test", "a", "b");
  assert.deepEqual(slots.full(), []);
  await at("two.test:81", "a");
  await at("three.test", "c");
  // Two of a, one of b, one of c.
  assert.deepEqual(slots.full(), ["two.test:81"]);
  assert.equal(slots.isFull("one.test"), false);
  await at("four.test", "b");
  assert.deepEqual(
    new Set(slots.full()),
    new Set(["one.test", "two.test:81", "four.test"]),
  );
  slots.release(["b"]);
  assert.deepEqual(slots.full(), ["two.test:81"]);
  assert.equal(slots.isFull("never.test"), false);
});

Deno.test("takeWhereFree() leaves full addresses out, and asks again when a slot is given back", async () => {
  const slots = new AddressSlots(1);
  const { signal } = OPTIONS;
  await slots.acquire(["a"], { ...OPTIONS, authority: "x.test" });
  const asked: (readonly string[])[] = [];
  const take = (taken: readonly number[]) =>
    takeWhereFree(slots, ({ exceptAuthorities, perAuthority }) => {
      assert.equal(perAuthority, 1);
      asked.push(exceptAuthorities);
      return Promise.resolve(exceptAuthorities.length === 0 ? [1] : taken);
    }, { once: false, signal });
  assert.deepEqual(await take([2]), [2]);
  assert.deepEqual(asked.splice(0), [["x.test"]]);
  const later = take([]);
  slots.release(["a"]);
  assert.deepEqual(await later, [1]);
  assert.deepEqual(asked.splice(0), [["x.test"], []]);
  await slots.acquire(["a"], { ...OPTIONS, authority: "x.test" });
  assert.deepEqual(await take([]), [], "it is not waited for long");
});

Deno.test("connectionRate() never lets more than its number through in any minute", () => {
  const rate = connectionRate(60, 0);
  const opened: number[] = [];
  // As many as possible for three minutes: each connection is made when it may be.
  for (let nowMs = 0; nowMs < 180_000;) {
    nowMs += rate.take(1, nowMs);
    opened.push(nowMs);
  }
  assert.equal(opened.filter((at) => at === 0).length, 10);
  for (const start of opened) {
    const inMinute = opened.filter((at) => at >= start && at < start + 60_000);
    assert(inMinute.length <= 60, `${inMinute.length} from ${start}`);
  }
  assert(opened.length > 150);
});

Deno.test("connectionRate() makes a connection wait no longer than its token takes", () => {
  const rate = connectionRate(6, 0);
  assert.equal(rate.take(1, 0), 0);
  const waitMs = rate.take(1, 0);
  assert(waitMs > 0);
  assert.equal(rate.take(1, 2 * waitMs + 1), 0);
});

async function acquire(slots: AddressSlots): Promise<void> {
  const taken = await slots.acquire(["a"], OPTIONS);
  assert.deepEqual(taken, { ok: true, value: ["a"] });
}
