/**
 * What a test relay holds: sorted as NIP-01 answers, each event serialised once.
 *
 * @module
 */
import type { NostrEvent } from "../../src/models/event.ts";
import { type Filter, matchesFilter } from "../../src/models/filter.ts";

/** An event and its JSON text, encoded at first use. */
export class StoredEvent {
  #json: Uint8Array | undefined;

  constructor(readonly event: NostrEvent) {}

  get json(): Uint8Array {
    return this.#json ??= new TextEncoder().encode(JSON.stringify(this.event));
  }
}

/** The limits of one answer. */
export interface Selection {
  readonly limit: number;
  readonly oldestFirst: boolean;
}

/** All events of a relay, newest first, ties by lowest id. */
export class StoredEvents {
  #sorted: StoredEvent[];
  #byId: Map<string, StoredEvent>;

  constructor(events: readonly NostrEvent[]) {
    this.#byId = new Map(
      events.map((event) => [event.id, new StoredEvent(event)]),
    );
    this.#sorted = [...this.#byId.values()].sort(compareStored);
  }

  has(id: string): boolean {
    return this.#byId.has(id);
  }

  add(event: NostrEvent): void {
    if (this.#byId.has(event.id)) return;
    const stored = new StoredEvent(event);
    this.#byId.set(event.id, stored);
    const place = this.#firstIndex((other) => compareStored(other, stored) > 0);
    this.#sorted.splice(place, 0, stored);
  }

  /** How many match any of the filters, limits aside. */
  count(filters: readonly Filter[]): number {
    const found = new Set<StoredEvent>();
    for (const filter of filters) {
      for (const stored of this.#range(filter)) {
        if (matchesFilter(filter, stored.event)) found.add(stored);
      }
    }
    return found.size;
  }

  /** What one filter gets, and whether that was all. */
  select(
    filter: Filter,
    { limit, oldestFirst }: Selection,
  ): { found: StoredEvent[]; complete: boolean } {
    const found: StoredEvent[] = [];
    const range = this.#range(filter);
    for (const stored of oldestFirst ? range.reverse() : range) {
      if (!matchesFilter(filter, stored.event)) continue;
      if (found.length >= limit) return { found, complete: false };
      found.push(stored);
    }
    return { found, complete: true };
  }

  /** The candidates for a filter in order: by id, or by the window of time. */
  #range({ ids, since, until }: Filter): StoredEvent[] {
    if (ids !== undefined) {
      return [...new Set(ids)]
        .flatMap((id) => this.#byId.get(id) ?? [])
        .sort(compareStored);
    }
    const start = until === undefined
      ? 0
      : this.#firstIndex(({ event }) => event.created_at <= until);
    const end = since === undefined
      ? this.#sorted.length
      : this.#firstIndex(({ event }) => event.created_at < since);
    return this.#sorted.slice(start, end);
  }

  /** Index of the first event that `holds` is true of; it must be true of all after it. */
  #firstIndex(holds: (stored: StoredEvent) => boolean): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const stored = this.#sorted[middle];
      if (stored !== undefined && holds(stored)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

function compareStored(
  { event: a }: StoredEvent,
  { event: b }: StoredEvent,
): number {
  if (a.created_at !== b.created_at) return b.created_at - a.created_at;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}
