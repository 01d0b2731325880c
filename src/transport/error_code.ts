/**
 * What a thrown system error says, without trusting its shape.
 *
 * @module
 */

/** The `code` of a Node-style error (`ECONNREFUSED`), or the empty string. */
export function errorCode(error: unknown): string {
  if (typeof error !== "object" || error === null) return "";
  return "code" in error && typeof error.code === "string" ? error.code : "";
}

/** The message of an error on one line, at most 200 characters. */
export function errorText(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\s+/g, " ").trim().slice(0, 200);
}
