/**
 * The values of a command's options, typed and checked where they are read.
 *
 * @module
 */
import { UsageError } from "../usage_error.ts";

/** Options given on the command line, by name as declared (`allow-private`). */
export class OptionValues {
  readonly #values: ReadonlyMap<string, string | boolean | readonly string[]>;

  constructor(
    values: ReadonlyMap<string, string | boolean | readonly string[]>,
  ) {
    this.#values = values;
  }

  /** Whether a flag was given. */
  flag(name: string): boolean {
    return this.#values.get(name) === true;
  }

  /** The value, or undefined when the option was not given. */
  text(name: string): string | undefined {
    const value = this.#values.get(name);
    return typeof value === "string" ? value : undefined;
  }

  /** All values of a repeatable option. */
  list(name: string): readonly string[] {
    const value = this.#values.get(name);
    if (typeof value === "string") return [value];
    return typeof value === "object" ? value : [];
  }

  /** A whole number between `min` and `max`. Throws {@linkcode UsageError}. */
  integer(
    name: string,
    { min, max }: { readonly min: number; readonly max: number },
  ): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = /^-?\d{1,16}$/.test(text) ? Number(text) : NaN;
    if (value >= min && value <= max) return value;
    throw new UsageError(
      `--${name} must be a whole number from ${min} to ${max}: given was ${
        JSON.stringify(text)
      }`,
    );
  }

  /** Unix seconds, given as such or as an ISO 8601 date. Throws {@linkcode UsageError}. */
  time(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const seconds = /^\d{1,16}$/.test(text)
      ? Number(text)
      : Math.floor(Date.parse(text) / 1_000);
    if (Number.isSafeInteger(seconds) && seconds >= 0) return seconds;
    throw new UsageError(
      `--${name} must be Unix seconds or a date like 2026-11-21T12:00:00Z: given was ${
        JSON.stringify(text)
      }`,
    );
  }
}
