import assert from "node:assert/strict";
import {
  cutToWidth,
  displayWidth,
} from "../../../../src/cli/terminal/width.ts";

Deno.test("displayWidth() counts columns: colours none, wide characters two, marks none", () => {
  const widths: Record<string, number> = {
    "": 0,
    "abc": 3,
    "\x1b[1;32mabc\x1b[0m": 3,
    "日本": 4,
    "🤙 ok": 5,
    "e\u0301": 1,
    "█░·…": 4,
  };
  for (const [text, width] of Object.entries(widths)) {
    assert.equal(displayWidth(text), width, text);
  }
});

Deno.test("cutToWidth() keeps what fits, and ends colours that it cut", () => {
  assert.equal(cutToWidth("short", 5), "short");
  assert.equal(cutToWidth("shorter", 5), "short");
  assert.equal(cutToWidth("日本語", 5), "日本");
  const green = "\x1b[32m";
  const end = "\x1b[0m";
  assert.equal(
    cutToWidth(`${green}abcdef${end}gh`, 8),
    `${green}abcdef${end}gh`,
  );
  for (const columns of [1, 3, 6, 7]) {
    const cut = cutToWidth(`${green}abcdef${end}gh`, columns);
    assert.equal(displayWidth(cut), columns);
    assert(cut.startsWith(`${green}a`) && cut.endsWith(end), cut);
  }
});
