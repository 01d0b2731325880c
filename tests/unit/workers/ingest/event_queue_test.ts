import assert from "node:assert/strict";
import type { NostrEvent } from "../../../../src/models/event.ts";
import {
  EventQueue,
  type Finding,
} from "../../../../src/workers/ingest/event_queue.ts";

Deno.test("EventQueue keeps findings behind the events they rest on", async () => {
  const queue = new EventQueue(() => Infinity);
  queue.push(event(1));
  queue.push(event(2));
  queue.note(finding(1));
  queue.push(event(3));
  queue.note(finding(2));
  queue.close();
  const seen: unknown[] = [];
  for (;;) {
    const group = await queue.take(10);
    if (group === null || typeof group === "string") break;
    seen.push([
      group.events.map(({ created_at }) => created_at),
      group.findings.map(sinceOf),
    ]);
  }
  assert.deepEqual(seen, [[[1, 2], [1]], [[3], [2]]]);
});

Deno.test("EventQueue gives groups that can be worked on without blocking a thread for long", async () => {
  const queue = new EventQueue(() => Infinity);
  for (let i = 0; i < 600; i++) queue.push(event(i));
  const group = await queue.take(10);
  assert.ok(group !== null && typeof group !== "string");
  assert.equal(group.events.length, 250);
});

Deno.test("EventQueue says when nothing comes, and when nothing will", async () => {
  const queue = new EventQueue(() => Infinity);
  assert.equal(await queue.take(1), "idle");
  queue.hurry();
  assert.equal(await queue.take(1_000_000), "empty");
  queue.push(event(1));
  queue.hurry();
  assert.equal(typeof await queue.take(1_000_000), "object");
  assert.equal(await queue.take(1_000_000), "empty");
  assert.equal(await queue.take(1), "idle");
  queue.close();
  assert.equal(await queue.take(1_000_000), null);
});

Deno.test("EventQueue holds its reader back until there is room, by number and by size", async () => {
  for (const [count, content] of [[1_200, ""], [3, "x".repeat(1_000_000)]]) {
    const queue = new EventQueue(() => Infinity);
    for (let i = 0; i < Number(count); i++) {
      queue.push({ ...event(i), content: String(content) });
    }
    let hasRoom = false;
    const room = queue.room().then(() => hasRoom = true);
    await Promise.resolve();
    assert.equal(hasRoom, false);
    await queue.take(10);
    await room;
  }
});

Deno.test("EventQueue lets all its readers in when there is room", async () => {
  const queue = new EventQueue(() => Infinity);
  for (let i = 0; i < 1_200; i++) queue.push(event(i));
  const rooms = [queue.room(), queue.room(), queue.room()];
  await queue.take(10);
  await Promise.all(rooms);
});

Deno.test("EventQueue holds its readers back by the budget of the session, which may change", async () => {
  let budget = 100_000;
  const queue = new EventQueue(() => budget);
  for (let i = 0; i < 300; i++) queue.push(event(i));
  const room = queue.room();
  await queue.take(10);
  // 50 events of 400 bytes each are left.
  await room;
  budget = 10_000;
  let hasRoom = false;
  const next = queue.room().then(() => hasRoom = true);
  await Promise.resolve();
  assert.equal(hasRoom, false);
  await queue.take(10);
  await next;
});

Deno.test("EventQueue counts listed keys by number only, and gives them in larger groups", async () => {
  const queue = new EventQueue(() => Infinity);
  for (let i = 0; i < 3_000; i++) queue.pushListed(event(i));
  const sizes: number[] = [];
  queue.close();
  for (;;) {
    const group = await queue.take(10);
    if (group === null || typeof group === "string") break;
    sizes.push(group.listed.length);
  }
  assert.deepEqual(sizes, [2_500, 500]);
});

Deno.test("EventQueue takes nothing more once it is discarded, findings neither", async () => {
  const queue = new EventQueue(() => Infinity);
  queue.push(event(1));
  queue.discard();
  queue.push(event(2));
  queue.pushListed(event(3));
  queue.note(finding(1));
  assert.equal(queue.isDiscarded, true);
  assert.equal(await queue.take(10), null);
});

Deno.test("EventQueue lets its reader go when it is discarded", async () => {
  const queue = new EventQueue(() => Infinity);
  for (let i = 0; i < 2_000; i++) queue.push(event(i));
  const room = queue.room();
  queue.discard();
  await room;
  assert.equal(await queue.take(10), null);
});

function event(createdAt: number): NostrEvent {
  return {
    id: "0".repeat(64),
    pubkey: "0".repeat(64),
    created_at: createdAt,
    kind: 1,
    tags: [],
    content: "",
    sig: "0".repeat(128),
  };
}

function finding(since: number): Finding {
  const gap = {
    since,
    until: since,
    filterHash: "",
    reason: "timeout" as const,
  };
  return { type: "open", gap };
}

function sinceOf(finding: Finding): number {
  return finding.type === "open" ? finding.gap.since : finding.proof.since;
}
