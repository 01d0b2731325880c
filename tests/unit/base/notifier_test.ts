import assert from "node:assert/strict";
import { Notifier } from "../../../src/base/notifier.ts";

Deno.test("Notifier wakes all that wait, and none that come later", async () => {
  const changed = new Notifier();
  const woken: string[] = [];
  const waiting = ["a", "b"].map((name) =>
    changed.wait().then(() => woken.push(name))
  );
  changed.notify();
  const stop = new AbortController();
  const later = changed.wait(stop.signal).then(() => woken.push("later"));
  await Promise.all(waiting);
  assert.deepEqual(woken, ["a", "b"]);
  stop.abort();
  await later;
});

Deno.test("Notifier lets those go whose signal aborts, also before they wait", async () => {
  const changed = new Notifier();
  const stop = new AbortController();
  const waiting = changed.wait(stop.signal);
  stop.abort();
  await waiting;
  await changed.wait(stop.signal);
});
