/**
 * What one session of a thread may hold between its socket and the database, so that two hundred of them together stay
 * within the memory that a handful would use.
 *
 * @module
 */

/** Nothing flows any more with less; an event that is larger passes all the same. */
const MIN_BYTES = 48 * 1024;
/** Nothing flows any faster with more. */
const MAX_BYTES = 8 * 1024 * 1024;

/** The part of one in so many sessions, bytes: of each sort of thing that is held (read, queued, gathered). */
export function memoryBudget(bufferedBytes: number, sessions: number): number {
  const part = Math.floor(bufferedBytes / Math.max(1, sessions));
  return Math.min(MAX_BYTES, Math.max(MIN_BYTES, part));
}
