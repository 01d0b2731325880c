/**
 * The values of a command's options, typed and checked where they are read.
 *
 * @module
 */
import { UsageError } from "../usage_error.ts";
import { parseTime, TIME_FORMS } from "./time_text.ts";

/** Options given on the command line, by name as declared (`allow-private`). */
export class OptionValues {
  readonly #values: ReadonlyMap<string, string | boolean | readonly string[]>;

  /** One for all options, so that two of them never disagree about now. */
  readonly #nowSeconds: number;

  constructor(
    values: ReadonlyMap<string, string | boolean | readonly string[]>,
    nowSeconds = Math.floor(Date.now() / 1_000),
  ) {
    this.#values = values;
    this.#nowSeconds = nowSeconds;
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

  /**
   * The items of a repeatable option whose values are lists separated by commas; undefined when it was not given. Throws
   * {@linkcode UsageError} for an empty item.
   */
  items(name: string): readonly string[] | undefined {
    const values = this.list(name);
    if (values.length === 0) return undefined;
    const items = values.flatMap((value) =>
      value.split(",").map((item) => item.trim())
    );
    if (!items.includes("")) return items;
    throw new UsageError(
      `--${name} must be a list separated by commas: given was ${
        JSON.stringify(values.join(" "))
      }`,
    );
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

  /** Unix seconds, given in any of {@linkcode TIME_FORMS}. Throws {@linkcode UsageError}. */
  time(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const seconds = parseTime(text, this.#nowSeconds);
    if (seconds !== null) return seconds;
    throw new UsageError(
      `--${name} must be ${TIME_FORMS}: given was ${JSON.stringify(text)}`,
    );
  }
}
