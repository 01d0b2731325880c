/**
 * What reconciling needs of the host. Everything rejects when the session is abandoned.
 *
 * @module
 */
import type { ListingNote, VectorChunk, VectorQuery } from "../nip77_job.ts";

export interface ListingLink {
  /** A chunk of what the relay is known to list; null when the archive cannot tell what the filter selects. */
  askVector(query: VectorQuery): Promise<VectorChunk | null>;
  /** When these events, which the relay lists, were created (32 bytes an id); `NaN` for those not archived. */
  askFound(filterHash: string, ids: Uint8Array): Promise<Float64Array>;
  /** Has the host keep how the list of the relay is another than what it was seen to hold. */
  note(note: ListingNote): void;
}
