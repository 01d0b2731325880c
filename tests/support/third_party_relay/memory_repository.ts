/**
 * A small in-memory store for the third-party relay: its own needs a compiler.
 *
 * It keeps the habits of the original (@nostr-relay/event-repository-sqlite), which live relays show:
 * a default limit of 100, a silent maximum of 1000, `since: 0` and `until: 0` ignored, newest first,
 * and within one second in the order of arrival.
 *
 * @module
 */
import {
  type Event,
  EventRepository,
  type EventRepositoryUpsertResult,
  EventUtils,
  type Filter,
} from "@nostr-relay/common";

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1000;

/** Events in memory, one version of each replaceable or addressable one. */
export class MemoryRepository extends EventRepository {
  readonly #byId = new Map<string, Event>();
  /** Address (`kind:author:d`) to the id of the version that is kept. */
  readonly #addresses = new Map<string, string>();
  /** Newest first; sorted when next asked for. */
  #sorted: Event[] = [];
  #stale = false;

  /** How many events are held. */
  get size(): number {
    return this.#byId.size;
  }

  override isSearchSupported(): boolean {
    return false;
  }

  override upsert(event: Event): EventRepositoryUpsertResult {
    if (this.#byId.has(event.id) || !this.#replaceOlder(event)) {
      return { isDuplicate: true };
    }
    this.#byId.set(event.id, event);
    this.#stale = true;
    return { isDuplicate: false };
  }

  override find(filter: Filter): Event[] {
    const limit = Math.min(filter.limit ?? DEFAULT_LIMIT, MAX_LIMIT);
    const found: Event[] = [];
    for (const event of this.#candidates(filter)) {
      if (found.length >= limit) break;
      if (matches(event, filter)) found.push(event);
    }
    return found;
  }

  override destroy(): Promise<void> {
    this.#byId.clear();
    this.#sorted = [];
    return Promise.resolve();
  }

  /** Makes room for a newer version; false when the one that is held is newer. */
  #replaceOlder(event: Event): boolean {
    const identifier = EventUtils.extractDTagValue(event);
    if (identifier === null) return true;
    const address = `${event.kind}:${event.pubkey}:${identifier}`;
    const held = this.#byId.get(this.#addresses.get(address) ?? "");
    if (held !== undefined && !isNewer(event, held)) return false;
    if (held !== undefined) this.#byId.delete(held.id);
    this.#addresses.set(address, event.id);
    return true;
  }

  #candidates(filter: Filter): Iterable<Event> {
    if (filter.ids !== undefined && filter.ids.length > 0) {
      return filter.ids.flatMap((id) => this.#byId.get(id) ?? []);
    }
    if (this.#stale) {
      this.#sorted = [...this.#byId.values()]
        .sort((a, b) => b.created_at - a.created_at);
      this.#stale = false;
    }
    return this.#sorted;
  }
}

function isNewer(event: Event, held: Event): boolean {
  return event.created_at > held.created_at ||
    (event.created_at === held.created_at && event.id < held.id);
}

function matches(event: Event, filter: Filter): boolean {
  if (!EventUtils.isMatchingFilter(event, filter)) return false;
  return Object.entries(filter).every(([key, values]) =>
    !key.startsWith("#") || !Array.isArray(values) ||
    event.tags.some(([name, value]) =>
      name === key.slice(1) && value !== undefined &&
      values.some((wanted) => wanted === value)
    )
  );
}
