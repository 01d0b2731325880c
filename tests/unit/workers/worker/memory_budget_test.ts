import assert from "node:assert/strict";
import { BatchBuilder } from "../../../../src/workers/ingest/batch_builder.ts";
import { EventQueue } from "../../../../src/workers/ingest/event_queue.ts";
import { memoryBudget } from "../../../../src/workers/worker/memory_budget.ts";
import { fake } from "../walk/simulated_events.ts";

const MIB = 2 ** 20;

Deno.test("shareOf() divides what may be held among the sessions, within bounds", () => {
  assert.equal(memoryBudget(16 * MIB, 16), MIB);
  assert.equal(memoryBudget(16 * MIB, 1), 8 * MIB);
  assert.equal(memoryBudget(16 * MIB, 0), 8 * MIB);
  assert(memoryBudget(16 * MIB, 100) * 100 <= 16 * MIB);
  assert(memoryBudget(16 * MIB, 100_000) > 0);
});

Deno.test("a smaller share means less in the queue and in the batch", () => {
  const held = [1, 100].map((sessions) => {
    const budget = () => memoryBudget(16 * MIB, sessions);
    const bounds = {
      batchEvents: 10_000,
      batchBytes: 64 * MIB,
      allowPrivate: false,
    };
    const batch = new BatchBuilder(bounds, budget);
    let events = 0;
    while (!batch.isFull) batch.add(fake({ createdAt: ++events }));
    return events;
  });
  assert(held[0]! > 10 * held[1]!, held.join());
});

Deno.test("EventQueue holds its reader back when the share is used up", async () => {
  let budget = Infinity;
  const queue = new EventQueue(() => budget);
  for (let i = 0; i < 500; i++) queue.push(fake({ createdAt: i }));
  await queue.room();
  budget = 100_000;
  let hasRoom = false;
  const waiting = queue.room().then(() => hasRoom = true);
  await Promise.resolve();
  assert.equal(hasRoom, false);
  await queue.take(0);
  await queue.take(0);
  await waiting;
});
