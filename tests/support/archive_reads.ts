/**
 * Readers of the archive that only tests need.
 *
 * @module
 */
import type { RelayCheck } from "../../src/archive/checks.ts";
import type { Rejection } from "../../src/archive/rejected_events.ts";
import type { AuditStatus } from "../../src/archive/sync/sync_audit.ts";
import { type Gap, walkStates } from "../../src/archive/sync/sync_coverage.ts";
import {
  type Executor,
  onConnection,
} from "../../src/core/database/connection/executor.ts";
import type { MetadataType } from "../../src/models/metadata.ts";
import type { Window } from "../../src/models/window.ts";

/** The windows proven complete, ascending, neither overlapping nor touching. */
export async function relayCoverage(
  db: Executor,
  relayId: number,
  filterHash: string,
): Promise<readonly Window[]> {
  const states = await walkStates(db, relayId, [filterHash]);
  return states.get(filterHash)!.covered;
}

/** The windows that could not be proven, ascending. No part of one is covered. */
export async function relayGaps(
  db: Executor,
  relayId: number,
  filterHash: string,
): Promise<readonly Gap[]> {
  const states = await walkStates(db, relayId, [filterHash]);
  return states.get(filterHash)!.gaps;
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
      from relay_rejection where relay_id = ${relayId}::int
      order by events desc, reason`;
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

export interface StoredRejection extends Rejection {
  readonly relayId: number | null;
  /** Unix seconds. */
  readonly rejectedAt: number;
}

/** postgres.js gives int8 as text. */
interface RejectionRow {
  readonly reason: string;
  readonly detail: string;
  readonly event_id: string | null;
  readonly raw: string | null;
  readonly rejected_at: string;
}

/** The checks of a relay since a moment (Unix seconds), newest first. */
export function relayChecks(
  db: Executor,
  { relayId, since, limit }: {
    readonly relayId: number;
    readonly since: number;
    readonly limit: number;
  },
): Promise<RelayCheck[]> {
  return onConnection(db, async (sql) => {
    const rows = await sql<CheckRow[]>`
      select checked_at, online, open_ms, read_ms, write_ms, failure
      from relay_check
      where relay_id = ${relayId}::int and checked_at >= ${since}::int8
      order by checked_at desc limit ${limit}::int`;
    return rows.map((row) => ({
      relayId,
      checkedAt: Number(row.checked_at),
      online: row.online,
      openMs: row.open_ms,
      readMs: row.read_ms,
      writeMs: row.write_ms,
      failure: row.failure,
    }));
  });
}

/** postgres.js gives int8 as text. */
interface CheckRow {
  readonly checked_at: string;
  readonly online: boolean;
  readonly open_ms: number | null;
  readonly read_ms: number | null;
  readonly write_ms: number | null;
  readonly failure: string | null;
}

export interface RelayMetadata {
  readonly type: MetadataType;
  readonly generatedAt: number;
  /** sha256 of the canonical JSON, in hex; null for `nip66_rtt`, which is made of the newest check. */
  readonly id: string | null;
  readonly data: unknown;
}

/** The newest document of each type of one relay. */
export function latestMetadata(
  db: Executor,
  relayId: number,
): Promise<RelayMetadata[]> {
  return onConnection(db, async (sql) => {
    const rows = await sql<MetadataRow[]>`
      select metadata_type as type, generated_at,
        encode(metadata_id, 'hex') as id, data
      from relay_metadata_latest where relay_id = ${relayId}::int
      order by metadata_type`;
    return rows.map(({ type, generated_at, id, data }) => ({
      type,
      generatedAt: Number(generated_at),
      id,
      data,
    }));
  });
}

/** postgres.js gives int8 as text. */
interface MetadataRow {
  readonly type: MetadataType;
  readonly generated_at: string;
  readonly id: string | null;
  readonly data: unknown;
}

/** What the audits of all relays came to so far. */
export function auditStatus(db: Executor): Promise<AuditStatus> {
  return onConnection(db, async (sql) => {
    const [row] = await sql<{ status: AuditStatus }[]>`
      select sync_audit_status() as status`;
    return row!.status;
  });
}
