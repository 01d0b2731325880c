import assert from "node:assert/strict";
import { AddressSeats } from "../../../src/transport/manners.ts";

const OPTIONS = { timeoutMs: 10_000, signal: new AbortController().signal };

Deno.test("AddressSeats gives each of two seats freed at once to one of those in line", async () => {
  const seats = new AddressSeats(2);
  await take(seats);
  await take(seats);
  const inLine = [take(seats), take(seats)];
  seats.free(["a"]);
  seats.free(["a"]);
  await Promise.all(inLine);
  // Were a seat lost on the way, nobody would ever get it again.
  seats.free(["a"]);
  seats.free(["a"]);
  await Promise.all([take(seats), take(seats)]);
});

Deno.test("AddressSeats loses no seat to somebody who leaves the line as it is freed", async () => {
  const seats = new AddressSeats(1);
  await take(seats);
  const leaving = new AbortController();
  const left = seats.take(["a"], { ...OPTIONS, signal: leaving.signal });
  leaving.abort();
  seats.free(["a"]);
  assert.equal((await left).ok, false);
  await take(seats);
});

Deno.test("AddressSeats says busy when no seat is freed in time", async () => {
  const seats = new AddressSeats(1);
  await take(seats);
  const late = await seats.take(["a"], { ...OPTIONS, timeoutMs: 1 });
  assert.equal(late.ok ? "" : late.failure.code, "busy");
});

async function take(seats: AddressSeats): Promise<void> {
  const taken = await seats.take(["a"], OPTIONS);
  assert.deepEqual(taken, { ok: true, value: ["a"] });
}
