/**
 * The source files of a repository, and what an import in one of them points to.
 *
 * @module
 */
import { readSource, type Source } from "./source.ts";

/** The parts of a repository that import the program without being it. */
const TEST_FOLDERS = ["tests", ".ci"];

export interface Tree {
  /** `main.ts` and all of `src`. */
  readonly program: readonly Source[];
  readonly tests: readonly Source[];
}

/** Reads a repository; folders that are missing have no files. */
export async function readTree(root: string): Promise<Tree> {
  const program = await readFolder(root, "src");
  const tests: Source[] = [];
  for (const folder of TEST_FOLDERS) {
    tests.push(...await readFolder(root, folder));
  }
  const main = await readFile(root, "main.ts");
  return { program: [...program, ...main], tests };
}

async function readFolder(root: string, folder: string): Promise<Source[]> {
  const sources: Source[] = [];
  for (const { name, isDirectory } of await entriesOf(`${root}/${folder}`)) {
    const path = `${folder}/${name}`;
    if (isDirectory) sources.push(...await readFolder(root, path));
    else if (name.endsWith(".ts")) sources.push(...await readFile(root, path));
  }
  return sources;
}

async function entriesOf(folder: string): Promise<Deno.DirEntry[]> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(folder));
    return entries.sort((a, b) => a.name < b.name ? -1 : 1);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

async function readFile(root: string, path: string): Promise<Source[]> {
  try {
    return [readSource(path, await Deno.readTextFile(`${root}/${path}`))];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** The file of the repository that `specifier` names in `file`; null for packages. */
export function targetOf(file: string, specifier: string): string | null {
  if (!/^\.{1,2}\//.test(specifier)) return null;
  return new URL(specifier, `file:///${file}`).pathname.slice(1);
}
