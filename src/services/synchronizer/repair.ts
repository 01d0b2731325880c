/**
 * The rolling repair: what is proven is compared once more by NIP-77, a slice a sync and from the newest to the oldest,
 * as events are also published late and back-dated.
 *
 * @module
 */
import { BEGINNING, type Window } from "../../models/window.ts";
import type { Wanted } from "./plan.ts";
import type { RepairCursor } from "./relay_memory.ts";

/** What to compare in this sync, if anything, and where it leaves the cursor. */
export interface RepairStep {
  readonly slice: Window | null;
  readonly next: RepairCursor;
}

/**
 * As large a share of the past as the share of `repairSeconds` that went by since the last step. The first pass begins
 * one step after everything was proven.
 */
export function nextRepair(
  cursor: RepairCursor | null,
  { now, wanted, repairSeconds }: {
    /** Unix seconds. */
    readonly now: number;
    readonly wanted: Wanted;
    readonly repairSeconds: number;
  },
): RepairStep {
  const floor = Math.min(...wanted.filters.map(({ since }) => since));
  // What is newer is looked at in every sync.
  const top = now - wanted.lookbackSeconds - 1;
  const { downTo, at } = cursor ?? { downTo: top + 1, at: now };
  const passed = Math.min(1, Math.max(0, now - at) / repairSeconds);
  const until = Math.min(downTo - 1, top);
  if (until < floor) {
    return { slice: null, next: { downTo: top + 1, at: now } };
  }
  if (passed === 0) return { slice: null, next: { downTo, at } };
  const first = Math.max(floor, Math.min(BEGINNING, top));
  const since = until - Math.ceil((top - first + 1) * passed) + 1;
  return since <= first
    ? { slice: { since: floor, until }, next: { downTo: top + 1, at: now } }
    : { slice: { since, until }, next: { downTo: since, at: now } };
}
