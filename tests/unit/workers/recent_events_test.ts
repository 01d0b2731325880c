import assert from "node:assert/strict";
import { RecentEvents } from "../../../src/workers/recent_events.ts";

Deno.test("RecentEvents knows an event again, and not one whose signature is another", () => {
  const recent = new RecentEvents(10);
  assert.equal(recent.add({ id: "a", sig: "1" }), true);
  assert.equal(recent.add({ id: "a", sig: "1" }), false);
  assert.equal(recent.add({ id: "a", sig: "2" }), true);
});

Deno.test("RecentEvents remembers the last events, and forgets in bounded memory", () => {
  const recent = new RecentEvents(100);
  const event = (i: number) => ({ id: `${i}`, sig: "s" });
  for (let i = 0; i < 1_000; i++) recent.add(event(i));
  for (let i = 901; i < 1_000; i++) assert.equal(recent.add(event(i)), false);
  assert.equal(recent.add(event(0)), true);
});
