import assert from "node:assert/strict";
import { Semaphore } from "../../../src/base/semaphore.ts";

const { signal } = new AbortController();

Deno.test("Semaphore gives a released permit to the caller that has waited longest", async () => {
  const semaphore = new Semaphore(1);
  assert.equal(await semaphore.acquire(signal), true);
  const order: string[] = [];
  const waiting = ["first", "second"].map(async (name) => {
    assert.equal(await semaphore.acquire(signal), true);
    order.push(name);
    semaphore.release();
  });
  semaphore.release();
  await Promise.all(waiting);
  assert.deepEqual(order, ["first", "second"]);
  assert.equal(await semaphore.acquire(signal), true);
});

Deno.test("Semaphore loses no permit to a caller that gives up", async () => {
  const semaphore = new Semaphore(1);
  await semaphore.acquire(signal);
  const leaving = new AbortController();
  const left = semaphore.acquire(leaving.signal);
  const next = semaphore.acquire(signal);
  leaving.abort();
  assert.equal(await left, false);
  semaphore.release();
  assert.equal(await next, true);
});

Deno.test("Semaphore refuses all once it is closed", async () => {
  const semaphore = new Semaphore(1);
  await semaphore.acquire(signal);
  const waiting = semaphore.acquire(signal);
  semaphore.close();
  assert.equal(await waiting, false);
  semaphore.release();
  assert.equal(await semaphore.acquire(signal), false);
});
