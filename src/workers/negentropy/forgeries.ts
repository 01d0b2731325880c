/**
 * Events that a relay lists and gives, and whose signature is not the author's: to be remembered as withheld, or each
 * comparison would find them missing again.
 *
 * @module
 */
import type { NostrEvent } from "../../models/event.ts";
import { matchesFilter } from "../../models/filter.ts";
import type { ListingNote } from "../protocol/messages.ts";
import type { WalkJob } from "../protocol/job.ts";

/** Of one session; the others come up again the next time. */
const MAX_EVENTS = 20_000;

export class Forgeries {
  readonly #walks: readonly WalkJob[];
  /** By the hash of a filter that selects them: their seconds by their ids. */
  readonly #found = new Map<string, Map<string, number>>();
  #size = 0;

  constructor(walks: readonly WalkJob[]) {
    this.#walks = walks;
  }

  add(event: NostrEvent): void {
    if (this.#size >= MAX_EVENTS) return;
    this.#size += 1;
    for (const { filter, filterHash } of this.#walks) {
      if (!matchesFilter(filter, event)) continue;
      const found = this.#found.get(filterHash) ?? new Map<string, number>();
      this.#found.set(filterHash, found.set(event.id, event.created_at));
    }
  }

  /** One for each filter that selects any of them. */
  notes(): ListingNote[] {
    return [...this.#found].map(([filterHash, found]) => ({
      filterHash,
      state: "withheld",
      keys: {
        ids: Uint8Array.fromHex([...found.keys()].join("")),
        createdAt: Float64Array.from(found.values()),
      },
    }));
  }
}
