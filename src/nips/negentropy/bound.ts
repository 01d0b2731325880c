/**
 * Bound of a negentropy range: a second, and within it the beginning of an id.
 *
 * @module
 */

/** Everything that comes before it is on one side of it. Bytes that the prefix leaves out are zeros. */
export interface Bound {
  /** Unix seconds; `Infinity` above all of them. */
  readonly timestamp: number;
  /** 0 to 32 bytes. */
  readonly prefix: Uint8Array;
}

export const ID_BYTES = 32;

export const LOWEST: Bound = { timestamp: 0, prefix: new Uint8Array() };
export const HIGHEST: Bound = { timestamp: Infinity, prefix: new Uint8Array() };

/** Negative when `a` comes first, positive when `b` does, 0 when they are the same place. */
export function compareBounds(a: Bound, b: Bound): number {
  if (a.timestamp !== b.timestamp) return a.timestamp < b.timestamp ? -1 : 1;
  if (a.timestamp === Infinity) return 0;
  return compareBytes(a.prefix, b.prefix);
}

export function lowerOf(a: Bound, b: Bound): Bound {
  return compareBounds(a, b) <= 0 ? a : b;
}

export function higherOf(a: Bound, b: Bound): Bound {
  return compareBounds(a, b) >= 0 ? a : b;
}

/** Compares ids or their beginnings; what is missing counts as zeros. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.max(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
