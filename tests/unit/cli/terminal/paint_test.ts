import assert from "node:assert/strict";
import { paintFor, tame } from "../../../../src/cli/terminal/paint.ts";

Deno.test("tame() leaves one line of harmless text of bounded length", () => {
  const wild = "a\x1b[31mb\r\nc\u202ed\u2028e\u0000f\u{1F600}";
  assert.equal(tame(wild, 100), "a [31mb  c d e f\u{1F600}");
  assert.equal(tame("\u{1F600}".repeat(9), 4), `${"\u{1F600}".repeat(3)}…`);
  assert.equal(tame("  fits  ", 4), "fits");
});

Deno.test("paintFor() paints for terminals only, and never where NO_COLOR is set", () => {
  const before = Deno.env.get("NO_COLOR");
  try {
    Deno.env.delete("NO_COLOR");
    assert.equal(
      paintFor({ isTerminal: true })("x", "bad"),
      "\x1b[31mx\x1b[0m",
    );
    assert.equal(paintFor({ isTerminal: false })("x", "bad"), "x");
    Deno.env.set("NO_COLOR", "1");
    assert.equal(paintFor({ isTerminal: true })("x", "bad"), "x");
  } finally {
    if (before === undefined) Deno.env.delete("NO_COLOR");
    else Deno.env.set("NO_COLOR", before);
  }
});
