/**
 * Rejected events: what was refused, why and from whom. Bounded: the newest of each relay.
 *
 * @module
 */
import { storableJson } from "../models/storable_text.ts";
import {
  type Executor,
  onConnection,
} from "../core/database/connection/executor.ts";

export interface Rejection {
  /** Short and from a small set: it is counted. An `EventFault` code, or why the database refused it. */
  readonly reason: string;
  readonly detail: string;
  /** Hex, when there was one. */
  readonly eventId?: string | undefined;
  /** The message as it came, as JSON; cut to 16 KiB when stored. */
  readonly raw?: string | undefined;
}

/** More of one batch are counted by the caller but not stored. */
const MAX_REJECTIONS_PER_BATCH = 1000;

const MAX_RAW_CHARS = 16_384;
const MAX_DETAIL_CHARS = 1024;

/** Stores rejections; `relayId` is null when they came from a file. */
export function insertRejected(
  db: Executor,
  relayId: number | null,
  rejections: readonly Rejection[],
): Promise<void> {
  if (rejections.length === 0) return Promise.resolve();
  const rows = rejectionRows(rejections);
  return onConnection(db, async (sql) => {
    await sql`select rejected_event_insert(${relayId}::int,
      ${rows}::text::jsonb)`;
  }, { kind: "batch" });
}

/**
 * Rejections as `rejected_event_insert` and `sync_batch_store` take them, each within its bounds. `unsampled` are more of
 * them, by reason, which are only counted.
 */
export function rejectionRows(
  rejections: readonly Rejection[],
  unsampled: Readonly<Record<string, number>> = {},
): string {
  const kept = rejections.slice(0, MAX_REJECTIONS_PER_BATCH);
  const samples = kept.map(({ reason, detail, eventId, raw }) => ({
    reason,
    detail: detail.slice(0, MAX_DETAIL_CHARS),
    eventId,
    raw: raw?.slice(0, MAX_RAW_CHARS),
  }));
  const counts = Object.entries(unsampled)
    .map(([reason, events]) => ({ reason, events }));
  return storableJson([...samples, ...counts]);
}
