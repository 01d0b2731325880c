/**
 * Arrays as PostgreSQL reads them from text: the driver knows no array types, as it does not ask the server for them.
 *
 * @module
 */

/**
 * For a parameter cast as `::text::int8[]` or another array.
 *
 * @param values No strings but of letters, digits and the characters of base64.
 */
export function sqlArray(
  values: readonly (number | boolean | string | null)[],
): string {
  return `{${
    values.map((value) => value === "" ? '""' : value === null ? "null" : value)
      .join()
  }}`;
}

/** Integers of an array that SQL gave as `array_to_string(…, ',')`. */
export function integersOf(text: string): number[] {
  return text === "" ? [] : text.split(",").map(Number);
}
