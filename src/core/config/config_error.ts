/**
 * Error of the configuration. The process says it and exits 2.
 *
 * @module
 */
import { errorCode } from "../../base/error_text.ts";

/**
 * All problems of one source at once, each a sentence that names key, reason and value.
 * The error has no cause: the reason stands in the sentence, in words for people.
 */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly source: string;
  readonly problems: readonly string[];

  /** `source` names the file, the variable or the option the problems were found in. */
  constructor(source: string, problems: readonly string[]) {
    const list = problems.length === 1
      ? ` ${problems[0]}`
      : problems.map((problem) => `\n  - ${problem}`).join("");
    super(`Bad configuration in ${source}:${list}`);
    this.source = source;
    this.problems = problems;
  }

  /** The problems with their source and whose they are, for a list with those of others. */
  toldAs(name: string): string[] {
    return this.problems.map((one) => `${name}: ${this.source}: ${one}`);
  }
}

/** Whether `error`, or what caused it, is the configuration's. */
export function isConfigError(error: unknown): boolean {
  let current = error;
  // Bounded: a chain may be a ring.
  for (let depth = 0; depth < 8; depth++) {
    if (current instanceof ConfigError) return true;
    if (!(current instanceof Error)) return false;
    current = current.cause;
  }
  return false;
}

/** Why a file could not be read, in words for people. */
export function whyUnreadable(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is no such file";
  if (error instanceof Deno.errors.PermissionDenied) {
    return "this user may not read it";
  }
  if (error instanceof Deno.errors.NotCapable) {
    return `${CLOSED}: copy it elsewhere`;
  }
  return whyRefused(error);
}

/** Why a file could not be written, in words for people. */
export function whyUnwritable(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) {
    return "there is no such directory";
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return "this user may not write there";
  }
  if (error instanceof Deno.errors.NotCapable) return CLOSED;
  return whyRefused(error);
}

/** Deno opens them with all permissions only, which this program does not ask for. */
const CLOSED = "what is below /dev, /proc and /sys is closed to this program";

function whyRefused(error: unknown): string {
  if (error instanceof Deno.errors.IsADirectory) return "it is a directory";
  if (error instanceof Deno.errors.NotADirectory) return "it is no directory";
  const code = errorCode(error);
  if (code === "ENOSPC") return "the disk is full";
  if (code === "EROFS") return "the file system is read-only";
  return error instanceof Error ? error.message : String(error);
}
