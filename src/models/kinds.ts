/**
 * Event kinds, and names for those this program treats specially.
 *
 * @module
 */

/** The largest kind NIP-01 knows. */
export const MAX_KIND = 65_535;

/** The kinds that some part of this program names. */
export const KIND = {
  profile: 0,
  note: 1,
  recommendRelay: 2,
  contacts: 3,
  encryptedMessage: 4,
  deletion: 5,
  repost: 6,
  vanish: 62,
  groupMessage: 445,
  giftWrap: 1059,
  ephemeralGiftWrap: 21_059,
  relayList: 10_002,
  blockedRelays: 10_006,
  searchRelays: 10_007,
  groups: 10_009,
  favouriteRelays: 10_012,
  messageRelays: 10_050,
  keyPackageRelays: 10_051,
  wikiRelays: 10_102,
  monitorAnnouncement: 10_166,
  clientAuth: 22_242,
  writeTest: 22_456,
  relaySet: 30_002,
  relayDiscovery: 30_166,
} as const;

/** Kinds whose every event is signed by a key of its own (NIP-59, NIP-EE); `kind_is_throwaway()` in SQL. */
const THROWAWAY: ReadonlySet<number> = new Set([
  KIND.groupMessage,
  KIND.giftWrap,
  KIND.ephemeralGiftWrap,
]);

/** Whether events of a kind tell nothing about authors, as each has one of its own. */
export function isThrowaway(kind: number): boolean {
  return THROWAWAY.has(kind);
}
