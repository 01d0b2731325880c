/**
 * Words of a peer made fit for a log line.
 *
 * @module
 */

/** A URL without its query: what stands there may be a key, and is said by whoever knows that it is none. */
export function withoutQuery(url: string): string {
  return url.replace(/[?#][^]*$/, "?…");
}

/** Printable ASCII, at most 120 characters; anything else is a question mark. */
export function printable(text: string): string {
  return text.slice(0, 120).replace(/[^ -~]/g, "?");
}
