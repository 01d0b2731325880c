import { deepStrictEqual } from "node:assert/strict";
import plugin from "./spreads.ts";

function messages(source: string): string[] {
  return Deno.lint.runPlugin(plugin, "/anywhere/src/models/x.ts", source)
    .map((diagnostic) => diagnostic.message);
}

Deno.test("spreads refuses the spread of a literal", () => {
  const refused = [
    `const x = { ...{ a, b }, c };`,
    `const x = { c, ...{} };`,
    `const x = [...[a, b], c];`,
    `f(...[a, b]);`,
    `const x = { c: { ...{ a } } };`,
  ];
  for (const source of refused) {
    deepStrictEqual(messages(source).length, 1, source);
  }
});

Deno.test("spreads lets pass what only a spread can say", () => {
  const allowed = [
    `const x = { ...a, b };`,
    `const x = [...a, b];`,
    `f(...a);`,
    `const x = { ...(a === undefined ? {} : { a }) };`,
    `const { a, ...rest } = x;`,
  ];
  for (const source of allowed) {
    deepStrictEqual(messages(source), [], source);
  }
});
