/**
 * Import: events out of JSONL files into the archive. Everything is verified; what is refused is counted,
 * explained and skipped; what was imported is not read again.
 *
 * @module
 */
import type { Database } from "../core/database/connection/database.ts";
import { knownEvents } from "../archive/events.ts";
import {
  advanceWal,
  isCommitLoss,
  type WalPosition,
} from "../archive/sync/wal_position.ts";
import type { Verifier } from "../nips/verify/verifier.ts";
import {
  checkBlock,
  type CheckedBlock,
  type RejectedLine,
} from "./check_block.ts";
import {
  checkpointAfter,
  findStart,
  forgetCheckpoint,
  SOURCE_START,
} from "./checkpoint.ts";
import { type LineBlock, lineBlocks, type Position } from "./line_blocks.ts";
import { type Source, SourceError } from "./source.ts";
import { storeBlock } from "./store_block.ts";

export interface ImportContext {
  readonly database: Database;
  readonly verifier: Pick<Verifier, "verify">;
  /** Read a file from its beginning, whatever was imported of it. */
  readonly restart: boolean;
  /** Longer lines are rejected unread. */
  readonly maxLineBytes: number;
  /** Called after each block. */
  readonly onProgress: (progress: ImportCounts) => void;
  /** The block in hand is finished and stored. */
  readonly signal: AbortSignal;
}

export interface ImportCounts {
  /** The line the import began at, from 1; more than 1 when it went on where an earlier one had stopped. */
  readonly firstLine: number;
  /** Events that were new. */
  readonly stored: number;
  /** Events that were archived already, or came twice. */
  readonly known: number;
  /** How many lines were rejected, by reason. */
  readonly rejected: Readonly<Record<string, number>>;
  /** The first lines that were rejected. */
  readonly samples: readonly RejectedSample[];
  /** Whether the end of the source was reached. */
  readonly complete: boolean;
  /**
   * Why the source could not be read to its end, why nothing of it could be imported, or that the database lost some of it;
   * null when it was imported, or when the import was stopped.
   */
  readonly unreadable: string | null;
}

export type RejectedSample = Pick<RejectedLine, "line" | "reason" | "detail">;

/** Longest line by default: twice what the largest event on common relays takes, escaped as badly as can be. */
export const MAX_LINE_BYTES = 16 * 1024 * 1024;

/** About 1500 events; what is read, checked and stored at a time. */
const BLOCK_BYTES = 1024 * 1024;

/** Pause of a stream after which what came before is stored, so that it is not kept waiting, ms. */
const PAUSE_MS = 1_000;

const MAX_SAMPLES = 20;

/** Imports a source to its end, as far as it can be read, or until the signal aborts. Throws for the database. */
export async function importSource(
  source: Source,
  context: ImportContext,
): Promise<ImportCounts> {
  const { database, restart, onProgress, signal } = context;
  const position = await advanceWal(database);
  const from = restart ? SOURCE_START : await findStart(database, source);
  const totals = new ImportTotals(from.line + 1, position);
  // The database stores a block while the next one is read and verified.
  let storing = Promise.resolve();
  try {
    for await (const block of blocksFrom(source, from, context)) {
      const checked = await checkBlock(block, {
        verifier: context.verifier,
        findKnown: (keys) => knownEvents(database, keys),
      });
      await storing;
      storing = store(checked, { block, source, database, totals });
      // Its failure is met at the next await, which may come later than the failure.
      storing.catch(() => {});
      onProgress(totals.counts());
      if (signal.aborted) break;
    }
    await storing;
    await advanceWal(database, totals.position);
    if (totals.isFruitless()) {
      totals.unreadable = fruitless(source);
      // Going on behind its last line, a second try would find nothing wrong.
      await forgetCheckpoint(database, source);
    } else totals.complete = !signal.aborted;
  } catch (error) {
    totals.unreadable = whyUnread(error, source);
  } finally {
    await storing.catch((error) =>
      totals.unreadable = whyUnread(error, source)
    );
  }
  return totals.counts();
}

/** A file of another kind must not count as imported, however harmless each of its lines is. */
function fruitless({ name }: Source): string {
  return `Nothing of ${name} can be imported: no line of it is a valid event`;
}

/** The reason for those who imported it; what is no fault of the source is thrown. */
function whyUnread(error: unknown, { name }: Source): string {
  if (error instanceof SourceError) return error.message;
  if (!isCommitLoss(error)) throw error;
  // The checkpoint of the file claims what this server has; the rest of it comes again.
  return `The database may have lost events of ${name}, as another server took over: import it again`;
}

function blocksFrom(
  source: Source,
  from: Position,
  { maxLineBytes, signal }: ImportContext,
): AsyncGenerator<LineBlock> {
  return lineBlocks(source.open(from.offset), {
    from,
    maxLineBytes,
    blockBytes: BLOCK_BYTES,
    pauseMs: PAUSE_MS,
    signal,
  });
}

async function store(
  checked: CheckedBlock,
  { block, source, database, totals }: {
    readonly block: LineBlock;
    readonly source: Source;
    readonly database: Database;
    readonly totals: ImportTotals;
  },
): Promise<void> {
  const { stored, refused, position } = await storeBlock(database, checked, {
    sourceName: source.name,
    states: checkpointAfter(source, block),
    rests: totals.position,
  });
  totals.position = position;
  const twice = checked.events.length - stored - refused.length;
  totals.add({
    stored,
    known: checked.known + twice,
    rejected: [...checked.rejected, ...refused],
  });
}

/** Counts as they grow. */
class ImportTotals {
  complete = false;
  unreadable: string | null = null;
  /** The server's log after the last block that was stored. */
  position: WalPosition;
  readonly #firstLine: number;
  #stored = 0;
  #known = 0;
  readonly #rejected = new Map<string, number>();
  readonly #samples: RejectedSample[] = [];

  constructor(firstLine: number, position: WalPosition) {
    this.#firstLine = firstLine;
    this.position = position;
  }

  add({ stored, known, rejected }: {
    readonly stored: number;
    readonly known: number;
    readonly rejected: readonly RejectedLine[];
  }): void {
    this.#stored += stored;
    this.#known += known;
    for (const { line, reason, detail } of rejected) {
      this.#rejected.set(reason, (this.#rejected.get(reason) ?? 0) + 1);
      if (this.#samples.length < MAX_SAMPLES) {
        this.#samples.push({ line, reason, detail });
      }
    }
  }

  /** Whether there were lines and none of them was an event. */
  isFruitless(): boolean {
    return this.#firstLine === 1 && this.#stored + this.#known === 0 &&
      this.#rejected.size > 0;
  }

  counts(): ImportCounts {
    return {
      firstLine: this.#firstLine,
      stored: this.#stored,
      known: this.#known,
      rejected: Object.fromEntries(this.#rejected),
      samples: [...this.#samples],
      complete: this.complete,
      unreadable: this.unreadable,
    };
  }
}
