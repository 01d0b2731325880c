/**
 * The options that every command takes, and what they mean for the configuration.
 *
 * @module
 */
import { LOG_FORMATS, LOG_TIMES } from "../../core/log/format.ts";
import { LOG_LEVELS } from "../../core/log/logger.ts";
import type { Option } from "../command.ts";
import { UsageError } from "../usage_error.ts";
import type { OptionValues } from "./option_values.ts";

/** Whether a password stands among arguments, which everybody on the machine can read. */
export function showsPassword(args: readonly string[]): boolean {
  return args.some((arg) =>
    /^(--database=)?postgres(ql)?:\/\/([^/@]*:[^/@]+@|[^?]*\?(.*&)?password=.)/
      .test(arg)
  );
}

export const COMMON_OPTIONS: readonly Option[] = [
  {
    name: "config",
    value: "PATH",
    description:
      "the service's configuration file, or the directory of all of them (default config/services)",
    completes: "files",
  },
  {
    name: "brotr-config",
    value: "PATH",
    description:
      "configuration of database, log and limits (default config/brotr.yaml)",
    completes: "files",
  },
  {
    name: "database",
    value: "URL",
    description:
      "PostgreSQL server, as postgres://user@host/db; a password here shows in ps, in PGPASSWORD it does not",
  },
  {
    name: "data-dir",
    value: "DIR",
    description: "where the embedded PostgreSQL keeps its data",
    completes: "directories",
  },
  {
    name: "log-level",
    value: "LEVEL",
    description: "how much is logged",
    choices: LOG_LEVELS,
  },
  {
    name: "log-format",
    value: "FORMAT",
    description: "lines for people, or objects for collectors",
    choices: LOG_FORMATS,
  },
  {
    name: "log-time",
    value: "FORM",
    description: "ISO 8601 in UTC, or Unix seconds",
    choices: LOG_TIMES,
  },
  {
    name: "log-file",
    value: "PATH",
    description: "a file, rotated by size, instead of stderr",
    completes: "files",
  },
];

/** Changes that the common options make to `config/brotr.yaml`; null removes what the file says. */
export function brotrOverrides(options: OptionValues): Record<string, unknown> {
  const url = options.text("database");
  const dataDir = options.text("data-dir");
  if (url !== undefined && dataDir !== undefined) {
    throw new UsageError(
      "--database names a server, --data-dir means the embedded PostgreSQL: give one of them",
    );
  }
  const log = {
    level: options.text("log-level"),
    format: options.text("log-format"),
    time: options.text("log-time"),
    file: options.text("log-file"),
  };
  if (url !== undefined) return { log, database: { url, host: null } };
  if (dataDir === undefined) return { log };
  return { log, database: { url: null, host: null }, embedded: { dataDir } };
}
