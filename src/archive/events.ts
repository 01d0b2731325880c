/**
 * Events and sightings: what is archived, and which relay held it.
 *
 * @module
 */
import type { EncodedEvents, EventKeys } from "../models/encoded_events.ts";
import type { Filter } from "../models/filter.ts";
import { storableJson } from "../models/storable_text.ts";
import type { Window } from "../models/window.ts";
import {
  type CandidateBudgets,
  type CandidateHint,
  candidateRows,
} from "./candidates.ts";
import {
  type Executor,
  onConnection,
} from "../core/database/connection/executor.ts";
import { type Rejection, rejectionRows } from "./rejected_events.ts";
import type { Proof, Strength } from "./sync/sync_coverage.ts";
import type { WalPosition } from "./sync/wal_position.ts";

/** A window proven complete by everything stored up to and with this batch. */
export interface NewCoverage extends Window {
  readonly filterHash: string;
  readonly filter: Filter;
  readonly method: Proof;
  readonly strength: Strength;
}

/** A window that could not be proven. */
export interface NewGap extends Window {
  readonly filterHash: string;
  /** Short and from a small set: it is counted. */
  readonly reason: string;
}

/** The content of one transaction of a relay's session. */
export interface SyncBatch {
  readonly relayId: number;
  /** Unix seconds; null for now by the database's clock. */
  readonly seenAt: number | null;
  /** New events, verified. */
  readonly events: EncodedEvents;
  /** Events that were archived already: they only get a sighting. */
  readonly known: EventKeys;
  readonly hints: readonly CandidateHint[];
  readonly budgets: CandidateBudgets;
  readonly rejected: readonly Rejection[];
  /** More rejected events, by reason, of which only the number is kept. */
  readonly unsampled?: Readonly<Record<string, number>> | undefined;
  readonly coverage: readonly NewCoverage[];
  readonly gaps: readonly NewGap[];
  /** What must be in the log of the server, as the batch rests on it. Default: nothing. */
  readonly rests?: WalPosition;
}

export interface StoredBatch {
  /** Events that were new to the archive. */
  readonly stored: number;
  /** Events that the archive had already, whoever stored them. */
  readonly known: number;
  /** The position of the server's log, for the batch that rests on this one. */
  readonly position: WalPosition;
}

/** Which of these events are archived: one byte each, 1 or 0, in the order of the keys. */
export function knownEvents(
  db: Executor,
  keys: EventKeys,
): Promise<Uint8Array> {
  if (keys.createdAt.length === 0) return Promise.resolve(new Uint8Array());
  const { ids, createdAt } = keyParameters(keys);
  return onConnection(db, async (sql) => {
    const [row] = await sql<{ flags: string }[]>`
      select event_known(${createdAt}::text::int8[], ${ids}::text::bytea)
        as flags`;
    return Uint8Array.from(row!.flags, Number);
  });
}

/** Stores events without a sighting (an import); gives the number of new ones. */
export function insertEvents(
  db: Executor,
  events: EncodedEvents,
): Promise<number> {
  if (events.count === 0) return Promise.resolve(0);
  const { keys, createdAt, kinds, raw } = eventParameters(events);
  return onConnection(db, async (sql) => {
    const [row] = await sql<{ inserted: number }[]>`
      select event_insert(${keys}::text::bytea, ${createdAt}::text::int8[],
        ${kinds}::text::int4[], ${events.tags}::text::jsonb,
        ${events.contents}::text::jsonb, ${raw}::text::jsonb, unix_now())
        as inserted`;
    return row!.inserted;
  }, BATCH);
}

/**
 * Stores a batch in one transaction: events, sightings, hints, rejections, gaps, and coverage, which therefore never
 * covers what is not stored. Throws a `PostgresError` when the database refuses a row: bisect with `splitEncoded`. One of
 * `isCommitLoss` says that the server lacks what the batch rests on.
 */
export function storeBatch(
  db: Executor,
  batch: SyncBatch,
): Promise<StoredBatch> {
  const { relayId, seenAt, events, rejected, coverage, gaps, hints } = batch;
  const { keys, createdAt, kinds, raw } = eventParameters(events);
  const known = keyParameters(batch.known);
  const { unsampled = {} } = batch;
  const isClean = rejected.length + Object.keys(unsampled).length === 0;
  const rejections = isClean ? null : rejectionRows(rejected, unsampled);
  const mentions = hints.length > 0 ? candidateRows(hints) : null;
  const budgets = storableJson(batch.budgets);
  const rests = batch.rests ?? null;
  // One statement is one transaction and one round trip.
  return onConnection(db, async (sql) => {
    const [row] = await sql<StoredBatch[]>`
      select stored, known, wal_position_advance(${rests}::text) as position
      from sync_batch_store(${relayId}::int,
        ${seenAt}::int8, ${keys}::text::bytea, ${createdAt}::text::int8[],
        ${kinds}::text::int4[], ${events.tags}::text::jsonb,
        ${events.contents}::text::jsonb, ${raw}::text::jsonb,
        ${known.createdAt}::text::int8[], ${known.ids}::text::bytea,
        ${rejections}::text::jsonb, ${jsonOrNull(coverage)}::text::jsonb,
        ${jsonOrNull(gaps)}::text::jsonb, ${mentions}::text::jsonb,
        ${budgets}::text::jsonb)`;
    return { ...row! };
  }, BATCH);
}

const BATCH = { kind: "batch" } as const;

/** The packed parts as PostgreSQL reads them. Every parameter is text: postgres.js then sends it as it is. */
function eventParameters(events: EncodedEvents) {
  return {
    keys: `\\x${events.keys}`,
    createdAt: `{${events.createdAt}}`,
    kinds: `{${events.kinds}}`,
    raw: Object.keys(events.raw).length > 0 ? JSON.stringify(events.raw) : null,
  };
}

function keyParameters({ ids, createdAt }: EventKeys) {
  return { ids: `\\x${ids.toHex()}`, createdAt: `{${createdAt.join()}}` };
}

function jsonOrNull(rows: readonly unknown[]): string | null {
  return rows.length > 0 ? storableJson(rows) : null;
}
