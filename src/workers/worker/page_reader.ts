/**
 * Reads one page: what of it is an event, was asked for, and is worth handing on; and what the walk learns from it.
 *
 * @module
 */
import { hasValidId, type NostrEvent, parseEvent } from "../../models/event.ts";
import { type Filter, matchesFilter } from "../../models/filter.ts";
import type { EventHead } from "../../nips/client/relay_message.ts";
import type { RejectReason } from "../protocol/report.ts";

import type { Page, PageEnd, PageEvent, Query } from "../walk/page.ts";

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
  /** In the window, in order of arrival. */
  readonly #events: PageEvent[] = [];
  /** Those of them that match the filter. */
  readonly #wanted: PageEvent[] = [];
  readonly #unread: (number | null)[] = [];
  /** Whether it had to wait until there was room for what came. */
  backpressured = false;
  #strangers = 0;
  #newer = 0;
  #older = 0;

  constructor(query: Query, sink: PageSink) {
    const { since: _since, until: _until, limit: _limit, ...filter } =
      query.match ?? query.filter;
    this.#query = query;
    this.#filter = filter;
    this.#sink = sink;
  }

  /** Takes the payload of one EVENT message. */
  take(raw: unknown): void {
    const parsed = parseEvent(raw);
    if (!parsed.ok) {
      this.#strangers += 1;
      const { code, detail } = parsed.failure;
      this.#sink.reject(code, detail, raw);
      return;
    }
    const event = parsed.value;
    // The id does not cover the signature: a forged one must not shut out the real event behind it.
    if (this.#signatures.get(event.id) === event.sig) return;
    if (hasValidId(event)) {
      this.#signatures.set(event.id, event.sig);
      this.#place(event);
    } else {
      this.#strangers += 1;
      this.#sink.reject("id", "The id is not the hash of the event", event);
    }
  }

  /** An event came that is too long to be read. */
  skip(head: EventHead | null): void {
    this.#sink.reject("too-large", "Longer than maxEventBytes", head);
    this.#strangers += 1;
    const { since, until } = this.#query.window;
    const at = head?.createdAt ?? null;
    if (at === null || (at >= since && at <= until)) this.#unread.push(at);
  }

  /** Distinct events of any sort so far. */
  get size(): number {
    return this.#signatures.size + this.#strangers;
  }

  /** What the walk gets. */
  page(end: PageEnd): Page {
    return {
      events: this.#evidence(),
      accepted: this.#query.evidenceOnly ? [] : this.#wanted,
      size: this.size,
      newer: this.#newer,
      older: this.#older,
      unread: this.#unread,
      isShared: false,
      backpressured: this.backpressured,
      limit: this.#query.limit,
      end,
    };
  }

  /**
   * A relay that ignores a part of the filter tells by all its events how far down the page went. Strangers that stand
   * out of line tell nothing.
   */
  #evidence(): readonly PageEvent[] {
    const inLine = this.#events.every(({ createdAt }, i) =>
      i === 0 || createdAt <= this.#events[i - 1]!.createdAt
    );
    return inLine || this.#wanted.length === 0 ? this.#events : this.#wanted;
  }

  #place(event: NostrEvent): void {
    const { id, created_at: createdAt, kind, pubkey, sig } = event;
    const { since, until } = this.#query.window;
    if (createdAt > until) this.#newer += 1;
    else if (createdAt < since) this.#older += 1;
    else {
      const placed = { id, createdAt, kind, pubkey, sig };
      this.#events.push(placed);
      if (matchesFilter(this.#filter, event)) {
        this.#wanted.push(placed);
        this.#sink.accept(event);
        return;
      }
    }
    this.#sink.reject("filter", "It was not asked for", event);
  }
}
