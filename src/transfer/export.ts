/**
 * Export: archived events as JSONL, newest first, exactly as their authors signed them.
 *
 * @module
 */
import type { Database } from "../core/database/connection/database.ts";
import { EventReader } from "../archive/reading/event_reader.ts";
import type { ServedView } from "../archive/visibility/served_view.ts";
import type { Filter } from "../models/filter.ts";

export interface ExportOptions {
  /** Only what may be served in this view; null for everything archived. */
  readonly served?: ServedView | null;
  /** Takes some lines; the next ones are read from the database when it has returned. */
  readonly write: (lines: string) => Promise<void> | void;
  /** Called after each write with the number of events so far. */
  readonly onProgress?: (events: number) => void;
  readonly signal: AbortSignal;
}

/** Events written at a time: few, so that a reader that goes away makes the count wrong by few. */
const WRITE_SIZE = 50;

/** Writes the events that match, in constant memory; gives their number. Throws when the signal aborts. */
export async function exportEvents(
  database: Database,
  filter: Filter,
  { served, write, onProgress, signal }: ExportOptions,
): Promise<number> {
  let exported = 0;
  const reader = new EventReader(database, { served });
  for await (const lines of reader.lines([filter], signal)) {
    for (let at = 0; at < lines.length; at += WRITE_SIZE) {
      const some = lines.slice(at, at + WRITE_SIZE);
      await write(`${some.join("\n")}\n`);
      exported += some.length;
      onProgress?.(exported);
    }
  }
  return exported;
}
