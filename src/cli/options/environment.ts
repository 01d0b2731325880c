/**
 * Environment variables that stand for the options of every command: `BIGBROTR_DATABASE` for `--database`.
 *
 * @module
 */
import type { ReadEnv } from "../../core/config/secret.ts";
import { UsageError } from "../usage_error.ts";
import { COMMON_OPTIONS } from "./common_options.ts";

/** The variable of an option: `BIGBROTR_DATA_DIR` for `data-dir`. */
function variableOf(option: string): string {
  return `BIGBROTR_${option.toUpperCase().replaceAll("-", "_")}`;
}

/** Options of which only one can be meant; that which was typed wins. */
const EITHER: readonly string[] = ["database", "data-dir"];

/**
 * The values of the common options that were not typed and whose variables are set; an empty one is not. Throws
 * {@linkcode UsageError} that names the variable.
 */
export function environmentValues(
  typed: ReadonlySet<string>,
  readEnv: ReadEnv,
): Map<string, string> {
  const isDecided = EITHER.some((name) => typed.has(name));
  const values = new Map<string, string>();
  for (const { name, choices } of COMMON_OPTIONS) {
    if (typed.has(name) || (isDecided && EITHER.includes(name))) continue;
    const text = readEnv(variableOf(name)) ?? "";
    if (text === "") continue;
    const value = choices === undefined ? text : text.toLowerCase();
    if (choices !== undefined && !choices.includes(value)) {
      throw new UsageError(
        `${variableOf(name)} must be one of ${choices.join(", ")}: it is ${
          JSON.stringify(text)
        }`,
      );
    }
    values.set(name, value);
  }
  if (EITHER.every((name) => values.has(name))) {
    throw new UsageError(
      `${EITHER.map(variableOf).join(" and ")} are both set: unset one of them`,
    );
  }
  return values;
}
