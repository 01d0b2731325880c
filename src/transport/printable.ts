/**
 * Words of a peer made fit for a log line.
 *
 * @module
 */

/** Printable ASCII, at most 120 characters; anything else is a question mark. */
export function printable(text: string): string {
  return text.slice(0, 120).replace(/[^ -~]/g, "?");
}
