/**
 * Paths at which libsecp256k1 may lie on this machine.
 *
 * @module
 */
import { fileURLToPath } from "node:url";

/** Names the library for good, before any search. */
const VARIABLE = "BIGBROTR_LIBSECP256K1";

/** The build machine's library as `.ci/compile.ts` puts it into an executable; Deno unpacks it when it is loaded. */
const CARRIED_DIRECTORY = fileURLToPath(
  new URL("../../../dist/carried", import.meta.url),
);

const SYSTEM_DIRECTORIES = [
  `/usr/lib/${Deno.build.arch}-linux-gnu`,
  "/usr/local/lib",
  "/usr/lib64",
  "/usr/lib",
  "/opt/homebrew/lib",
];

/** `libsecp256k1.so`, `libsecp256k1.so.1`, `libsecp256k1.2.dylib`, … */
const FILE_NAME = /^libsecp256k1(?:\.so(?:\.\d+)*|(?:\.\d+)*\.dylib)$/;

/**
 * Paths to try, best first: the one in BIGBROTR_LIBSECP256K1, then what lies in `directories`, then the one that the
 * executable carries, then the system's.
 * Directories that may not be read are left out: a worker without permissions finds nothing instead of failing.
 */
export function libraryCandidates(directories: readonly string[]): string[] {
  const named = namedLibrary();
  const carried = Deno.build.standalone ? [CARRIED_DIRECTORY] : [];
  const found = [...directories, ...carried, ...SYSTEM_DIRECTORIES]
    .flatMap(librariesIn);
  return named === undefined ? found : [named, ...found];
}

function namedLibrary(): string | undefined {
  const allowed = Deno.permissions.querySync({
    name: "env",
    variable: VARIABLE,
  });
  return allowed.state === "granted"
    ? Deno.env.get(VARIABLE) || undefined
    : undefined;
}

function librariesIn(directory: string): string[] {
  try {
    return Array.from(Deno.readDirSync(directory), ({ name }) => name)
      .filter((name) => FILE_NAME.test(name))
      .sort()
      .map((name) => `${directory}/${name}`);
  } catch {
    return [];
  }
}
