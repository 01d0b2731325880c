/**
 * Errors as text, and their codes, without trust in the shape of what was thrown.
 *
 * @module
 */

/** The chain of messages, outermost first, each said once; bounded to eight causes. */
export function errorText(error: unknown): string {
  const messages: string[] = [];
  let current: unknown = error;
  for (let depth = 0; depth < 8 && current !== undefined; depth++) {
    const message = ownText(current);
    if (!messages.some((earlier) => earlier.includes(message))) {
      messages.push(message);
    }
    current = current instanceof Error ? current.cause : undefined;
  }
  return messages.join(": ");
}

/** An AggregateError (`connect` to several addresses) often has no message but those inside. */
function ownText(error: unknown): string {
  if (error instanceof AggregateError && error.message === "") {
    const inner = error.errors.map((one) => errorText(one));
    return [...new Set(inner)].join("; ");
  }
  if (error instanceof Error) return error.message || error.name;
  return String(error);
}

/** The message alone, on one line of at most 200 characters: for errors whose words may come from a peer. */
export function errorLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\s+/g, " ").trim().slice(0, 200);
}

/** The `code` of an error of the system or of a driver (`ECONNREFUSED`), or the empty string. */
export function errorCode(error: unknown): string {
  if (typeof error !== "object" || error === null) return "";
  return "code" in error && typeof error.code === "string" ? error.code : "";
}
