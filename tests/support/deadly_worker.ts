/**
 * A worker that dies of every session.
 *
 * @module
 */
import "../../src/workers/worker/entry.ts";

globalThis.addEventListener("message", (event) => {
  if (!(event instanceof MessageEvent) || event.data.type !== "sync") return;
  setTimeout(() => {
    throw new Error("A death that was planned");
  });
});
