import assert from "node:assert/strict";
import { AddressSlots } from "../../../src/transport/connection_limits.ts";

const OPTIONS = { timeoutMs: 10_000, signal: new AbortController().signal };

Deno.test("AddressSeats gives each of two seats freed at once to one of those in line", async () => {
  const slots = new AddressSlots(2);
  await take(slots);
  await take(slots);
  const inLine = [take(slots), take(slots)];
  slots.free(["a"]);
  slots.free(["a"]);
  await Promise.all(inLine);
  // Were a seat lost on the way, nobody would ever get it again.
  slots.free(["a"]);
  slots.free(["a"]);
  await Promise.all([take(slots), take(slots)]);
});

Deno.test("AddressSeats loses no seat to somebody who leaves the line as it is freed", async () => {
  const slots = new AddressSlots(1);
  await take(slots);
  const leaving = new AbortController();
  const left = slots.take(["a"], { ...OPTIONS, signal: leaving.signal });
  leaving.abort();
  slots.free(["a"]);
  assert.equal((await left).ok, false);
  await take(slots);
});

Deno.test("AddressSeats says busy when no seat is freed in time", async () => {
  const slots = new AddressSlots(1);
  await take(slots);
  const late = await slots.take(["a"], { ...OPTIONS, timeoutMs: 1 });
  assert.equal(late.ok ? "" : late.failure.code, "busy");
});

async function take(slots: AddressSlots): Promise<void> {
  const taken = await slots.take(["a"], OPTIONS);
  assert.deepEqual(taken, { ok: true, value: ["a"] });
}
