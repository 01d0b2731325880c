import assert from "node:assert/strict";
import { remakeLine } from "../../../src/cli/terminal/remake_watch.ts";

const looks = (...left: number[]) =>
  left.map((left, i) => ({ atMs: i * 1_000, left }));

Deno.test("remakeLine() tells no time before anything is done", () => {
  assert.deepEqual(remakeLine("days", "day", []).parts, ["looking"]);
  assert.deepEqual(remakeLine("days", "day", looks(1_200, 1_200)), {
    name: "days",
    share: 0,
    parts: ["1,200 days left"],
  });
});

Deno.test("remakeLine() goes by the last minute, and by the most there was to do", () => {
  assert.deepEqual(remakeLine("days", "day", looks(90, 100, 96, 92)), {
    name: "days",
    share: 1 - 92 / 100,
    parts: ["92 days left"],
  });
  const slow = [...looks(1_000, 500), { atMs: 100_000, left: 400 }, {
    atMs: 120_000,
    left: 300,
  }];
  assert.deepEqual(remakeLine("relays", "relay", slow).parts, [
    "300 relays left",
    "5.0/s",
    "about 60 s",
  ]);
  assert.deepEqual(remakeLine("days", "day", looks(4, 1)).parts, [
    "1 day left",
    "3.0/s",
    "about 0 s",
  ]);
});

Deno.test("remakeLine() is full only when nothing is left", () => {
  assert.deepEqual(remakeLine("days", "day", looks(5, 0)), {
    name: "days",
    share: 1,
    parts: ["done"],
  });
});
