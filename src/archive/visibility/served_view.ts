/**
 * The served view: what of the archive may be given to others. Decided in `33_served.sql` alone, for the snapshot of the
 * reader: a request to delete or to vanish counts as soon as it is committed, and whatever it is about may come later.
 *
 * @module
 */

export interface ServedView {
  /** Public keys, hex, that whoever asks has proven to have: they see what was sent privately to and by them. */
  readonly viewers: readonly string[];
  /** Our own URL, for requests to vanish from us (NIP-62); null without one. */
  readonly ownUrl: string | null;
  /** Whether superseded versions of replaceable and addressable events are given, too. */
  readonly allVersions: boolean;
}

/** What strangers may see. */
export const PUBLIC_VIEW: ServedView = {
  viewers: [],
  ownUrl: null,
  allVersions: false,
};

/** A URL as `event_vanish` has it. */
export function vanishUrl(url: string): string {
  return url.toLowerCase().replace(/\/+$/, "");
}
