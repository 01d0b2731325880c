/**
 * Reads one page: what of it is an event, was asked for, and is worth handing on; and what the walk learns from it.
 *
 * @module
 */
import type { NostrEvent } from "../../models/event.ts";
import { type Filter, matchesFilter } from "../../models/filter.ts";
import { OPEN_END } from "../../models/window.ts";
import type { Unread } from "../../nips/client/unread.ts";
import { readEvent } from "../ingest/read_event.ts";
import type { RejectReason } from "../protocol/report.ts";
import type { Page, PageEnd, PageEvent, Query } from "../walk/page.ts";
import { holesOf, isInOrder, type Mark } from "./page_holes.ts";

/** Takes what a page brings. */
export interface PageSink {
  /** Right in shape, id and filter; not a repetition within the page. */
  accept(event: NostrEvent): void;
  reject(reason: RejectReason, detail: string, raw: unknown): void;
}

export class PageReader {
  readonly #query: Query;
  readonly #filter: Filter;
  readonly #sink: PageSink;
  readonly #signatures = new Map<string, string>();
  readonly #extra = new Map<string, PageEvent>();
  /** In the window, in order of arrival. */
  readonly #events: PageEvent[] = [];
  /** Those of them that match the filter. */
  readonly #wanted: PageEvent[] = [];
  /** What could not be read, by its place among either of them. */
  readonly #marks: Mark[] = [];
  readonly #wantedMarks: Mark[] = [];
  /** Whether it had to wait until there was room for what came. */
  backpressured = false;
  #count = 0;
  #extraCount = 0;
  #strangers = 0;
  #newer = 0;
  #older = 0;
  #lowest = OPEN_END;

  constructor(query: Query, sink: PageSink) {
    this.#query = query;
    this.#filter = wantedBy(query);
    this.#sink = sink;
  }

  /** Takes the payload of one EVENT message, or what could not be read. */
  take(raw: unknown): void {
    this.#count += 1;
    const read = readEvent(raw, this.#filter);
    if (read.ok) return this.#accept(read.value);
    const { reason, detail, raw: seen, stranger, unread } = read.failure;
    if (stranger !== null && !this.#placeStranger(stranger)) return;
    if (stranger === null) this.#strangers += 1;
    if (unread !== null) this.#mark(unread);
    this.#sink.reject(reason, detail, seen);
  }

  /** What came so far, those of the extra filters aside: a relay counts what it repeats, too. */
  get size(): number {
    return this.#count - this.#extraCount;
  }

  /** A little more than asked for is let pass; a relay that ignores limits is stopped there. */
  get maxEvents(): number {
    const { limit, extraFilters = [] } = this.#query;
    const asked = extraFilters.reduce(
      (sum, extra) => sum + (extra.limit ?? 0),
      limit,
    );
    return asked + Math.max(64, limit >> 3);
  }

  /** Whether as many events came as are let pass. Repetitions do not make a page. */
  get isFull(): boolean {
    const distinct = this.#signatures.size + this.#strangers +
      this.#extra.size;
    return this.#count >= this.maxEvents && distinct * 2 >= this.#count;
  }

  /** The ids of the events that came and were asked for. */
  get ids(): string[] {
    return this.#wanted.map(({ id }) => id);
  }

  /** What the walk gets. */
  page(end: PageEnd): Page {
    const isTold = isInOrder(this.#events) || this.#wanted.length === 0;
    return {
      // A relay that ignores a part of the filter tells by all its events how far down the page went. Strangers that
      // stand out of line tell nothing.
      events: isTold ? this.#events : this.#wanted,
      accepted: this.#query.evidenceOnly ? [] : this.#wanted,
      size: this.size,
      newer: this.#newer,
      older: this.#older,
      lowest: this.#lowest,
      unread: isTold
        ? holesOf(this.#marks, this.#events, this.#query.window)
        : holesOf(this.#wantedMarks, this.#wanted, this.#query.window),
      extra: [...this.#extra.values()],
      isShared: false,
      backpressured: this.backpressured,
      limit: this.#query.limit,
      end,
    };
  }

  #accept(event: NostrEvent): void {
    if (this.#isRepeated(event)) return;
    const placed = toPageEvent(event);
    this.#events.push(placed);
    this.#wanted.push(placed);
    this.#sink.accept(event);
  }

  /** False when there is nothing to say about it. */
  #placeStranger(event: NostrEvent): boolean {
    const { extraFilters = [], window } = this.#query;
    if (extraFilters.some((filter) => matchesFilter(filter, event))) {
      this.#extra.set(event.id, toPageEvent(event));
      this.#extraCount += 1;
      return false;
    }
    if (this.#isRepeated(event)) return false;
    if (event.created_at > window.until) this.#newer += 1;
    else if (event.created_at < window.since) {
      this.#older += 1;
      this.#lowest = Math.min(this.#lowest, event.created_at);
    } else this.#events.push(toPageEvent(event));
    return true;
  }

  /** The id does not cover the signature: a forged one must not shut out the real event behind it. */
  #isRepeated({ id, sig }: NostrEvent): boolean {
    if (this.#signatures.get(id) === sig) return true;
    this.#signatures.set(id, sig);
    return false;
  }

  #mark(unread: Unread): void {
    // What was asked for by its id is found missing.
    if (this.#query.match !== undefined && !isDated(unread)) return;
    this.#marks.push({ unread, place: this.#events.length });
    this.#wantedMarks.push({ unread, place: this.#wanted.length });
  }
}

/** What the events of a query have to match. */
export function wantedBy({ filter, match, window }: Query): Filter {
  const { limit: _limit, ...rest } = match ?? filter;
  return { ...rest, since: window.since, until: window.until };
}

function isDated({ head }: Unread): boolean {
  return head.createdAt !== undefined;
}

function toPageEvent(event: NostrEvent): PageEvent {
  const { id, created_at: createdAt, kind, pubkey, sig } = event;
  return { id, createdAt, kind, pubkey, sig };
}
