/**
 * How one sync uses NIP-77: the plan, from what is remembered of the relay, and what is kept for the next sync. Once a
 * relay is known to answer, now and then a sync also compares a slice of what is proven again, from the newest to the
 * oldest, as events are also published late and back-dated (the rolling repair).
 *
 * @module
 */
import { BEGINNING, type Window } from "../../models/window.ts";
import type { NegentropyJob } from "../../workers/protocol/job.ts";
import type { SyncReport } from "../../workers/protocol/report.ts";

import type { Wanted } from "./plan.ts";
import type { NegentropyMemory, RepairCursor } from "./relay_memory.ts";

/** The configuration of NIP-77. */
export interface NegentropyPolicy {
  readonly enabled: boolean;
  /** Silence by which a relay shows that it does not know NIP-77, ms. */
  readonly probeTimeoutMs: number;
  /** Time after which a relay that did not know NIP-77, and withheld events, are asked for again. */
  readonly retestSeconds: number;
  /** Time within which everything proven is compared again, a slice a sync; 0 for never. */
  readonly repairSeconds: number;
}

export interface Nip77Plan {
  readonly known: NegentropyMemory;
  /** Null for not at all. */
  readonly job: NegentropyJob | null;
  /** Null where nothing is to be compared once more, now or ever. */
  readonly repair: RepairStep | null;
}

/** Plans the use of NIP-77 in one sync from what is known of the relay. */
export function planNip77(
  known: NegentropyMemory,
  { policy, wanted, now }: {
    readonly policy: NegentropyPolicy;
    readonly wanted: Wanted;
    /** Unix seconds. */
    readonly now: number;
  },
): Nip77Plan {
  const { enabled, probeTimeoutMs, repairSeconds } = policy;
  const { support, wholeList } = known;
  const isUsed = enabled && support !== "unsupported";
  const isRepaired = isUsed && support === "supported" && repairSeconds > 0;
  return {
    known,
    job: isUsed ? { support, wholeList, probeTimeoutMs } : null,
    repair: isRepaired
      ? nextRepair(known.repair, { now, wanted, repairSeconds })
      : null,
  };
}

/** The memory of the relay's NIP-77 after a session. */
export function concludeNip77(
  { known, job, repair: step }: Nip77Plan,
  { report, isDone, now }: {
    readonly report: Pick<SyncReport, "negentropy" | "wholeList">;
    /** Whether the session went to its end. */
    readonly isDone: boolean;
    /** Unix seconds. */
    readonly now: number;
  },
): NegentropyMemory {
  if (job === null) return known;
  const { negentropy: support, wholeList } = report;
  const repair = isDone && step !== null ? step.next : known.repair;
  const unsupportedAt = support === "unsupported" ? now : known.unsupportedAt;
  return { support, wholeList, repair, unsupportedAt };
}

/** The slice to compare in this sync, if any, and the cursor after it. */
export interface RepairStep {
  readonly slice: Window | null;
  readonly next: RepairCursor;
}

/** No slice is a smaller share of the past: each is a request, and a relay with nothing new is not to be asked a third. */
const SMALLEST_SHARE = 1 / 100;

/**
 * The next slice is as large a share of the past as the time since the last step is of `repairSeconds`. The first pass
 * begins one step after everything was proven.
 */
function nextRepair(
  cursor: RepairCursor | null,
  { now, wanted, repairSeconds }: {
    /** Unix seconds. */
    readonly now: number;
    readonly wanted: Wanted;
    readonly repairSeconds: number;
  },
): RepairStep {
  const floor = Math.min(...wanted.filters.map(({ since }) => since));
  // Newer time is asked for in every sync.
  const top = now - wanted.lookbackSeconds - 1;
  const { downTo, at } = cursor ?? { downTo: top + 1, at: now };
  const passed = Math.min(1, Math.max(0, now - at) / repairSeconds);
  const until = Math.min(downTo - 1, top);
  if (until < floor) {
    return { slice: null, next: { downTo: top + 1, at: now } };
  }
  if (passed < SMALLEST_SHARE) return { slice: null, next: { downTo, at } };
  const first = Math.max(floor, Math.min(BEGINNING, top));
  const since = until - Math.ceil((top - first + 1) * passed) + 1;
  return since <= first
    ? { slice: { since: floor, until }, next: { downTo: top + 1, at: now } }
    : { slice: { since, until }, next: { downTo: since, at: now } };
}
