/**
 * The real worker, that dies or hangs a moment after the session with a relay whose path is `/crash` or `/hang` went
 * live.
 *
 * @module
 */
import "../../src/workers/worker/entry.ts";

const FAULT_AFTER_MS = 500;

/** Longer than any test waits for a sign of life. Not for ever: Deno cannot end such a thread (denoland/deno#35657). */
const HANG_MS = 5_000;

const doomed = new Map<number, "/crash" | "/hang">();

globalThis.addEventListener("message", (event) => {
  if (!(event instanceof MessageEvent)) return;
  const { type, session, job, granted } = event.data;
  const path = job?.relay.path;
  if (path === "/crash" || path === "/hang") doomed.set(session, path);
  if (type !== "live" || !granted) return;
  const fault = doomed.get(session);
  if (fault === undefined) return;
  setTimeout(() => {
    if (fault === "/crash") throw new Error("A death that was planned");
    for (const end = performance.now() + HANG_MS; performance.now() < end;);
  }, FAULT_AFTER_MS);
});
