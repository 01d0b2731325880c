/**
 * Error of the configuration. The process says it and exits 2.
 *
 * @module
 */

/**
 * All problems of one source at once, each a sentence that names key, reason and value.
 * The error has no cause: the reason stands in the sentence, in words for people.
 */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly string[];

  /** `source` names the file, the variable or the option the problems were found in. */
  constructor(source: string, problems: readonly string[]) {
    const list = problems.length === 1
      ? ` ${problems[0]}`
      : problems.map((problem) => `\n  - ${problem}`).join("");
    super(`Bad configuration in ${source}:${list}`);
    this.problems = problems;
  }
}

/** Why a file could not be read, in words for people. */
export function whyUnreadable(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is no such file";
  if (error instanceof Deno.errors.PermissionDenied) {
    return "this user may not read it";
  }
  if (error instanceof Deno.errors.IsADirectory) return "it is a directory";
  if (error instanceof Deno.errors.NotCapable) {
    return "files below /dev, /proc and /sys are closed to this program: copy it elsewhere, or pipe it in as -";
  }
  return error instanceof Error ? error.message : String(error);
}
