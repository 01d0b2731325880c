/**
 * Entities of NIP-19 and NIP-21 as people paste them: `npub1…`, `nprofile1…`, `note1…`, `nevent1…`, `naddr1…`, each also
 * behind `nostr:`.
 *
 * @module
 */
import { decode } from "nostr-tools/nip19";

/** What an entity names. Relay hints and the like in it are left out. */
export type Entity =
  | { readonly type: "author"; readonly pubkey: string }
  | { readonly type: "event"; readonly id: string }
  | {
    readonly type: "address";
    readonly kind: number;
    readonly pubkey: string;
    /** The value of the `d` tag. */
    readonly identifier: string;
  };

/** The entity that `text` encodes, in any case; null for anything else, a secret key included. */
export function parseEntity(text: string): Entity | null {
  try {
    const decoded = decode(text.toLowerCase().replace(/^nostr:/, ""));
    switch (decoded.type) {
      case "npub":
        return { type: "author", pubkey: decoded.data };
      case "nprofile":
        return { type: "author", pubkey: decoded.data.pubkey };
      case "note":
        return { type: "event", id: decoded.data };
      case "nevent":
        return { type: "event", id: decoded.data.id };
      case "naddr": {
        const { kind, pubkey, identifier } = decoded.data;
        return { type: "address", kind, pubkey, identifier };
      }
      default:
        return null;
    }
  } catch {
    return null;
  }
}
