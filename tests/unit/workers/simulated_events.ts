/**
 * Events as a walk sees them; nothing about them is signed.
 *
 * @module
 */
import type { NostrEvent } from "../../../src/models/event.ts";

export const FIRST = 1_700_000_000;
export const BURST_AT = FIRST + 5_000_000;
let made = 0;

export function hex(number: number): string {
  return number.toString(16).padStart(64, "0");
}

/** An event as a walk sees it; nothing about it is signed. */
export function fake(
  { createdAt, kind = 1, author = 0 }: {
    createdAt: number;
    kind?: number;
    author?: number;
  },
): NostrEvent {
  const number = made++;
  // Multiplied by an odd number modulo 2^32, so that ids come in another order than times.
  const scattered = Math.imul(number, 2_654_435_761) >>> 0;
  return {
    id: hex(scattered),
    pubkey: hex(author),
    created_at: createdAt,
    kind,
    tags: [],
    content: "",
    sig: hex(Math.imul(number + 1, 0x9e3779b1) >>> 0) + hex(0),
  };
}

/** Events 60 s apart, in runs of three that share a second. */
export function spread(count: number, since = FIRST): NostrEvent[] {
  return Array.from({ length: count }, (_, i) =>
    fake({
      createdAt: since + Math.floor(i / 3) * 60,
      kind: [1, 7, 0, 30_023][i % 4]!,
      author: i % 10,
    }));
}

export function burst(count: number, { authors }: { authors: number }) {
  return Array.from(
    { length: count },
    (_, i) =>
      fake({ createdAt: BURST_AT, author: i % authors, kind: [1, 7][i % 2]! }),
  );
}
