/**
 * Exponential backoff with jitter.
 *
 * @module
 */

export interface Backoff {
  /** The wait after the first failure. */
  readonly initialMs: number;
  /** The longest wait, jitter included. */
  readonly maxMs: number;
  /** The share of the wait that is random, 0 to 1, so that those that failed together do not return together. */
  readonly jitter: number;
}

/** The wait after failure number `attempt` (from 1), doubling from `initialMs` to `maxMs`. */
export function backoffMs(attempt: number, backoff: Backoff): number {
  const { initialMs, maxMs, jitter } = backoff;
  const doublings = Math.min(Math.max(attempt, 1) - 1, 52);
  const full = Math.min(maxMs, initialMs * 2 ** doublings);
  return full * (1 - jitter * Math.random());
}
