/**
 * Events as a walk sees them; nothing about them is signed.
 *
 * @module
 */
import type { NostrEvent } from "../../../../src/models/event.ts";

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
  return {
    id: scattered(number, [0x9e3779b1, 0x85ebca6b]),
    pubkey: hex(author),
    created_at: createdAt,
    kind,
    tags: [],
    content: "",
    sig: scattered(number, [0xc2b2ae35, 0x27d4eb2f]) + hex(0),
  };
}

/** Multiplied by odd numbers modulo 2^32: other first digits for every number, in another order than the numbers. */
function scattered(number: number, factors: readonly number[]): string {
  return factors
    .map((factor) => Math.imul(number, factor) >>> 0)
    .map((digits) => digits.toString(16).padStart(8, "0"))
    .join("").padEnd(64, "0");
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
