/**
 * Source of seeds: a file, or a document over HTTP.
 *
 * @module
 */
import { isStandardInput } from "../../base/standard_streams.ts";
import { ConfigError, whyUnreadable } from "../../core/config/config_error.ts";

/** The list that comes with the program; in a compiled binary it lies in its embedded file system. */
const SHIPPED_SEEDS = new URL(
  "../../../config/seed_relays.txt",
  import.meta.url,
);

/** Opens the file, stdin (`-`) or the shipped list (undefined). Throws {@linkcode ConfigError} when it cannot. */
export async function openSeeds(
  filePath: string | undefined,
): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  if (filePath !== undefined && isStandardInput(filePath)) {
    return Deno.stdin.readable;
  }
  try {
    if (filePath === undefined) {
      // As a whole: a file inside a compiled binary cannot be looked at once it is open.
      return new Blob([await Deno.readFile(SHIPPED_SEEDS)]).stream();
    }
    const file = await Deno.open(filePath);
    // A pipe or a device is read as any file is.
    if (!(await file.stat()).isDirectory) return file.readable;
    file.close();
  } catch (error) {
    throw unreadable(filePath, whyUnreadable(error));
  }
  throw unreadable(filePath, "it is a directory");
}

/** Throws the {@linkcode ConfigError} of a file that cannot be read; a pipe is not opened, as what is in it comes once. */
export function checkSeeds(filePath: string | undefined): void {
  if (filePath === undefined || isStandardInput(filePath)) return;
  try {
    const { isFile, isDirectory } = Deno.statSync(filePath);
    if (isDirectory) throw unreadable(filePath, "it is a directory");
    if (isFile) Deno.openSync(filePath).close();
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw unreadable(filePath, whyUnreadable(error));
  }
}

/** How the source is called in the log. */
export function seedSourceName(filePath: string | undefined): string {
  if (filePath === undefined) return "the shipped list";
  return isStandardInput(filePath) ? "stdin" : filePath;
}

function unreadable(
  filePath: string | undefined,
  reason: string,
): ConfigError {
  const seen = JSON.stringify(filePath ?? SHIPPED_SEEDS.href);
  return new ConfigError("the seeder's settings", [
    `filePath: cannot read seeds from ${seen} as ${reason}`,
  ]);
}
