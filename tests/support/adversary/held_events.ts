/**
 * What an adversary holds, and what an honest relay would answer from it (NIP-01).
 *
 * @module
 */
import type { NostrEvent } from "../../../src/models/event.ts";
import type { Filter } from "../../../src/models/filter.ts";
import { isReplaceable } from "./corpus.ts";

/** How one filter is answered, where not as NIP-01 has it. */
export interface Selection {
  /** Most events. */
  readonly limit: number;
  /** Whether the relay looks at the event at all. */
  readonly sees?: ((event: NostrEvent) => boolean) | undefined;
  /** Puts all that match in the order from which the first are taken. */
  readonly arranges?:
    | ((events: readonly NostrEvent[]) => readonly NostrEvent[])
    | undefined;
}

/** Events in the order of NIP-01: newest first, ties by lowest id. */
export class HeldEvents {
  #sorted: NostrEvent[] = [];
  readonly #byId = new Map<string, NostrEvent>();

  /** Newest first. */
  get all(): readonly NostrEvent[] {
    return this.#sorted;
  }

  has(id: string): boolean {
    return this.#byId.has(id);
  }

  /** Stores them; of replaceable kinds the newest of each author stays. */
  add(events: readonly NostrEvent[]): void {
    for (const event of events) this.#byId.set(event.id, event);
    this.#sorted = [...this.#byId.values()].sort(newestFirst);
    const replaced = this.#replacedBy(events);
    if (replaced.length > 0) this.remove(replaced);
  }

  remove(events: readonly NostrEvent[]): void {
    for (const { id } of events) this.#byId.delete(id);
    this.#sorted = this.#sorted.filter(({ id }) => this.#byId.has(id));
  }

  /** What a filter gets, and whether that is all that matches. */
  select(
    filter: Filter,
    { limit, sees, arranges }: Selection,
  ): { readonly found: readonly NostrEvent[]; readonly isWhole: boolean } {
    const matches = matcherOf(filter);
    const found: NostrEvent[] = [];
    const most = arranges === undefined ? limit : Infinity;
    const { events, start, end } = this.#candidates(filter);
    for (let i = start; i < end; i++) {
      const event = events[i]!;
      if (!matches(event) || sees !== undefined && !sees(event)) continue;
      if (found.length >= most) return { found, isWhole: false };
      found.push(event);
    }
    if (arranges === undefined) return { found, isWhole: true };
    const arranged = arranges(found).slice(0, limit);
    return { found: arranged, isWhole: arranged.length === found.length };
  }

  /** The nth event (from 1) of a window, newest first; the last one where there are fewer, null where there are none. */
  nthWithin(
    { since, until }: Pick<Filter, "since" | "until">,
    nth: number,
  ): NostrEvent | null {
    const { start, end } = this.#range(since, until);
    return start < end ? this.#sorted[Math.min(start + nth, end) - 1]! : null;
  }

  #candidates({ ids, since, until }: Filter) {
    if (ids === undefined) {
      return { events: this.#sorted, ...this.#range(since, until) };
    }
    const events = [...new Set(ids)]
      .flatMap((id) => this.#byId.get(id) ?? [])
      .sort(newestFirst);
    return { events, start: 0, end: events.length };
  }

  #range(since = 0, until = Infinity) {
    return {
      start: this.#firstIndex((at) => at <= until),
      end: this.#firstIndex((at) => at < since),
    };
  }

  /** Index of the newest event whose date fulfils `holds`, which has to be so for all that are older. */
  #firstIndex(holds: (createdAt: number) => boolean): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (holds(this.#sorted[middle]!.created_at)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #replacedBy(added: readonly NostrEvent[]): NostrEvent[] {
    if (!added.some(({ kind }) => isReplaceable(kind))) return [];
    const newest = new Set<string>();
    return this.#sorted.filter(({ kind, pubkey }) => {
      if (!isReplaceable(kind)) return false;
      const address = `${kind}:${pubkey}`;
      const isReplaced = newest.has(address);
      newest.add(address);
      return isReplaced;
    });
  }
}

/** The order of NIP-01. */
export function newestFirst(a: NostrEvent, b: NostrEvent): number {
  if (a.created_at !== b.created_at) return b.created_at - a.created_at;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

/** Whether events match a filter; written apart from the program's own. */
export function matcherOf(filter: Filter): (event: NostrEvent) => boolean {
  const { since = 0, until = Infinity } = filter;
  const kinds = filter.kinds && new Set(filter.kinds);
  const authors = filter.authors && new Set(filter.authors);
  const ids = filter.ids && new Set(filter.ids);
  const tags = tagsOf(filter);
  return (event) =>
    event.created_at >= since && event.created_at <= until &&
    (kinds === undefined || kinds.has(event.kind)) &&
    (authors === undefined || authors.has(event.pubkey)) &&
    (ids === undefined || ids.has(event.id)) &&
    (tags.length === 0 || hasTags(event, tags));
}

type WantedTag = readonly [name: string, values: ReadonlySet<string>];

function tagsOf(filter: Filter): WantedTag[] {
  const tags: WantedTag[] = [];
  for (const [field, values] of Object.entries(filter)) {
    if (field.startsWith("#") && Array.isArray(values)) {
      tags.push([field.slice(1), new Set(values)]);
    }
  }
  return tags;
}

function hasTags(event: NostrEvent, wanted: readonly WantedTag[]): boolean {
  return wanted.every(([name, values]) =>
    event.tags.some(([tag, value]) =>
      tag === name && value !== undefined && values.has(value)
    )
  );
}
