/**
 * A batch of a session into the archive, whatever the database thinks of single events.
 *
 * @module
 */
import type { CandidateBudgets } from "../../archive/candidates.ts";
import type { Database } from "../../core/database/connection/database.ts";
import { errorCode } from "../../core/database/connection/database_error.ts";
import {
  storeBatch,
  type StoredBatch,
  type SyncBatch,
} from "../../archive/events.ts";
import type { Rejection } from "../../archive/rejected_events.ts";
import {
  type EncodedEvents,
  encodeEvents,
  encodeKeys,
  splitEncoded,
} from "../../models/encoded_events.ts";
import type { WorkerBatch } from "../../workers/protocol/report.ts";

export interface StoreTarget {
  readonly database: Database;
  readonly relayId: number;
  readonly budgets: CandidateBudgets;
}

/** What became of a batch. */
export interface Stored {
  readonly stored: number;
  readonly known: number;
  /** Events that only the database refused. */
  readonly refused: number;
}

/**
 * Stores a batch in one transaction. Events that the database refuses are found by halving and quarantined; then the
 * coverage comes last, so that a crash in between claims nothing.
 */
export async function storeWorkerBatch(
  { database, relayId, budgets }: StoreTarget,
  batch: WorkerBatch,
): Promise<Stored> {
  const whole: SyncBatch = { ...batch, relayId, seenAt: null, budgets };
  try {
    return toStored(await storeBatch(database, whole), 0);
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
  const rest = await storeBatch(database, {
    ...batch,
    events: encodeEvents([]),
    // When no event was to blame it is a hint, and hints can be had again.
    hints: refused.length > 0 ? batch.hints : [],
    rejected: [
      ...batch.rejected,
      ...refused,
      ...(refused.length > 0 ? [] : [refusedHints(cause)]),
    ],
  });
  return {
    stored,
    known: known + rest.known,
    refused: refused.length,
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

function toStored({ stored, known }: StoredBatch, refused: number): Stored {
  return { stored, known, refused };
}

/** Data (22), constraint (23) or size (54) of a row: trying again does not help, leaving the row out does. */
function isRefusedRow(error: unknown): error is Error {
  return error instanceof Error && /^(22|23|54)/.test(errorCode(error) ?? "");
}
