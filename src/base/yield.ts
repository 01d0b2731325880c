/**
 * Yielding, so that a long computation does not hold up its thread.
 *
 * @module
 */
import { setImmediate } from "node:timers";

/** Lets everything else that is ready in this thread go first. */
export function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
