/**
 * Kinds a walk knows something about: those most events have, and those relays hold back.
 *
 * @module
 */
import type { Filter } from "../../models/filter.ts";

/** Four events of five have one of these (relay statistics of 2023 to 2026), most frequent first. */
export const POPULAR_KINDS: readonly number[] = [
  1,
  7,
  0,
  3,
  6,
  5,
  9735,
  10002,
  1984,
  30023,
  42,
  30078,
  16,
  1111,
  10000,
  30166,
  10050,
  1063,
  9734,
  1985,
];

/**
 * Private messages. Relays drop them from what they answer to strangers, and some (strfry) only after having counted
 * them against the limit: a page that should be full then comes short, or empty.
 */
const RESTRICTED_KINDS: ReadonlySet<number> = new Set([4, 13, 14, 1059, 1060]);

export function isRestrictedKind(kind: number): boolean {
  return RESTRICTED_KINDS.has(kind);
}

/** Whether a filter leaves open which kinds are meant. */
export function isBroad({ kinds, ids }: Filter): boolean {
  return kinds === undefined && ids === undefined;
}
