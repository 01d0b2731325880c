/**
 * Public keys as people keep them: 64 hex characters, `npub1…` or `nprofile1…` (NIP-19), also behind `nostr:`.
 *
 * @module
 */
import { getConversationKey } from "nostr-tools/nip44";
import { parseEntity } from "./entity.ts";
import { fail, ok, type Result } from "./result.ts";

/** The key as 64 lowercase hex characters. */
export function parsePublicKey(
  text: string,
): Result<string, { readonly detail: string }> {
  const key = /^[0-9a-f]{64}$/i.test(text)
    ? text.toLowerCase()
    : fromEntity(text);
  // The text is not quoted: it may be a secret key in the wrong place.
  if (key === null) {
    return fail({
      detail:
        "a public key is 64 hex characters or begins with npub1 or nprofile1",
    });
  }
  return isOnCurve(key)
    ? ok(key)
    : fail({ detail: "this number is no public key of secp256k1" });
}

function fromEntity(text: string): string | null {
  const entity = parseEntity(text);
  return entity?.type === "author" ? entity.pubkey : null;
}

/** Whether a number is the x of a point. Half of them are not: no secret key belongs to them. */
function isOnCurve(key: string): boolean {
  try {
    getConversationKey(new Uint8Array(32).fill(1), key);
    return true;
  } catch {
    return false;
  }
}
