/**
 * Stores what the sessions of one relay send, and counts it.
 *
 * @module
 */
import type {
  ListingNote,
  LiveQuestion,
  NearKeys,
  NearQuery,
  SightedQuery,
  VectorChunk,
  VectorQuery,
} from "../../workers/protocol/messages.ts";
import { knownEvents } from "../../archive/events.ts";
import {
  findListed,
  noteListing,
  relayVector,
} from "../../archive/relay_listing.ts";
import {
  relayAuthors,
  relaySightings,
  sightingsNear,
} from "../../archive/witnesses.ts";
import type { EventKeys } from "../../models/encoded_events.ts";
import type { SessionHost } from "../../workers/host/session_handle.ts";
import type {
  SyncProgress,
  WalkState,
  WorkerBatch,
} from "../../workers/protocol/report.ts";

import { type StoreTarget, storeWorkerBatch } from "./store_batch.ts";

/** What the sync of a relay has done so far. */
export interface SyncCounts {
  /** Events that were new to the archive. */
  readonly stored: number;
  /** Events the archive had already. */
  readonly known: number;
  /** Events that came, duplicates and rejected ones included. */
  readonly received: number;
  readonly requests: number;
  /** Events that are not archived, by reason. */
  readonly rejected: Readonly<Record<string, number>>;
  /** The second the last request asked down from; null before the first. */
  readonly until: number | null;
  /** The state of each range of the walk in work, newest range first; empty before the first request. */
  readonly doing: readonly WalkState[];
}

export interface SyncStoreTarget extends StoreTarget {
  /** What was found withheld earlier is asked for again: Unix seconds. */
  readonly withheldSince: number;
}

export interface SyncStoreListener {
  readonly onProgress: (counts: SyncCounts) => void;
  /** Everything wanted is done and stored: whether the session may stay open. */
  readonly onCaughtUp: (question: LiveQuestion) => Promise<boolean>;
}

/** Keys that go to a worker in one message: 2 MB. */
const VECTOR_CHUNK = 50_000;

export class SyncStore implements SessionHost {
  readonly #target: SyncStoreTarget;
  readonly #listener: SyncStoreListener;
  #stored = 0;
  #known = 0;
  #refused = 0;
  /** Of sessions that were lost with their worker. */
  #earlier: SyncProgress = NOTHING;
  #current: SyncProgress = NOTHING;

  constructor(target: SyncStoreTarget, listener: SyncStoreListener) {
    this.#target = target;
    this.#listener = listener;
  }

  get counts(): SyncCounts {
    const earlier = this.#earlier;
    const current = this.#current;
    return {
      stored: this.#stored,
      known: this.#known,
      received: earlier.received + current.received,
      requests: earlier.requests + current.requests,
      rejected: sum([
        earlier.rejected,
        current.rejected,
        this.#refused > 0 ? { database: this.#refused } : {},
      ]),
      until: current.requests > 0 ? current.until : null,
      doing: current.doing,
    };
  }

  known(keys: EventKeys): Promise<Uint8Array> {
    return knownEvents(this.#target.database, keys);
  }

  vector(query: VectorQuery): Promise<VectorChunk | null> {
    const { database, relayId, withheldSince } = this.#target;
    const limit = VECTOR_CHUNK;
    return relayVector(database, { ...query, relayId, limit, withheldSince });
  }

  near(query: NearQuery): Promise<NearKeys | null> {
    const { database, relayId } = this.#target;
    return sightingsNear(database, { ...query, relayId });
  }

  authors(at: number): Promise<readonly string[]> {
    const { database, relayId } = this.#target;
    // Authors of one time of a relay write at others, too.
    const window = {
      since: Math.max(0, at - AUTHORS_SPAN),
      until: at + AUTHORS_SPAN,
    };
    return relayAuthors(database, {
      relayId,
      window,
      kind: null,
      limit: MAX_AUTHORS,
    });
  }

  sighted(query: SightedQuery): Promise<number | null> {
    const { database, relayId } = this.#target;
    return relaySightings(database, { ...query, relayId });
  }

  found(filterHash: string, ids: Uint8Array): Promise<Float64Array> {
    const { database, relayId } = this.#target;
    return findListed(database, { relayId, filterHash }, ids);
  }

  note({ filterHash, ...change }: ListingNote): Promise<void> {
    const { database, relayId } = this.#target;
    return noteListing(database, { relayId, filterHash }, change);
  }

  async store(batch: WorkerBatch): Promise<void> {
    const stored = await storeWorkerBatch(this.#target, batch);
    this.#stored += stored.stored;
    this.#known += stored.known;
    this.#refused += stored.refused;
    this.#listener.onProgress(this.counts);
  }

  progress(progress: SyncProgress): void {
    this.#current = progress;
    this.#listener.onProgress(this.counts);
  }

  live(question: LiveQuestion): Promise<boolean> {
    this.progress(question.report);
    return this.#listener.onCaughtUp(question);
  }

  /** The session was lost; the next one counts from zero. */
  beginAgain(): void {
    const { received, requests } = this.counts;
    const rejected = sum([this.#earlier.rejected, this.#current.rejected]);
    this.#earlier = { ...this.#current, received, requests, rejected };
    this.#current = NOTHING;
  }
}

/** Authors by whom a crowded second is told apart are looked for in so much time around it, seconds. */
const AUTHORS_SPAN = 30 * 86_400;
const MAX_AUTHORS = 2_000;

const NOTHING: SyncProgress = {
  received: 0,
  requests: 0,
  rejected: {},
  walk: 0,
  until: 0,
  doing: [],
};

function sum(
  counts: readonly Readonly<Record<string, number>>[],
): Record<string, number> {
  const total: Record<string, number> = {};
  for (const [reason, count] of counts.flatMap(Object.entries)) {
    total[reason] = (total[reason] ?? 0) + count;
  }
  return total;
}
