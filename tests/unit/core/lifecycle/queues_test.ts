import assert from "node:assert/strict";
import { workInQueues } from "../../../../src/core/lifecycle/queues.ts";

const NEVER = new AbortController().signal;

Deno.test("workInLanes() does every item of every lane once", async () => {
  const source = sourceOf({ fast: 57, slow: 3 });
  const done: string[] = [];
  const left = await workInQueues({
    slots: { fast: 4, slow: 1 },
    askAgainMs: 60_000,
    take: source.take,
    work: (item) => Promise.resolve(void done.push(item)),
  }, NEVER);
  assert.deepEqual(left, []);
  assert.equal(new Set(done).size, 60);
  assert.equal(done.length, 60);
});

Deno.test("workInLanes() fills the slots of a lane and no more", async () => {
  const source = sourceOf({ a: 20 });
  let running = 0;
  let most = 0;
  await workInQueues({
    slots: { a: 3 },
    askAgainMs: 60_000,
    take: source.take,
    work: async () => {
      most = Math.max(most, ++running);
      await Promise.resolve();
      running -= 1;
    },
  }, NEVER);
  assert.equal(most, 3);
});

Deno.test("workInLanes() lets a slow item delay nobody, in its lane or beside it", async () => {
  const source = sourceOf({ a: 50, b: 50 });
  const slow = Promise.withResolvers<void>();
  let others = 0;
  await workInQueues({
    slots: { a: 2, b: 1 },
    askAgainMs: 60_000,
    take: source.take,
    work: async (item) => {
      if (item === "a0") return await slow.promise;
      others += 1;
      // Only when all the others are done does the slow one end: a barrier would never get here.
      if (others === 99) slow.resolve();
    },
  }, NEVER);
  assert.equal(others, 99);
});

Deno.test("workInLanes() asks an empty lane again while another has work", async () => {
  const slow = Promise.withResolvers<void>();
  let asked = 0;
  const done: string[] = [];
  await workInQueues<"a" | "b", string>({
    slots: { a: 1, b: 1 },
    askAgainMs: 1,
    take: (queue) => {
      if (queue === "b") return Promise.resolve(asked++ === 2 ? ["late"] : []);
      return Promise.resolve(done.length === 0 && asked < 2 ? ["slow"] : []);
    },
    work: async (item) => {
      if (item === "slow") await slow.promise;
      else slow.resolve();
      done.push(item);
    },
  }, NEVER);
  assert.deepEqual(done, ["late", "slow"]);
});

Deno.test("workInLanes() returns what it took and did not begin when it is stopped", async () => {
  const stop = new AbortController();
  const source = sourceOf({ a: 10 });
  const begun: string[] = [];
  const left = await workInQueues({
    slots: { a: 2 },
    askAgainMs: 60_000,
    take: source.take,
    work: (item, signal) => {
      begun.push(item);
      if (begun.length === 2) stop.abort();
      if (signal.aborted) return Promise.resolve();
      return new Promise((resolve) =>
        signal.addEventListener("abort", () => resolve())
      );
    },
  }, stop.signal);
  assert.deepEqual(begun, ["a0", "a1"]);
  assert.deepEqual(left, ["a2", "a3"]);
});

Deno.test("workInLanes() ends at once when it is stopped while every lane only waits for one slow item", async () => {
  const stop = new AbortController();
  const source = sourceOf({ a: 1, b: 0 });
  await workInQueues({
    slots: { a: 3, b: 3 },
    askAgainMs: 60_000,
    take: source.take,
    work: (_item, signal) => {
      queueMicrotask(() => stop.abort());
      return new Promise((resolve) =>
        signal.addEventListener("abort", () => resolve())
      );
    },
  }, stop.signal);
});

Deno.test("workInLanes() throws what an item threw, after the others have ended", async () => {
  const source = sourceOf({ a: 5, b: 5 });
  let ended = 0;
  const run = workInQueues({
    slots: { a: 2, b: 2 },
    askAgainMs: 60_000,
    take: source.take,
    work: async (item, signal) => {
      if (item === "b1") throw new Error("ours");
      if (!signal.aborted) {
        await new Promise<void>((resolve) =>
          signal.addEventListener("abort", () => resolve())
        );
      }
      ended += 1;
    },
  }, NEVER);
  await assert.rejects(run, /^Error: ours$/);
  assert.equal(ended, 3);
});

Deno.test("workInLanes() throws what the source threw", async () => {
  const run = workInQueues({
    slots: { a: 2 },
    askAgainMs: 60_000,
    take: () => Promise.reject(new Error("no database")),
    work: () => Promise.resolve(),
  }, NEVER);
  await assert.rejects(run, /^Error: no database$/);
});

/** `a0`, `a1`, … of each lane, given out as asked. */
function sourceOf<L extends string>(counts: Readonly<Record<L, number>>) {
  const given = new Map<L, number>();
  return {
    take(queue: L, count: number): Promise<readonly string[]> {
      const from = given.get(queue) ?? 0;
      const until = Math.min(counts[queue], from + count);
      given.set(queue, until);
      const items = Array.from(
        { length: until - from },
        (_, i) => `${queue}${from + i}`,
      );
      return Promise.resolve(items);
    },
  };
}
