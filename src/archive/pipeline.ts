/**
 * The pipeline at a glance: how much stands at each stage.
 *
 * @module
 */
import { type Network, NETWORKS } from "../models/network.ts";
import {
  type Executor,
  onConnection,
} from "../core/database/connection/executor.ts";
import type { AuditStatus } from "./sync/sync_audit.ts";
import type { StrengthShares } from "./sync/sync_coverage.ts";

export interface CandidateCounts {
  readonly total: number;
  /** Due now and not claimed. */
  readonly due: number;
  readonly claimed: number;
  /** Failed at least once. */
  readonly failed: number;
}

export interface RelayCounts {
  readonly total: number;
  /** By their last check. */
  readonly online: number;
  readonly offline: number;
  readonly unchecked: number;
  /** With coverage of any filter. */
  readonly synced: number;
}

export interface PipelineCounts {
  readonly edition: "full" | "lite";
  readonly candidates: Readonly<Record<Network, CandidateCounts>>;
  readonly relays: Readonly<Record<Network, RelayCounts>>;
  readonly events: Counted;
  readonly sightings: Counted;
  readonly metadata: Counted;
  readonly checks: Counted;
  readonly rejected: Counted;
  readonly coverage: SyncStatus;
  readonly databaseBytes: number;
}

/** Coverage of what is wanted, its strength, and what audits found of it. */
export interface SyncStatus {
  /** Walks that are wanted: a relay and a filter each. */
  readonly walks: number;
  /** Relays of which something is proven. */
  readonly relays: number;
  /** Relays of which nothing is missing below the newest second that is proven. */
  readonly completeRelays: number;
  /** Relays that were looked at, or tried. */
  readonly wantedRelays: number;
  /** Seconds proven of seconds wanted since November 2020, 0 to 1; null without walks. */
  readonly coveredShare: number | null;
  /** How strongly, as shares of the seconds proven. */
  readonly strengths: StrengthShares;
  readonly audit: AuditStatus;
  /** How far the newest end of a walk's coverage is behind what is wanted; null without any. */
  readonly medianLagSeconds: number | null;
  readonly worstLagSeconds: number | null;
  readonly gaps: number;
  readonly gapReasons: Readonly<Record<string, number>>;
  /** Events that were not archived, by reason. */
  readonly rejectedReasons: Readonly<Record<string, number>>;
  /** Relays leased to synchronizers now, live ones included. */
  readonly running: number;
  /** Relays among them that are live. */
  readonly live: number;
}

/** Exact while counting takes milliseconds, the server's estimate when a table is large. */
export interface Counted {
  readonly count: number;
  readonly exact: boolean;
}

const NO_CANDIDATES: CandidateCounts = {
  total: 0,
  due: 0,
  claimed: 0,
  failed: 0,
};

const NO_RELAYS: RelayCounts = {
  total: 0,
  online: 0,
  offline: 0,
  unchecked: 0,
  synced: 0,
};

/** Counts every stage. Cheap on a large archive. */
export function pipelineCounts(db: Executor): Promise<PipelineCounts> {
  return onConnection(db, async (sql) => {
    const [row] = await sql<{ counts: SparseCounts }[]>`
      select pipeline_count() as counts`;
    const { candidates, relays, ...rest } = row!.counts;
    return {
      ...rest,
      candidates: everyNetwork(candidates, NO_CANDIDATES),
      relays: everyNetwork(relays, NO_RELAYS),
    };
  });
}

/** Coverage of all relays, at a cost that grows with relays and filters, not with events. */
export function syncStatus(db: Executor): Promise<SyncStatus> {
  return onConnection(db, async (sql) => {
    const [row] = await sql<{ status: SyncStatus }[]>`
      select sync_status() as status`;
    return row!.status;
  });
}

/** As the database counts: networks without rows are missing. */
interface SparseCounts extends Omit<PipelineCounts, "candidates" | "relays"> {
  readonly candidates: Partial<Record<Network, CandidateCounts>>;
  readonly relays: Partial<Record<Network, RelayCounts>>;
}

function everyNetwork<T>(
  counts: Partial<Record<Network, T>>,
  none: T,
): Record<Network, T> {
  const [clearnet, tor, i2p, loki] = NETWORKS.map((network) =>
    counts[network] ?? none
  );
  return { clearnet: clearnet!, tor: tor!, i2p: i2p!, loki: loki! };
}
