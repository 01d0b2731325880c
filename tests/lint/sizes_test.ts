import { deepStrictEqual } from "node:assert/strict";
import plugin from "./sizes.ts";

function lint(source: string, file = "src/models/event.ts"): string[] {
  return Deno.lint.runPlugin(plugin, `/anywhere/${file}`, source)
    .map((diagnostic) => diagnostic.message);
}

const body = (lines: number) => "  work();\n".repeat(lines);

Deno.test("sizes refuses long functions, long files and many parameters", () => {
  deepStrictEqual(lint(`function a() {\n${body(41)}}\n`), [
    "a function of 41 lines, more than 40",
  ]);
  deepStrictEqual(lint(`const a = () => {\n${body(50)}};\n`), [
    "a function of 50 lines, more than 40",
  ]);
  deepStrictEqual(lint("work();\n".repeat(301)), [
    "a file of 301 lines, more than 300",
  ]);
  deepStrictEqual(lint("class A { m(a, b, c, d) {} }\n"), [
    "4 positional parameters: take one options object",
  ]);
});

Deno.test("sizes lets what is small pass, SQL inside a function, and tests", () => {
  deepStrictEqual(lint(`function a(b, c, { d, e, f }) {\n${body(40)}}\n`), []);
  deepStrictEqual(lint("work();\n".repeat(300)), []);
  const sql = `function a(sql) {\n${body(20)}  return sql\`\n${
    body(60)
  }\`;\n}\n`;
  deepStrictEqual(lint(sql), []);
  const story = `Deno.test("x", () => {\n${body(400)}});\n`;
  deepStrictEqual(lint(story, "tests/unit/models/event_test.ts"), []);
});
