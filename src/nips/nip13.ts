/**
 * Proof of work (NIP-13), in small portions so that everything else goes on meanwhile.
 *
 * @module
 */
import { yieldToEventLoop } from "../base/yield.ts";
import { getPow } from "nostr-tools/nip13";
import { eventId, type UnsignedEvent } from "../models/event.ts";

/** Hashes between two looks at the clock and the signal. */
const PORTION = 2_000;

/**
 * Adds the `nonce` tag that makes the event's id begin with `difficulty` zero bits: about 2^difficulty hashes.
 * Null when the time was not enough, or the signal aborted.
 */
export async function minePow(
  event: UnsignedEvent,
  { difficulty, timeoutMs, signal }: {
    difficulty: number;
    timeoutMs: number;
    signal: AbortSignal;
  },
): Promise<UnsignedEvent | null> {
  const endsAt = performance.now() + timeoutMs;
  for (let nonce = 0;;) {
    for (const end = nonce + PORTION; nonce < end; nonce++) {
      const tag = ["nonce", String(nonce), String(difficulty)];
      const candidate = { ...event, tags: [...event.tags, tag] };
      if (getPow(eventId(candidate)) >= difficulty) return candidate;
    }
    if (performance.now() > endsAt) return null;
    await yieldToEventLoop();
    if (signal.aborted) return null;
  }
}
