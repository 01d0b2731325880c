import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { RecentEvents } from "../../../../src/workers/ingest/recent_events.ts";

const hash = (text: string) => createHash("sha256").update(text).digest("hex");
const event = (id: number, sig = 0) => ({
  id: hash(`id ${id}`),
  sig: hash(`sig ${sig}`) + hash("the rest"),
});

Deno.test("RecentEvents knows an event again, and not one whose signature is another", () => {
  const recent = new RecentEvents(10);
  assert.equal(recent.add(event(1, 1)), true);
  assert.equal(recent.add(event(1, 1)), false);
  assert.equal(recent.add(event(1, 2)), true);
  assert.equal(recent.add(event(1, 2)), false);
});

Deno.test("RecentEvents remembers the last events, and forgets in bounded memory", () => {
  const recent = new RecentEvents(100);
  for (let i = 0; i < 1_000; i++) recent.add(event(i));
  for (let i = 901; i < 1_000; i++) assert.equal(recent.add(event(i)), false);
  assert.equal(recent.add(event(0)), true);
});

Deno.test("RecentEvents tells 20,000 events apart, those of zeros too", () => {
  const recent = new RecentEvents(20_000);
  const zeros = { id: "0".repeat(64), sig: "0".repeat(128) };
  assert.deepEqual([recent.add(zeros), recent.add(zeros)], [true, false]);
  for (let i = 0; i < 20_000; i++) assert.equal(recent.add(event(i)), true);
  for (let i = 0; i < 20_000; i++) assert.equal(recent.add(event(i)), false);
});

Deno.test("RecentEvents can be told to remember more", () => {
  const recent = new RecentEvents(10);
  recent.capacity = 1_000;
  for (let i = 0; i < 1_000; i++) recent.add(event(i));
  for (let i = 0; i < 1_000; i++) assert.equal(recent.add(event(i)), false);
});
