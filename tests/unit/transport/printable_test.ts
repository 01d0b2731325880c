import assert from "node:assert/strict";
import { printable } from "../../../src/transport/printable.ts";

Deno.test("printable() leaves nothing that could forge a log line", () => {
  assert.equal(printable("a\r\nb\x1b[31m\u202e"), "a??b?[31m?");
  assert.equal(printable("x".repeat(500)).length, 120);
});
