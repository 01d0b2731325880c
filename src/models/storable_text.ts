/**
 * Text as PostgreSQL can hold it: U+0000 and lone surrogates have no place in a UTF-8 database.
 *
 * @module
 */

/** The mark that stands where something could not be stored. */
export const REPLACEMENT = "\uFFFD";

/** JSON.stringify writes a surrogate as an escape only when it is alone, and U+0000 always. */
const UNSTORABLE_ESCAPE = /\\(?:u0000|ud[89a-f][0-9a-f]{2})/;

/** Any escape, so that the backslash of `\\u0000` (a backslash, then text) is not taken for the start of one. */
const ESCAPES = /\\(u0000|ud[89a-f][0-9a-f]{2}|[^])/g;

/** Whether PostgreSQL can hold a text as it is. */
export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes("\0");
}

/** The text with U+FFFD for each character PostgreSQL cannot hold. */
export function storableText(text: string): string {
  return text.toWellFormed().replaceAll("\0", REPLACEMENT);
}

/** The JSON of a value (undefined counts as null), keys and strings storable. */
export function storableJson(value: unknown): string {
  const json = JSON.stringify(value) ?? "null";
  return hasUnstorableEscape(json) ? storableEscapes(json) : json;
}

/** A quick look at JSON written by `JSON.stringify`. May be wrong with yes (an escaped backslash), never with no. */
export function hasUnstorableEscape(json: string): boolean {
  return UNSTORABLE_ESCAPE.test(json);
}

/** Replaces the escapes of unstorable characters in JSON written by `JSON.stringify`. */
export function storableEscapes(json: string): string {
  return json.replace(
    ESCAPES,
    (escape, code: string) => code.length === 5 ? REPLACEMENT : escape,
  );
}
