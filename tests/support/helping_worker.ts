/**
 * The real worker, that tells how many signatures it is given to verify for others.
 *
 * @module
 */
import "../../src/workers/worker/entry.ts";

/** A worker has no other way to tell something to a test. */
const channel = new BroadcastChannel("helping-worker");

globalThis.addEventListener("message", (event) => {
  if (!(event instanceof MessageEvent) || event.data.type !== "verify") return;
  channel.postMessage(event.data.signatures.length / 256);
});
