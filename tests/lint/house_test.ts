import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { houseReport } from "./house/report.ts";
import { readTree } from "./house/tree.ts";

/** Two files that need each other's values, two that need each other's types, and every way to export in vain. */
const FIXTURE: Readonly<Record<string, string>> = {
  "main.ts": `import { start } from "./src/a/start.ts";\nstart();\n`,
  "src/a/start.ts": `import { loop } from "../b/loop.ts";
import type { Shape } from "../b/shape.ts";

export interface Options {
  readonly shape: Shape;
}

export function start(options?: Options): number {
  return loop() + own() + (options === undefined ? 0 : 1);
}

export const own = () => 1;
`,
  "src/b/loop.ts": `import { back } from "./back.ts";

export function loop(): number {
  return back(1, 2, 3, 4);
}
`,
  "src/b/back.ts": `import { loop } from "./loop.ts";

export function back(a: number, b: number, c: number, d: number): number {
  return a > 1 ? loop() : b + c + d;
}

export function forTests(): void {}

export function forNobody(): void {}
`,
  "src/b/shape.ts": `import type { Options } from "../a/start.ts";

export interface Shape {
  readonly of: Options;
}

export { loop } from "./loop.ts";
export const twice = 1;
`,
  "src/b/second.ts": `export const twice = 2;
`,
  "tests/back_test.ts": `import { forTests } from "../src/b/back.ts";
const { twice } = await import("../src/b/second.ts");
forTests();
twice;
`,
};

/** The lines below the heading that begins so, and the heading itself. */
function sectionOf(report: string, title: string): string[] {
  const sections = report.split("\n\n").map((text) => text.trim().split("\n"));
  const section = sections.find(([head]) => head?.startsWith(title));
  ok(section !== undefined, `no section "${title}" in\n${report}`);
  return section.map((line) => line.trim());
}

async function reportOf(files: Readonly<Record<string, string>>) {
  const root = await Deno.makeTempDir({ prefix: "bigbrotr-house-" });
  try {
    for (const [path, text] of Object.entries(files)) {
      const folder = `${root}/${path}`.replace(/\/[^/]+$/, "");
      await Deno.mkdir(folder, { recursive: true });
      await Deno.writeTextFile(`${root}/${path}`, text);
    }
    return houseReport(await readTree(root));
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test("house measures files, functions and folders", async () => {
  const report = await reportOf(FIXTURE);
  strictEqual(
    sectionOf(report, "files:")[0],
    "files: 6, 37 lines; median 5, p90 9, longest 12",
  );
  strictEqual(sectionOf(report, "files:")[1], "12  src/a/start.ts");
  strictEqual(
    sectionOf(report, "functions:")[0],
    "functions: 6, 12 lines; median 1, p90 3, longest 3",
  );
  deepStrictEqual(sectionOf(report, "functions with more than 3"), [
    "functions with more than 3 parameters: 1",
    "4  back  src/b/back.ts:3",
  ]);
  deepStrictEqual(sectionOf(report, "folders:"), [
    "folders: 3, with more than 20 files: 0",
    "4  src/b",
    "1  src/a",
    "1  .",
  ]);
});

Deno.test("house flags a folder of more than 20 files", async () => {
  const files: Record<string, string> = {};
  for (let i = 0; i < 21; i++) files[`src/a/f${i}.ts`] = "";
  deepStrictEqual(sectionOf(await reportOf(files), "folders:"), [
    "folders: 1, with more than 20 files: 1",
    "21  src/a  <- many",
  ]);
});

Deno.test("house tells cycles of values from those through types only", async () => {
  const report = await reportOf(FIXTURE);
  deepStrictEqual(sectionOf(report, "cycles of values:"), [
    "cycles of values: 1",
    "src/b/back.ts -> src/b/loop.ts -> src/b/back.ts",
  ]);
  deepStrictEqual(sectionOf(report, "cycles through types only:"), [
    "cycles through types only: 1",
    "src/a/start.ts -> src/b/shape.ts -> src/a/start.ts",
  ]);
});

Deno.test("house names exports that the program does not need", async () => {
  const report = await reportOf(FIXTURE);
  deepStrictEqual(sectionOf(report, "exports used nowhere:"), [
    "exports used nowhere: 3",
    "src/b/back.ts: forNobody",
    "src/b/shape.ts: loop",
    "src/b/shape.ts: twice",
  ]);
  deepStrictEqual(sectionOf(report, "exports used by tests only:"), [
    "exports used by tests only: 2",
    "src/b/back.ts: forTests",
    "src/b/second.ts: twice",
  ]);
  deepStrictEqual(sectionOf(report, "exported values only"), [
    "exported values only their own file uses: 1",
    "src/a/start.ts: own",
  ]);
  deepStrictEqual(sectionOf(report, "names exported by more"), [
    "names exported by more than one file: 1",
    "twice  src/b/second.ts  src/b/shape.ts",
  ]);
});
