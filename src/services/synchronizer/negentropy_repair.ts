/**
 * How one sync uses NIP-77, from what is remembered of the relay, and what it leaves behind for the next.
 *
 * @module
 */
import type { NegentropyJob } from "../../workers/protocol/job.ts";
import type { SyncReport } from "../../workers/protocol/report.ts";

import type { Wanted } from "./plan.ts";
import type { NegentropyMemory } from "./relay_memory.ts";
import { nextRepair, type RepairStep } from "./repair.ts";

/** How NIP-77 is used. */
export interface NegentropyPolicy {
  readonly enabled: boolean;
  /** Silence by which a relay shows that it does not know it, ms. */
  readonly probeTimeoutMs: number;
  /** A relay that did not know it, and events that a relay withheld, are asked again after so long. */
  readonly retestSeconds: number;
  /** What is proven is compared once more within so long, a slice a sync; 0 for never. */
  readonly repairSeconds: number;
}

export interface Nip77Plan {
  readonly known: NegentropyMemory;
  /** Null for not at all. */
  readonly job: NegentropyJob | null;
  /** Null where nothing is to be compared once more, now or ever. */
  readonly repair: RepairStep | null;
}

/** Plans by what is known of the relay. */
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

/** What is known of the relay's NIP-77 after a session. */
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
