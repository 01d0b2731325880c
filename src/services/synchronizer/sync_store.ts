/**
 * The archive as the sessions of one relay see it: answers their questions, stores their batches whatever the database
 * thinks of single events, and counts.
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
import type { CandidateBudgets } from "../../archive/candidates.ts";
import {
  knownEvents,
  storeBatch,
  type StoredBatch,
  type SyncBatch,
} from "../../archive/events.ts";
import type { Rejection } from "../../archive/rejected_events.ts";
import type { WalPosition } from "../../archive/sync/wal_position.ts";
import type { Database } from "../../core/database/connection/database.ts";
import { errorCode } from "../../core/database/connection/database_error.ts";
import {
  type EncodedEvents,
  encodeEvents,
  encodeKeys,
  type EventKeys,
  splitEncoded,
} from "../../models/encoded_events.ts";
import {
  findListed,
  recordListing,
  relayVector,
} from "../../archive/sync/relay_listing.ts";
import {
  relayAuthors,
  relaySightings,
  sightingsNear,
} from "../../archive/sync/witnesses.ts";
import type { WalkJob } from "../../workers/protocol/job.ts";
import { type SyncWork, WorkLeft } from "./work_left.ts";
import type { SessionHost } from "../../workers/host/session_handle.ts";
import type {
  SyncProgress,
  WalkState,
  WorkerBatch,
} from "../../workers/protocol/report.ts";

/** The counts of one sync of a relay so far. */
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
  readonly work: SyncWork;
}

interface StoreTarget {
  readonly database: Database;
  readonly relayId: number;
  readonly budgets: CandidateBudgets;
}

export interface SyncStoreTarget extends StoreTarget {
  /** Events found withheld before this moment are asked for again: Unix seconds. */
  readonly withheldSince: number;
}

export interface SyncStoreListener {
  readonly onProgress: (counts: SyncCounts) => void;
  /** Decides whether the session may stay open, now that everything wanted is done and stored. */
  readonly onCaughtUp: (question: LiveQuestion) => Promise<boolean>;
}

/** Keys that go to a worker in one message: 2 MB. */
const VECTOR_CHUNK = 50_000;

export class SyncStore implements SessionHost {
  readonly #target: SyncStoreTarget;
  readonly #listener: SyncStoreListener;
  readonly #left = new WorkLeft();
  #stored = 0;
  #known = 0;
  #refused = 0;
  /** The progress of earlier sessions of this sync, whose workers were lost. */
  #earlier: SyncProgress = NOTHING;
  #current: SyncProgress = NOTHING;
  /** The log of the server after what the session rests on: the plan, and each batch since. */
  #position: WalPosition = null;

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
      work: this.#left.work,
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
    // Authors write more than once: those seen around this second may be in it.
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

  async found(filterHash: string, ids: Uint8Array): Promise<Float64Array> {
    const { database, relayId } = this.#target;
    const times = await findListed(database, { relayId, filterHash }, ids);
    this.#left.lack(times.filter((time) => Number.isNaN(time)).length);
    return times;
  }

  note({ filterHash, ...change }: ListingNote): Promise<void> {
    const { database, relayId } = this.#target;
    return recordListing(database, { relayId, filterHash }, change);
  }

  async store(batch: WorkerBatch): Promise<void> {
    const stored = await storeWorkerBatch(this.#target, batch, this.#position);
    this.#position = stored.position;
    this.#stored += stored.stored;
    this.#known += stored.known;
    this.#refused += stored.refused;
    this.#left.settle([...batch.coverage, ...batch.gaps]);
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

  /** Takes what a session is to walk, by what was archived at `position`; `now` in Unix seconds. */
  planned({ walks, now, position }: {
    readonly walks: readonly WalkJob[];
    readonly now: number;
    readonly position: WalPosition;
  }): void {
    this.#left.plan(walks, now);
    this.#position = position;
  }

  /** Keeps the counts of a session that was lost: the next one counts from zero. */
  beginAgain(): void {
    const { received, requests } = this.counts;
    const rejected = sum([this.#earlier.rejected, this.#current.rejected]);
    this.#earlier = { ...this.#current, received, requests, rejected };
    this.#current = NOTHING;
  }
}

/** Time around a saturated second in which authors are looked for to split it by, seconds. */
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

/** The outcome of one batch. */
interface Stored {
  readonly stored: number;
  readonly known: number;
  /** Events that only the database refused. */
  readonly refused: number;
  readonly position: WalPosition;
}

/**
 * Stores a batch in one transaction. Events that the database refuses are found by halving and quarantined; the coverage
 * then comes last, so that a crash in between proves nothing.
 */
async function storeWorkerBatch(
  { database, relayId, budgets }: StoreTarget,
  batch: WorkerBatch,
  rests: WalPosition,
): Promise<Stored> {
  const whole: SyncBatch = { ...batch, relayId, seenAt: null, budgets, rests };
  try {
    return { ...await storeBatch(database, whole), refused: 0 };
  } catch (error) {
    if (!isRefusedRow(error)) throw error;
    return await storeApart(database, whole, error);
  }
}

async function storeApart(
  database: Database,
  batch: SyncBatch,
  cause: Error,
): Promise<Stored> {
  const refused: Rejection[] = [];
  let stored = 0;
  let known = 0;
  for await (const part of storableParts(database, batch, batch.events)) {
    if ("refused" in part) refused.push(part.refused);
    else {
      stored += part.stored;
      known += part.known;
    }
  }
  const remaining = await storeBatch(database, {
    ...batch,
    events: encodeEvents([]),
    // Where no event was to blame a hint was, and hints can be had again.
    hints: refused.length > 0 ? batch.hints : [],
    rejected: [
      ...batch.rejected,
      ...refused,
      ...(refused.length > 0 ? [] : [refusedHints(cause)]),
    ],
  });
  return {
    stored,
    known: known + remaining.known,
    refused: refused.length,
    position: remaining.position,
  };
}

type Part = StoredBatch | { readonly refused: Rejection };

async function* storableParts(
  database: Database,
  batch: SyncBatch,
  events: EncodedEvents,
): AsyncGenerator<Part> {
  if (events.count === 0) return;
  try {
    yield await storeBatch(database, {
      ...batch,
      events,
      known: encodeKeys([]),
      hints: [],
      rejected: [],
      unsampled: {},
      coverage: [],
      gaps: [],
    });
  } catch (error) {
    if (!isRefusedRow(error)) throw error;
    if (events.count === 1) {
      yield { refused: refusedEvent(events, error) };
      return;
    }
    const [left, right] = splitEncoded(events);
    yield* storableParts(database, batch, left);
    yield* storableParts(database, batch, right);
  }
}

function refusedEvent(event: EncodedEvents, error: Error): Rejection {
  return {
    reason: "database",
    detail: `PostgreSQL refuses it: ${errorCode(error)}: ${error.message}`,
    eventId: event.keys.slice(0, 64),
    raw: event.raw["0"] ?? JSON.stringify(event),
  };
}

function refusedHints(error: Error): Rejection {
  return {
    reason: "database",
    detail: `PostgreSQL refuses the relay hints of a batch: ${
      errorCode(error)
    }: ${error.message}`,
  };
}

/** Data (22), constraint (23) or size (54) of a row: trying again does not help, leaving the row out does. */
function isRefusedRow(error: unknown): error is Error {
  return error instanceof Error && /^(22|23|54)/.test(errorCode(error) ?? "");
}
