/**
 * What the archive knows a relay to list, read from the host in chunks, and bounded: where it is too much for one
 * comparison, the newest part of the window.
 *
 * @module
 */
import type { EventKeys } from "../../models/encoded_events.ts";
import type { Window } from "../../models/window.ts";
import type { WalkJob } from "../protocol/job.ts";
import type { HostLink } from "../worker/host_link.ts";

import { joinKeys, keysIn } from "./key_list.ts";

/** Keys compared at once: 4 MB. A single second may have more. */
const MAX_KEYS = 100_000;

export interface OwnVector {
  /** Ascending: all of the window. */
  readonly keys: EventKeys;
  /** The window asked for, or its newest part. */
  readonly window: Window;
}

/** Null when the archive cannot tell what the filter selects. */
export async function readVector(
  link: HostLink,
  { filter, filterHash }: WalkJob,
  window: Window,
): Promise<OwnVector | null> {
  const chunks: EventKeys[] = [];
  let size = 0;
  let before = null;
  do {
    const query = { filter, filterHash, window, before };
    const chunk = await link.askVector(query);
    if (chunk === null) return null;
    chunks.unshift(chunk.keys);
    size += chunk.keys.createdAt.length;
    before = chunk.next;
    // The second in which it is cut may have more.
    const isCut = before !== null && before.createdAt < window.until;
    if (isCut && size >= MAX_KEYS) {
      const newest = { since: before!.createdAt + 1, until: window.until };
      return { keys: keysIn(joinKeys(chunks), newest), window: newest };
    }
  } while (before !== null);
  return { keys: joinKeys(chunks), window };
}
