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
  /** What came, as JSON; cut to 16 KiB when stored. */
  readonly raw?: string | undefined;
}

export interface StoredRejection extends Rejection {
  readonly relayId: number | null;
  /** Unix seconds. */
  readonly rejectedAt: number;
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

/** How many events of a relay were not archived for one reason. */
export interface RejectionCount {
  readonly reason: string;
  /** Each time that one came. */
  readonly events: number;
  /** Unix seconds. */
  readonly firstAt: number;
  readonly lastAt: number;
}

/** What of a relay was not archived, by reason, the most frequent first. */
export function rejectionCounts(
  db: Executor,
  relayId: number,
): Promise<RejectionCount[]> {
  return onConnection(db, async (sql) => {
    const rows = await sql<
      { reason: string; events: string; first_at: string; last_at: string }[]
    >`select reason, events, first_at, last_at
      from relay_rejection_get(${relayId}::int)`;
    return rows.map((row) => ({
      reason: row.reason,
      events: Number(row.events),
      firstAt: Number(row.first_at),
      lastAt: Number(row.last_at),
    }));
  });
}

/** The newest rejections of a relay (null: of files). */
export function relayRejections(
  db: Executor,
  relayId: number | null,
  limit: number,
): Promise<StoredRejection[]> {
  return onConnection(db, async (sql) => {
    const rows = await sql<RejectionRow[]>`
      select reason, detail, encode(event_id, 'hex') as event_id, raw,
        rejected_at
      from rejected_event
      where relay_id is not distinct from ${relayId}::int
      order by id desc limit ${limit}::int`;
    return rows.map((row) => ({
      relayId,
      reason: row.reason,
      detail: row.detail,
      eventId: row.event_id ?? undefined,
      raw: row.raw ?? undefined,
      rejectedAt: Number(row.rejected_at),
    }));
  });
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

/** postgres.js gives int8 as text. */
interface RejectionRow {
  readonly reason: string;
  readonly detail: string;
  readonly event_id: string | null;
  readonly raw: string | null;
  readonly rejected_at: string;
}
