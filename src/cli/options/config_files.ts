/**
 * Which configuration files a run reads: those named, or the defaults that exist.
 *
 * @module
 */
import { join } from "node:path";
import type { OptionValues } from "./option_values.ts";

/** Places below the working directory where the files are looked for. */
const BROTR_FILE = "config/brotr.yaml";
const SERVICE_DIRECTORY = "config/services";

/** The file of database, log and limits; undefined when it is the default one and is not there. */
export function brotrFile(options: OptionValues): string | undefined {
  return options.text("brotr-config") ?? existing(BROTR_FILE);
}

/** A service's file, where `--config` names it. */
export function serviceFile(
  options: OptionValues,
  service: string,
): string | undefined {
  return options.text("config") ??
    existing(join(SERVICE_DIRECTORY, `${service}.yaml`));
}

/** A service's file, where `--config` names the directory of all of them. */
export function fileInDirectory(
  options: OptionValues,
  service: string,
): string | undefined {
  return existing(
    join(options.text("config") ?? SERVICE_DIRECTORY, `${service}.yaml`),
  );
}

function existing(path: string): string | undefined {
  try {
    return Deno.statSync(path).isFile ? path : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    if (error instanceof Deno.errors.NotADirectory) return undefined;
    throw error;
  }
}
