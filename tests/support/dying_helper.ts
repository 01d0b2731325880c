/**
 * The real worker, that dies whenever it is to verify for others.
 *
 * @module
 */
import "../../src/workers/worker/entry.ts";

globalThis.addEventListener("message", (event) => {
  if (!(event instanceof MessageEvent) || event.data.type !== "verify") return;
  throw new Error("A death that was planned");
});
