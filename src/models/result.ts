/**
 * The outcome of something that depends on a peer or on input: a value, never a throw.
 *
 * Results are plain objects, so they cross the worker boundary unchanged
 * (an `Error` subclass loses its name and fields in `postMessage`).
 *
 * @module
 */

/** Either the wanted value or the reason why there is none. */
export type Result<T, F> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: F };

/** Wraps a wanted value. */
export function ok<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

/** Wraps the reason of a failure. */
export function fail<F>(
  failure: F,
): { readonly ok: false; readonly failure: F } {
  return { ok: false, failure };
}
