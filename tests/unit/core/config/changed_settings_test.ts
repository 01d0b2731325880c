import assert from "node:assert/strict";
import { changedSettings } from "../../../../src/core/config/changed_settings.ts";
import { Reload } from "../../../../src/core/lifecycle/reload.ts";

Deno.test("changedSettings() names what differs, at any depth, and lists as wholes", () => {
  const before = { a: 1, b: { c: [1, 2], d: null, e: "x" }, f: {} };
  assert.deepEqual(changedSettings(before, structuredClone(before)), []);
  const after = { a: 2, b: { c: [1, 3], d: { g: 1 }, e: "x" }, h: true };
  assert.deepEqual(changedSettings(before, after), [
    "a",
    "b.c",
    "b.d",
    "f",
    "h",
  ]);
});

Deno.test("Reload names what waits for a restart until it is as it was at the start", () => {
  const config = {
    intervalSeconds: 60,
    maxConsecutiveFailures: 5,
    metrics: { enabled: false, host: "127.0.0.1", port: 0, path: "/metrics" },
  };
  const reload = new Reload(
    { name: "seeder", reloaded: ["intervalSeconds"] },
    config,
  );
  const heard: number[] = [];
  reload.subscribe(({ intervalSeconds }) => heard.push(intervalSeconds));
  const changed = { ...config, intervalSeconds: 1, maxConsecutiveFailures: 1 };
  const waiting = ["seeder.maxConsecutiveFailures"];
  assert.deepEqual(reload.emit(changed), waiting);
  assert.deepEqual(reload.emit(changed), waiting, "it waits still");
  assert.deepEqual(reload.emit(config), []);
  assert.deepEqual(heard, [1, 1, 60]);
});
