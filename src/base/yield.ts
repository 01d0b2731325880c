/**
 * Long computations let others have their turn.
 *
 * @module
 */
import { setImmediate } from "node:timers";

/** Lets everything else that is ready in this thread go first. */
export function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
