/**
 * Which configuration files a run reads: those named, or the defaults that exist.
 *
 * @module
 */
import { join } from "node:path";
import { ConfigError, whyUnreadable } from "../../core/config/config_error.ts";
import type { OptionValues } from "./option_values.ts";

/** Places below the working directory where the files are looked for. */
const BROTR_FILE = "config/brotr.yaml";
const SERVICE_DIRECTORY = "config/services";

/** The file of database, log and limits; undefined when it is the default one and is not there. */
export function brotrFile(options: OptionValues): string | undefined {
  return options.text("brotr-config") ?? existing(BROTR_FILE);
}

/**
 * A service's file: the one that `--config` names, or the service's own in the directory that it names. Undefined when
 * it is not there, and was not named itself. Throws {@linkcode ConfigError} when what `--config` names is not there.
 */
export function serviceFile(
  options: OptionValues,
  service: string,
): string | undefined {
  const named = options.text("config");
  if (named !== undefined && !isDirectory(named)) return named;
  return existing(join(named ?? SERVICE_DIRECTORY, `${service}.yaml`));
}

/**
 * The directory of the services' files, for commands that read all of them; undefined when it is the default one and is
 * not there. Throws {@linkcode ConfigError} when `--config` names something else.
 */
export function serviceDirectory(options: OptionValues): string | undefined {
  const named = options.text("config");
  if (named === undefined) {
    return existing(SERVICE_DIRECTORY, "directory");
  }
  if (isDirectory(named)) return named;
  throw new ConfigError(named, [
    "it must be the directory of the services' files (<service>.yaml): it is a file",
  ]);
}

/** The files that were read, for the log. */
export function filesText(
  { configFiles }: { readonly configFiles: readonly string[] },
): string | readonly string[] {
  return configFiles.length === 0 ? "defaults" : configFiles;
}

/** Throws {@linkcode ConfigError} when there is no such thing. */
function isDirectory(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch (error) {
    const why = error instanceof Deno.errors.NotFound
      ? "there is no such file or directory"
      : whyUnreadable(error);
    throw new ConfigError(path, [why]);
  }
}

function existing(
  path: string,
  kind: "file" | "directory" = "file",
): string | undefined {
  try {
    const { isFile, isDirectory } = Deno.statSync(path);
    return (kind === "file" ? isFile : isDirectory) ? path : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    if (error instanceof Deno.errors.NotADirectory) return undefined;
    throw error;
  }
}
