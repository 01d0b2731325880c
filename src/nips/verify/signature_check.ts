/**
 * Interface of every implementation of BIP-340, and the vectors each must pass before it is trusted.
 *
 * @module
 */
import { BIP340_VECTORS } from "./bip340_vectors.ts";

/**
 * Whether `signature` (64 bytes) is the BIP-340 signature of `message` (32 bytes) by the x-only `publicKey` (32 bytes).
 * All in lowercase hex, of exactly these lengths.
 */
export type SignatureCheck = (
  publicKey: string,
  message: string,
  signature: string,
) => boolean;

/** An implementation in use. Dispose it when no check will be asked for again. */
export interface Implementation extends Disposable {
  readonly check: SignatureCheck;
}

/** The first vector of BIP-340 that the implementation judges wrongly, in words; null when it passes all. */
export function failedVector(check: SignatureCheck): string | null {
  for (const vector of BIP340_VECTORS) {
    const [publicKey, message, signature] = vector.hex;
    if (check(publicKey, message, signature) !== vector.valid) {
      const verdict = vector.valid ? "refuses a valid" : "accepts an invalid";
      return `${verdict} signature (vector ${vector.index})`;
    }
  }
  return null;
}
