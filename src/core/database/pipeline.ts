/**
 * The pipeline at a glance: how much stands at each stage.
 *
 * @module
 */
import { type Network, NETWORKS } from "../../models/network.ts";
import { type Executor, onConnection } from "./executor.ts";

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
  readonly coverage: {
    /** Walks: a relay and a filter each. */
    readonly walks: number;
    readonly relays: number;
    /** How far the newest end of a walk's coverage is behind now; null without walks. */
    readonly medianLagSeconds: number | null;
    readonly worstLagSeconds: number | null;
    readonly gaps: number;
    readonly gapReasons: Readonly<Record<string, number>>;
  };
  readonly databaseBytes: number;
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
