/**
 * Verifying many signatures in a thread that has others to serve.
 *
 * @module
 */
import type { Signed } from "../../nips/verify/signature_batch.ts";
import type { Verifier } from "../../nips/verify/verifier.ts";
import { yieldToEventLoop } from "../../base/yield.ts";

/** Others of the thread get a turn after this much verification, ms. */
const TURN_MS = 15;

/** Checks all signatures: one byte each, 1 when it is the author's, in their order. */
export async function verifyInTurns(
  verifier: Verifier,
  events: readonly Signed[],
): Promise<Uint8Array> {
  const valid = new Uint8Array(events.length);
  let turnEndsAt = performance.now() + TURN_MS;
  for (const [i, event] of events.entries()) {
    valid[i] = verifier.verify(event) ? 1 : 0;
    if (performance.now() < turnEndsAt) continue;
    await yieldToEventLoop();
    turnEndsAt = performance.now() + TURN_MS;
  }
  return valid;
}
