/**
 * Numbers of negentropy: base 128, most significant digit first, the high bit set on all bytes but the last.
 *
 * @module
 */

/** The bytes of a whole number up to 2^53. */
export function varintBytes(value: number): Uint8Array {
  const digits = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0;) {
    digits.unshift(rest % 128 + 128);
    rest = Math.floor(rest / 128);
  }
  return Uint8Array.from(digits);
}
