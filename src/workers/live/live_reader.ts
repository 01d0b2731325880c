/**
 * What comes over an open subscription: what of it is an event that is wanted, and whether it is still bearable.
 *
 * @module
 */
import { hasValidId, type NostrEvent, parseEvent } from "../../models/event.ts";
import { type Filter, matchesFilter } from "../../models/filter.ts";
import type { Ingest } from "../ingest/ingest.ts";
import { TokenBucket } from "../../base/token_bucket.ts";
import type { LiveEndReason } from "../protocol/report.ts";

import type { RecentEvents } from "../ingest/recent_events.ts";

/** More than this no relay has: the busiest see some hundred new events a second. */
const EVENTS = { capacity: 30_000, perSecond: 500 };

/** Repetitions, forgeries and strangers. Some are nobody's fault. */
const USELESS = { capacity: 1_000, perSecond: 5 };

export interface LiveReaderOptions {
  readonly ingest: Ingest;
  /** What the session has seen lately, by whatever way. */
  readonly recent: RecentEvents;
  /** Oldest `created_at` that is wanted, Unix seconds. */
  readonly since: number;
}

/** Reads all subscriptions of one session. */
export class LiveReader {
  readonly #options: LiveReaderOptions;
  readonly #events = new TokenBucket(EVENTS);
  readonly #useless = new TokenBucket(USELESS);
  #rejected: number;
  /** EVENT messages so far. */
  received = 0;

  constructor(options: LiveReaderOptions) {
    this.#options = options;
    this.#rejected = this.#rejectedSoFar();
  }

  /** Takes a chunk of payloads. Why no more of them is borne, or null. */
  take(filter: Filter, chunk: readonly unknown[]): LiveEndReason | null {
    this.received += chunk.length;
    let repeated = 0;
    for (const raw of chunk) {
      const event = this.#read(filter, raw);
      if (event === null) continue;
      if (this.#options.recent.add(event)) this.#options.ingest.accept(event);
      else repeated += 1;
    }
    // Signatures are looked at later, and those that do not hold are counted there.
    const rejected = this.#rejectedSoFar();
    const useless = repeated + rejected - this.#rejected;
    this.#rejected = rejected;
    if (this.#useless.take(useless) > 0) return "useless";
    return this.#events.take(chunk.length) > 0 ? "flood" : null;
  }

  #read(filter: Filter, raw: unknown): NostrEvent | null {
    const { ingest, since } = this.#options;
    const parsed = parseEvent(raw);
    if (!parsed.ok) {
      ingest.reject(parsed.failure.code, parsed.failure.detail, raw);
      return null;
    }
    const event = parsed.value;
    if (!hasValidId(event)) {
      ingest.reject("id", "The id is not the hash of the event", event);
      return null;
    }
    if (event.created_at < since || !matchesFilter(filter, event)) {
      ingest.reject("filter", "It was not asked for", event);
      return null;
    }
    return event;
  }

  #rejectedSoFar(): number {
    return Object.values(this.#options.ingest.rejected)
      .reduce((sum, count) => sum + count, 0);
  }
}
