/**
 * A question that a person has to answer before something is done that cannot be undone.
 *
 * @module
 */
import { UsageError } from "../usage_error.ts";
import { standardError } from "./output.ts";

/**
 * Whether the answer typed is yes. Throws {@linkcode UsageError} where nobody can be asked, and the signal's reason.
 */
export async function confirm(
  question: string,
  signal: AbortSignal,
): Promise<boolean> {
  if (!Deno.stdin.isTerminal()) {
    throw new UsageError(
      `Cannot ask "${question}" as standard input is no terminal: --yes says yes`,
    );
  }
  standardError().write(`${question} [y/N] `);
  const stopped = Promise.withResolvers<never>();
  const stop = () => stopped.reject(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  try {
    const buffer = new Uint8Array(100);
    const read = await Promise.race([Deno.stdin.read(buffer), stopped.promise]);
    const answer = new TextDecoder().decode(buffer.subarray(0, read ?? 0));
    return /^y(es)?\s*$/i.test(answer);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
