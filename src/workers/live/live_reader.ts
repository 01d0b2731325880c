/**
 * What comes over an open subscription: what of it is an event that is wanted, and whether it is still bearable.
 *
 * @module
 */
import { TokenBucket } from "../../base/token_bucket.ts";
import type { NostrEvent } from "../../models/event.ts";
import type { Filter } from "../../models/filter.ts";
import { Unread } from "../../nips/client/unread.ts";
import type { Ingest } from "../ingest/ingest.ts";
import { readEvent } from "../ingest/read_event.ts";
import type { RecentEvents } from "../ingest/recent_events.ts";
import type { LiveEndReason } from "../protocol/report.ts";

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
  #forged: number;
  /** EVENT messages so far. */
  received = 0;

  constructor(options: LiveReaderOptions) {
    this.#options = options;
    this.#forged = this.#forgedSoFar;
  }

  /** Takes a chunk of payloads. Why no more of them is borne, or null. */
  take(filter: Filter, chunk: readonly unknown[]): LiveEndReason | null {
    this.received += chunk.length;
    let useless = 0;
    let lost: LiveEndReason | null = null;
    const wanted = { ...filter, since: this.#options.since };
    for (const raw of chunk) {
      const event = this.#read(wanted, raw);
      if (raw instanceof Unread) lost ??= lossOf(raw);
      if (event !== null && this.#options.recent.add(event)) {
        this.#options.ingest.accept(event);
      } else useless += 1;
    }
    // Signatures are looked at later, and those that do not hold are counted there.
    const forged = this.#forgedSoFar;
    useless += forged - this.#forged;
    this.#forged = forged;
    if (lost !== null) return lost;
    if (this.#useless.take(useless) > 0) return "useless";
    return this.#events.take(chunk.length) > 0 ? "flood" : null;
  }

  #read(filter: Filter, raw: unknown): NostrEvent | null {
    const read = readEvent(raw, filter);
    if (read.ok) return read.value;
    const { reason, detail, raw: seen } = read.failure;
    this.#options.ingest.reject(reason, detail, seen);
    return null;
  }

  get #forgedSoFar(): number {
    return this.#options.ingest.rejected.signature ?? 0;
  }
}

/** What was stored is walked; what comes live and is not read is missing from then on. */
function lossOf({ cause, isStored }: Unread): LiveEndReason | null {
  if (isStored) return null;
  return cause === "too-large" ? cause : "unread";
}
