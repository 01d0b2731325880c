/**
 * Storing a block of an import: its events, what was rejected, and how far the file has been read.
 *
 * @module
 */
import type { Database } from "../core/database/connection/database.ts";
import { errorCode } from "../core/database/connection/database_error.ts";
import { insertEvents } from "../archive/events.ts";
import { insertRejected } from "../archive/rejected_events.ts";
import { type NewState, upsertState } from "../archive/service_state.ts";
import { advanceWal, type WalPosition } from "../archive/sync/wal_position.ts";
import {
  type EncodedEvents,
  encodeEvents,
  splitEncoded,
} from "../models/encoded_events.ts";
import type { CheckedBlock, RejectedLine } from "./check_block.ts";

export interface StoreOptions {
  /** Names the file in what is kept of rejected lines. */
  readonly sourceName: string;
  /** The checkpoint after this block. */
  readonly states: readonly NewState[];
  /** The server's log after the block before, which the checkpoint claims as well. */
  readonly rests: WalPosition;
}

export interface StoredBlock {
  /** Events that were new to the archive. */
  readonly stored: number;
  /** Events that only the database refused, in addition to those rejected before. */
  readonly refused: readonly RejectedLine[];
  readonly position: WalPosition;
}

/**
 * Stores a block in one transaction; events that the database refuses are found by halving, and rejected. Throws an error of
 * `isCommitLoss` when the server may lack what came before.
 */
export async function storeBlock(
  database: Database,
  block: CheckedBlock,
  options: StoreOptions,
): Promise<StoredBlock> {
  const events = encodeEvents(block.events);
  try {
    return await database.transaction(async (sql) => {
      const stored = await insertEvents(sql, events);
      await insertRejected(sql, null, kept(block.rejected, options));
      await upsertState(sql, options.states);
      const position = await advanceWal(sql, options.rests);
      return { stored, refused: [], position };
    }, { kind: "batch" });
  } catch (error) {
    if (!isRefusedRow(error)) throw error;
    return await storeApart(database, block, options);
  }
}

async function storeApart(
  database: Database,
  block: CheckedBlock,
  options: StoreOptions,
): Promise<StoredBlock> {
  const refused: RejectedLine[] = [];
  let stored = 0;
  for await (
    const part of storableParts(database, encodeEvents(block.events))
  ) {
    if (part.fault === null) stored += part.stored;
    else refused.push(refusedLine(block, part.first, part.fault));
  }
  const position = await database.transaction(async (sql) => {
    const rejected = [...block.rejected, ...refused];
    await insertRejected(sql, null, kept(rejected, options));
    await upsertState(sql, options.states);
    return await advanceWal(sql, options.rests);
  }, { kind: "batch" });
  return { stored, refused, position };
}

/** A part of a block that was stored, or the single event that cannot be. */
type Part =
  | { readonly fault: null; readonly stored: number }
  | { readonly fault: string; readonly first: number };

async function* storableParts(
  database: Database,
  events: EncodedEvents,
  first = 0,
): AsyncGenerator<Part> {
  try {
    yield { fault: null, stored: await insertEvents(database, events) };
  } catch (error) {
    if (!isRefusedRow(error)) throw error;
    if (events.count === 1) {
      yield { fault: `${errorCode(error)}: ${error.message}`, first };
      return;
    }
    const [left, right] = splitEncoded(events);
    yield* storableParts(database, left, first);
    yield* storableParts(database, right, first + left.count);
  }
}

function refusedLine(
  block: CheckedBlock,
  index: number,
  fault: string,
): RejectedLine {
  const event = block.events[index];
  return {
    line: block.lines[index] ?? 0,
    reason: "database",
    detail: `PostgreSQL refuses it: ${fault}`,
    ...(event && { eventId: event.id, raw: JSON.stringify(event) }),
  };
}

/** Rejected lines as they are kept in `rejected_event`. */
function kept(
  rejected: readonly RejectedLine[],
  { sourceName }: StoreOptions,
) {
  return rejected.map(({ line, reason, detail, eventId, raw }) => ({
    reason,
    detail: `${sourceName}, line ${line}: ${detail}`,
    eventId,
    raw,
  }));
}

/** Data (22), constraint (23) or size (54) of a row: trying again does not help, leaving the row out does. */
function isRefusedRow(error: unknown): error is Error {
  return error instanceof Error && /^(22|23|54)/.test(errorCode(error) ?? "");
}
