/**
 * A DNS document that stays the same while the records do. A resolver counts the lifetimes of what it remembers down,
 * so that each look gives another number: what is kept is the next usual lifetime above the largest seen lately.
 *
 * @module
 */
import { z } from "zod";
import type { CheckDocument } from "../../nips/check_document.ts";

/** The largest lifetimes seen since a moment (Unix seconds by the database's clock), by field. */
export const dnsLifetimes = z.object({
  since: z.number(),
  seen: z.record(z.string(), z.number()),
});

export type DnsLifetimes = z.output<typeof dnsLifetimes>;

const FIELDS = ["dns_ttl", "dns_ttl_v6"] as const;

/** Lifetimes that people write into zones, seconds. A longer one is kept as it is. */
const USUAL = [60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 21_600];
const USUAL_LONG = [28_800, 43_200, 86_400, 172_800, 604_800];

/** Then a smaller lifetime than before is believed. */
const FORGET_SECONDS = 30 * 86_400;

/** Replaces the lifetimes in a document, and gives what to remember. */
export function steadyDns(
  document: CheckDocument,
  before: DnsLifetimes | undefined,
  now: number,
): { document: CheckDocument; lifetimes: DnsLifetimes } {
  const isFresh = before !== undefined && before.since <= now &&
    now - before.since < FORGET_SECONDS;
  const seen = isFresh ? { ...before.seen } : {};
  const since = isFresh ? before.since : now;
  const data = { ...document.data };
  for (const field of FIELDS) {
    const seconds = data[field];
    if (typeof seconds !== "number") continue;
    const largest = Math.max(usual(seconds), seen[field] ?? 0);
    seen[field] = largest;
    data[field] = largest;
  }
  return { document: { ...document, data }, lifetimes: { since, seen } };
}

function usual(seconds: number): number {
  const known = [...USUAL, ...USUAL_LONG];
  return known.find((it) => it >= seconds) ?? seconds;
}
