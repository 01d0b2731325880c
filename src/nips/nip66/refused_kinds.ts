/**
 * The kinds that a relay says it does not keep: `retention` with a time of 0, which older texts of NIP-11 have and relays
 * still write. What it says it keeps is no promise to accept it.
 *
 * @module
 */
import { MAX_KIND } from "../../models/kinds.ts";

/** More are not repeated; a longer range is not listed. */
const MAX_KINDS = 100;

/** Each once, ascending. What is not understood is left out. */
export function refusedKinds(retention: unknown): number[] {
  const kinds = listOf(retention).flatMap(kindsOfRule);
  return [...new Set(kinds)].sort((a, b) => a - b).slice(0, MAX_KINDS);
}

function kindsOfRule(rule: unknown): number[] {
  if (typeof rule !== "object" || rule === null) return [];
  const { kinds, time }: { kinds?: unknown; time?: unknown } = rule;
  return time === 0 ? listOf(kinds).flatMap(expanded) : [];
}

/** A kind, or the first and last of a range. */
function expanded(item: unknown): number[] {
  const [from, to = from, ...more] = Array.isArray(item) ? item : [item];
  if (!isKind(from) || !isKind(to) || more.length > 0) return [];
  const length = to - from + 1;
  return length > 0 && length <= MAX_KINDS
    ? Array.from({ length }, (_, i) => from + i)
    : [];
}

function isKind(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 0 &&
    Number(value) <= MAX_KIND;
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
