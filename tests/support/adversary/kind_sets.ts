/**
 * Sets of kinds that relays treat apart; a parameter names one by its number.
 *
 * @module
 */

const KIND_SETS: readonly ReadonlySet<number>[] = [
  // Private messages: strfry and others give them to nobody but those concerned.
  new Set([4, 1059]),
  // Reactions, by which many pages of a public relay are filled.
  new Set([7]),
  // Profiles and lists.
  new Set([0, 3, 10_002]),
  // A rare one.
  new Set([30_023]),
  // Notes: most of what there is.
  new Set([1]),
];

/** The numbers of all sets. */
export const KIND_SET_NUMBERS: readonly number[] = [...KIND_SETS.keys()];

/** The set of this number. */
export function kindSet(number: number): ReadonlySet<number> {
  const set = KIND_SETS[number];
  if (set === undefined) throw new Error(`No set of kinds ${number}`);
  return set;
}
