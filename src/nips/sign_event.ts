/**
 * Signing (BIP-340), by nostr-tools.
 *
 * @module
 */
import { finalizeEvent } from "nostr-tools/pure";
import type { NostrEvent, UnsignedEvent } from "../models/event.ts";

/** Signs an event, its own fields and nothing else; its author is the owner of the key. Takes a millisecond or two. */
export function signEvent(
  { created_at, kind, tags, content }: Omit<UnsignedEvent, "pubkey">,
  secretKey: Uint8Array,
): NostrEvent {
  const mutable = tags.map((tag) => [...tag]);
  const { id, pubkey, sig } = finalizeEvent(
    { created_at, kind, tags: mutable, content },
    secretKey,
  );
  return { id, pubkey, created_at, kind, tags, content, sig };
}
