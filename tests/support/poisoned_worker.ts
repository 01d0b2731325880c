/**
 * The real worker, but that a message with the word "poison" in it hangs the thread, as a bug of the parser would.
 *
 * @module
 */
import "../../src/workers/worker/entry.ts";

/** Longer than any test waits for a sign of life. Not for ever: Deno cannot end such a thread (denoland/deno#35657). */
const HANG_MS = 2_500;

const parse = JSON.parse;
JSON.parse = (text, reviver) => {
  if (text.includes("poison")) {
    for (const end = performance.now() + HANG_MS; performance.now() < end;);
  }
  return parse(text, reviver);
};
