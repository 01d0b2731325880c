/**
 * The real worker, but for the first two sessions of a pool: a relay whose path is `/crash` or `/hang` takes the
 * thread down with it, as a bug would.
 *
 * @module
 */
import "../../src/workers/worker/entry.ts";

/** Late enough for a part of the relay to have been archived. */
const FAULT_AFTER_MS = 300;

/** Longer than any test waits for a sign of life. */
const HANG_MS = 5_000;

globalThis.addEventListener("message", (event) => {
  if (!(event instanceof MessageEvent) || event.data.type !== "sync") return;
  if (event.data.session > 2) return;
  setTimeout(() => {
    switch (event.data.job.relay.path) {
      case "/crash":
        throw new Error("A crash that was planned");
      case "/hang":
        // Not for ever: Deno cannot end a thread that never gives up its turn (denoland/deno#35657).
        for (const end = performance.now() + HANG_MS; performance.now() < end;);
    }
  }, FAULT_AFTER_MS);
});
