/**
 * The report itself: sections of text, each headed by its figures, with what stands out listed below.
 *
 * @module
 */
import { type ImportGraph, shortestCycles } from "./cycles.ts";
import { exportUse, sharedNames } from "./exports.ts";
import type { Source } from "./source.ts";
import { targetOf, type Tree } from "./tree.ts";

const LONGEST = 10;
const MANY_PARAMETERS = 3;
const MANY_FILES = 20;

export function houseReport({ program, tests }: Tree): string {
  return [
    files(program),
    functions(program),
    folders(program),
    ...cycles(program),
    ...exported(program, tests),
  ].join("\n\n") + "\n";
}

function files(program: readonly Source[]): string {
  return section(
    `files: ${summary(program.map(({ lines }) => lines))}`,
    longest(program).map(({ path, lines }) => `${cell(lines)}  ${path}`),
  );
}

function functions(program: readonly Source[]): string {
  const all = program.flatMap(({ path, functions }) =>
    functions.map((one) => ({ ...one, path }))
  );
  const wide = all.filter(({ parameters }) => parameters > MANY_PARAMETERS);
  const long = longest(all).map(({ lines, name, path, line }) =>
    `${cell(lines)}  ${name}  ${path}:${line}`
  );
  const widths = wide.map(({ parameters, name, path, line }) =>
    `${cell(parameters)}  ${name}  ${path}:${line}`
  );
  return [
    section(`functions: ${summary(all.map(({ lines }) => lines))}`, long),
    section(
      `functions with more than ${MANY_PARAMETERS} parameters: ${wide.length}`,
      widths,
    ),
  ].join("\n\n");
}

/** Folders with their own files; those below count for themselves. */
function folders(program: readonly Source[]): string {
  const counts = new Map<string, number>();
  for (const { path } of program) {
    const folder = path.split("/").slice(0, -1).join("/") || ".";
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  const many = [...counts.values()].filter((count) => count > MANY_FILES);
  const rows = [...counts].sort(([, a], [, b]) => b - a).map(
    ([folder, count]) =>
      `${cell(count)}  ${folder}${count > MANY_FILES ? "  <- many" : ""}`,
  );
  return section(
    `folders: ${counts.size}, with more than ${MANY_FILES} files: ${many.length}`,
    rows,
  );
}

function cycles(program: readonly Source[]): string[] {
  const values = shortestCycles(importGraph(program, false));
  const known = new Set(values.map((cycle) => cycle.join()));
  const typed = shortestCycles(importGraph(program, true))
    .filter((cycle) => !known.has(cycle.join()));
  const rows = (found: readonly string[][]) =>
    found.map((cycle) => `  ${[...cycle, cycle[0]].join(" -> ")}`);
  return [
    section(`cycles of values: ${values.length}`, rows(values)),
    section(`cycles through types only: ${typed.length}`, rows(typed)),
  ];
}

function importGraph(
  program: readonly Source[],
  withTypes: boolean,
): ImportGraph {
  return new Map(program.map(({ path, imports }) => [
    path,
    imports.filter(({ isTypeOnly }) => withTypes || !isTypeOnly)
      .map(({ specifier }) => targetOf(path, specifier))
      .filter((target) => target !== null),
  ]));
}

function exported(
  program: readonly Source[],
  tests: readonly Source[],
): string[] {
  const use = exportUse(program, tests);
  const list = (title: string, names: readonly string[]) =>
    section(`${title}: ${names.length}`, names.map((name) => `  ${name}`));
  const shared = sharedNames(program).map(([name, paths]) =>
    `${name}  ${paths.join("  ")}`
  );
  return [
    list("exports used nowhere", use.nowhere),
    list("exports used by tests only", use.inTestsOnly),
    list("exported values only their own file uses", use.inOwnFileOnly),
    `exported types only their own file names: ${use.typesInOwnFileOnly}`,
    list("names exported by more than one file", shared),
  ];
}

function section(title: string, rows: readonly string[]): string {
  return [title, ...rows].join("\n");
}

function longest<T extends { readonly lines: number }>(
  items: readonly T[],
): T[] {
  return [...items].sort((a, b) => b.lines - a.lines).slice(0, LONGEST);
}

function summary(lengths: readonly number[]): string {
  const sorted = [...lengths].sort((a, b) => a - b);
  const at = (share: number) =>
    sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
  const total = sorted.reduce((sum, length) => sum + length, 0);
  return `${sorted.length}, ${total} lines; median ${at(0.5)}, ` +
    `p90 ${at(0.9)}, longest ${at(1)}`;
}

function cell(value: number): string {
  return String(value).padStart(6);
}
