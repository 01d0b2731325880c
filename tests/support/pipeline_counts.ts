/**
 * Counts of a pipeline as the archive gives them, for what is made of them.
 *
 * @module
 */
import type {
  CandidateCounts,
  PipelineCounts,
  RelayCounts,
  SyncStatus,
} from "../../src/archive/pipeline.ts";
import type { ServiceRuntime } from "../../src/core/lifecycle/runtime.ts";

const CANDIDATES: CandidateCounts = { total: 0, due: 0, claimed: 0, failed: 0 };
const RELAYS: RelayCounts = {
  total: 0,
  online: 0,
  offline: 0,
  unchecked: 0,
  synced: 0,
};

/** Nothing is synced yet. */
export const NO_COVERAGE: SyncStatus = {
  walks: 0,
  relays: 0,
  completeRelays: 0,
  wantedRelays: 0,
  coveredShare: null,
  strengths: { reconciled: 0, counted: 0, paged: 0, weak: 0 },
  audit: {
    asked: 0,
    confirmed: 0,
    contradicted: 0,
    retractions: 0,
    retractedSeconds: 0,
    caughtRelays: 0,
    underAudit: { windows: 0, relays: 0, seconds: 0 },
    kinds: {},
    last: null,
  },
  medianLagSeconds: null,
  worstLagSeconds: null,
  gaps: 0,
  gapReasons: {},
  rejectedReasons: {},
  running: 0,
  live: 0,
};

/** An empty archive, but for what is given; relays and candidates are of clearnet. */
export function pipelineCountsWith(
  { relays, candidates, ...rest }: {
    readonly relays?: Partial<RelayCounts>;
    readonly candidates?: Partial<CandidateCounts>;
    readonly events?: PipelineCounts["events"];
    readonly sightings?: PipelineCounts["sightings"];
    readonly coverage?: SyncStatus;
  },
): PipelineCounts {
  const none = { count: 0, exact: true };
  const noRelays = { tor: RELAYS, i2p: RELAYS, loki: RELAYS };
  const noCandidates = { tor: CANDIDATES, i2p: CANDIDATES, loki: CANDIDATES };
  return {
    edition: "full",
    candidates: { clearnet: { ...CANDIDATES, ...candidates }, ...noCandidates },
    relays: { clearnet: { ...RELAYS, ...relays }, ...noRelays },
    events: none,
    sightings: none,
    metadata: none,
    checks: none,
    rejected: none,
    coverage: NO_COVERAGE,
    databaseBytes: 3 * 1024 ** 3,
    ...rest,
  };
}

/** A service between two cycles, but for what is given. */
export function runtimeWith(
  change: Partial<ServiceRuntime> = {},
): ServiceRuntime {
  return {
    startedAt: 1_000,
    updatedAt: 1_000,
    cycles: 3,
    failures: 0,
    consecutiveFailures: 0,
    intervalSeconds: 60,
    cycleStartedAt: null,
    lastSuccessAt: 1_010,
    lastCycleAt: 1_010,
    lastCycleSeconds: 10,
    lastError: null,
    running: true,
    ...change,
  };
}
