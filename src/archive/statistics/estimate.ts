/**
 * Counts that may be estimates.
 *
 * @module
 */

/** About how many: `error` is one standard error; null where the count is exact. */
export interface Estimate {
  readonly count: number;
  readonly error: number | null;
}

/** Null where there is no count. */
export function estimate(
  count: number | null,
  error: number | null,
): Estimate | null {
  return count === null ? null : { count, error };
}
