/**
 * What comes for a page after its EOSE: events that it should have brought, and so contradict it.
 *
 * Kept for as long as the connection knows the subscription, and therefore small: of the page itself it remembers eight
 * bytes an event.
 *
 * @module
 */
import type { NostrEvent } from "../../models/event.ts";
import type { Filter } from "../../models/filter.ts";
import { mayBeLate } from "../../nips/client/subscription.ts";
import { readEvent } from "../ingest/read_event.ts";
import type { Hole, Query } from "../walk/page.ts";
import { holesOf } from "./page_holes.ts";
import { type PageSink, wantedBy } from "./page_reader.ts";

/** Hears of what comes late. Both may be called long after the page was handed over, until the connection ends. */
export interface LateSink extends PageSink {
  /**
   * An event that was asked for came after EOSE, and not before; it has been given to `accept` just now. A young one may
   * have been published since, and contradicts nothing.
   */
  late?(query: Query, event: NostrEvent): void;
  /** Something came after EOSE that could not be read. */
  lateUnread?(query: Query, hole: Hole): void;
}

export class LateEvents {
  readonly #query: Query;
  readonly #filter: Filter;
  readonly #sink: LateSink;
  /** What came before the page was read to its end; null after that. */
  #held: unknown[] | null = [];
  #seen = new Float64Array();
  readonly #came = new Set<string>();
  readonly #count: () => void;

  /** `count` is called for each event that came late and is too old to have been published since. */
  constructor(query: Query, sink: LateSink, count: () => void) {
    this.#query = query;
    this.#filter = wantedBy(query);
    this.#sink = sink;
    this.#count = count;
  }

  /** Takes the payload of one EVENT message, or what could not be read. */
  readonly take = (payload: unknown): void => {
    if (this.#held === null) this.#judge(payload);
    else this.#held.push(payload);
  };

  /** The page has been read, and these events were in it. */
  begin(ids: readonly string[]): void {
    this.#seen = Float64Array.from(ids, fingerprint);
    const held = this.#held ?? [];
    this.#held = null;
    for (const payload of held) this.#judge(payload);
  }

  #judge(payload: unknown): void {
    const read = readEvent(payload, this.#filter);
    if (read.ok) return this.#take(read.value);
    const { unread } = read.failure;
    if (unread === null) return;
    const marks = [{ unread, place: 0 }];
    for (const hole of holesOf(marks, [], this.#query.window)) {
      this.#sink.lateUnread?.(this.#query, hole);
    }
  }

  #take(event: NostrEvent): void {
    // A REQ that was sent twice is answered twice.
    const isKnown = this.#came.has(event.id) ||
      this.#seen.includes(fingerprint(event.id));
    if (isKnown) return;
    this.#came.add(event.id);
    if (mayBeLate(event)) this.#count();
    this.#sink.accept(event);
    this.#sink.late?.(this.#query, event);
  }
}

/** The first 52 bits of an id. */
function fingerprint(id: string): number {
  return parseInt(id.slice(0, 13), 16);
}
