/**
 * Which exports are used, by whom, and which names stand for several things.
 *
 * @module
 */
import type { Source } from "./source.ts";
import { targetOf } from "./tree.ts";

export interface ExportUse {
  /** No file mentions them, not even their own. */
  readonly nowhere: readonly string[];
  /** Only tests, benches and the lint rules import them, and their own file has no use for them. */
  readonly inTestsOnly: readonly string[];
  /** Values that nobody imports, though their own file uses them: they need no `export`. */
  readonly inOwnFileOnly: readonly string[];
  /** Types that nobody imports: options and results of exported functions, mostly. */
  readonly typesInOwnFileOnly: number;
}

export function exportUse(
  program: readonly Source[],
  tests: readonly Source[],
): ExportUse {
  const used = usedNames(program);
  const tested = usedNames(tests);
  const nowhere: string[] = [];
  const inTestsOnly: string[] = [];
  const inOwnFileOnly: string[] = [];
  let typesInOwnFileOnly = 0;
  for (const { path, exports } of program) {
    for (const { name, isType, isUsedHere } of exports) {
      if (isIn(used, path, name)) continue;
      const isTested = isIn(tested, path, name);
      const entry = `${path}: ${name}`;
      if (isUsedHere && isType) typesInOwnFileOnly += 1;
      else if (isUsedHere && !isTested) inOwnFileOnly.push(entry);
      else if (!isUsedHere) (isTested ? inTestsOnly : nowhere).push(entry);
    }
  }
  return { nowhere, inTestsOnly, inOwnFileOnly, typesInOwnFileOnly };
}

/** By file, the names that others import of it. */
function usedNames(sources: readonly Source[]): Map<string, Set<string>> {
  const used = new Map<string, Set<string>>();
  for (const { path, imports } of sources) {
    for (const { specifier, names } of imports) {
      const target = targetOf(path, specifier);
      if (target === null) continue;
      const ofTarget = used.get(target) ?? new Set();
      for (const name of names) ofTarget.add(name);
      used.set(target, ofTarget);
    }
  }
  return used;
}

function isIn(
  used: ReadonlyMap<string, ReadonlySet<string>>,
  path: string,
  name: string,
): boolean {
  const names = used.get(path);
  return names !== undefined && (names.has(name) || names.has("*"));
}

/** Names that several files declare and export, each with those files; to pass a name on is not to declare it. */
export function sharedNames(
  program: readonly Source[],
): [name: string, files: readonly string[]][] {
  const files = new Map<string, string[]>();
  for (const { path, exports } of program) {
    for (const { name, isPassedOn } of exports) {
      if (!isPassedOn) files.set(name, [...(files.get(name) ?? []), path]);
    }
  }
  return [...files].filter(([, paths]) => paths.length > 1)
    .sort(([a], [b]) => a < b ? -1 : 1);
}
