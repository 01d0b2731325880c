/**
 * An error as one line: its message and those of its causes.
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
