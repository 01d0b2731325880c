import { equal } from "node:assert/strict";
import { errorText } from "../../../src/base/error_text.ts";

Deno.test("errorText() joins messages and says nothing twice", () => {
  const cause = new Error("no such file");
  equal(
    errorText(new Error("Cannot read x", { cause })),
    "Cannot read x: no such file",
  );
  equal(
    errorText(new Error("Cannot read x: no such file", { cause })),
    "Cannot read x: no such file",
  );
  equal(errorText("just text"), "just text");
  equal(errorText(new TypeError("")), "TypeError");
});

Deno.test("errorText() looks into an AggregateError without words", () => {
  const refused = new AggregateError([
    new Error("refused ::1"),
    new Error("refused 127.0.0.1"),
    new Error("refused ::1"),
  ]);
  equal(
    errorText(new Error("Cannot connect", { cause: refused })),
    "Cannot connect: refused ::1; refused 127.0.0.1",
  );
});

Deno.test("errorText() ends where causes go in circles", () => {
  const a = new Error("a");
  const b = new Error("b", { cause: a });
  a.cause = b;
  equal(errorText(a), "a: b");
});
