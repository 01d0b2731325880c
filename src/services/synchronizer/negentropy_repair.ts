/**
 * How one sync uses NIP-77, from what is remembered of the relay, and what it leaves behind for the next.
 *
 * @module
 */
import type { Database } from "../../core/database/connection/database.ts";
import { retractCoverage } from "../../archive/sync_coverage.ts";
import type { NegentropyJob } from "../../workers/protocol/job.ts";
import type { SyncReport } from "../../workers/protocol/report.ts";

import type { Wanted } from "./plan.ts";
import {
  type NegentropyPolicy,
  recallNip77,
  type RelayNip77,
  rememberNip77,
} from "./relay_nip77.ts";
import { nextRepair, type RepairStep } from "./repair.ts";

export interface Nip77Plan {
  readonly known: RelayNip77;
  /** Null for not at all. */
  readonly job: NegentropyJob | null;
  /** Null where nothing is to be compared once more, now or ever. */
  readonly repair: RepairStep | null;
}

/** Reads what is known of the relay, and plans by it. */
export async function planNip77(
  database: Database,
  url: string,
  { policy, wanted, now }: {
    readonly policy: NegentropyPolicy;
    readonly wanted: Wanted;
    /** Unix seconds. */
    readonly now: number;
  },
): Promise<Nip77Plan> {
  const { enabled, probeTimeoutMs, retestSeconds, repairSeconds } = policy;
  const known = await recallNip77(database, url, { now, retestSeconds });
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

/** Keeps what a session has found out, and takes back what it has shown to be claimed wrongly. */
export async function concludeNip77(
  database: Database,
  { relayId, url, isDone }: {
    readonly relayId: number;
    readonly url: string;
    /** Whether the session went to its end. */
    readonly isDone: boolean;
  },
  { plan, report }: { readonly plan: Nip77Plan; readonly report: SyncReport },
): Promise<void> {
  for (const { filterHash, since, until } of report.retracted) {
    const windows = [{ since, until }];
    await retractCoverage(database, { relayId, filterHash, windows });
  }
  if (plan.job === null) return;
  const { negentropy: support, wholeList } = report;
  const { repair: cursor } = plan.known;
  const repair = isDone && plan.repair !== null ? plan.repair.next : cursor;
  const found = { support, wholeList, repair };
  // What is kept of one that does not know it ages from when it was last asked.
  const isNews = support === "unsupported" ||
    JSON.stringify(found) !== JSON.stringify(plan.known);
  if (isNews) await rememberNip77(database, url, found);
}
