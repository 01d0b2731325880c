/**
 * Secret keys as people keep them: 64 hex characters, or `nsec1…` (NIP-19).
 *
 * @module
 */
import { decode } from "nostr-tools/nip19";
import { getPublicKey } from "nostr-tools/pure";
import { fail, ok, type Result } from "./result.ts";

/** The 32 bytes of a secret key. What is wrong is said without quoting it. */
export function parseSecretKey(
  text: string,
): Result<Uint8Array, { readonly detail: string }> {
  const bytes = /^[0-9a-f]{64}$/i.test(text) ? fromHex(text) : fromNsec(text);
  if (bytes === null) {
    return fail({
      detail: "a secret key is 64 hex characters or begins with nsec1",
    });
  }
  return isOnCurve(bytes)
    ? ok(bytes)
    : fail({ detail: "this number is no secret key of secp256k1" });
}

function fromHex(text: string): Uint8Array {
  const pairs = text.match(/../g) ?? [];
  return Uint8Array.from(pairs, (pair) => parseInt(pair, 16));
}

function fromNsec(text: string): Uint8Array | null {
  try {
    const decoded = decode(text.toLowerCase());
    return decoded.type === "nsec" ? decoded.data : null;
  } catch {
    return null;
  }
}

function isOnCurve(bytes: Uint8Array): boolean {
  try {
    getPublicKey(bytes);
    return true;
  } catch {
    return false;
  }
}
