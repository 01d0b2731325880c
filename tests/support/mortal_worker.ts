/**
 * The real worker, that dies a moment after the session with a relay whose path is `/crash` went live.
 *
 * @module
 */
import "../../src/workers/entry.ts";

const DEATH_AFTER_MS = 500;

const doomed = new Set<number>();

globalThis.addEventListener("message", (event) => {
  if (!(event instanceof MessageEvent)) return;
  const { type, session, job, granted } = event.data;
  if (type === "sync" && job.relay.path === "/crash") doomed.add(session);
  if (type !== "live" || !granted || !doomed.has(session)) return;
  setTimeout(() => {
    throw new Error("A death that was planned");
  }, DEATH_AFTER_MS);
});
