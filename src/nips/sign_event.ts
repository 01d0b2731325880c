/**
 * Signing, by libsecp256k1 compiled to WebAssembly: a third of the time that JavaScript takes, and in constant time.
 *
 * @module
 */
import {
  eventId,
  type NostrEvent,
  type UnsignedEvent,
} from "../models/event.ts";

/**
 * Signs an event (BIP-340). `pubkey` has to be the public half of the key; neither is looked at.
 * The first call loads the WASM, which has 1.2 MB and needs permission to read it.
 */
export async function signEvent(
  { pubkey, created_at, kind, tags, content }: UnsignedEvent,
  secretKey: Uint8Array,
): Promise<NostrEvent> {
  const { signSchnorr } = await import("tiny-secp256k1");
  const unsigned = { pubkey, created_at, kind, tags, content };
  const id = eventId(unsigned);
  const random = crypto.getRandomValues(new Uint8Array(32));
  const sig = signSchnorr(Uint8Array.fromHex(id), secretKey, random);
  return { id, ...unsigned, sig: sig.toHex() };
}
