/**
 * Event kinds: the classes of NIP-01, and names for the kinds this program treats specially.
 *
 * @module
 */

/** What a relay is expected to do with events of a kind (NIP-01). */
export type KindClass =
  | "regular"
  | "replaceable"
  | "ephemeral"
  | "addressable"
  | "other";

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
  giftWrap: 1059,
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

/**
 * The class of a kind. Kinds that NIP-01 puts into no range (45–999, and 40000 and above) are `other`:
 * relays store them like regular ones, but nothing promises it.
 */
export function kindClass(kind: number): KindClass {
  if (kind === KIND.profile || kind === KIND.contacts) return "replaceable";
  if (kind === 1 || kind === 2 || within(kind, 4, 44)) return "regular";
  if (within(kind, 1000, 9999)) return "regular";
  if (within(kind, 10_000, 19_999)) return "replaceable";
  if (within(kind, 20_000, 29_999)) return "ephemeral";
  if (within(kind, 30_000, 39_999)) return "addressable";
  return "other";
}

function within(kind: number, first: number, last: number): boolean {
  return kind >= first && kind <= last;
}
