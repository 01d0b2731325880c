/**
 * The review of a live session by the sync after it: whether the relay had sent what it had.
 *
 * A live proof rests on the relay alone, which may answer pings and send nothing. So all of it is walked again: events
 * that turn up there were withheld, or came late. One says nothing; many, and more than came live, do.
 *
 * @module
 */
import type { Database } from "../../../core/database/connection/database.ts";
import {
  countSightings,
  liveWindows,
} from "../../../archive/sync/live_coverage.ts";
import { retractCoverage } from "../../../archive/sync/sync_coverage.ts";
import { intersectAll, type Window } from "../../../models/window.ts";

/** The windows that were proven live and are walked again. */
export interface LiveProven {
  readonly relayId: number;
  /** By filter hash. */
  readonly windows: ReadonlyMap<string, readonly Window[]>;
  /** The windows proven of every filter: there all that is wanted would have come. */
  readonly common: readonly Window[];
  /** Events of `common` that the relay was seen to hold before the walk. */
  readonly came: number;
}

/** The result of a review. */
export interface LiveReview {
  /** Events of the time proven live that were archived before the walk. */
  readonly came: number;
  /** Events of that time that only the walk brought. */
  readonly missed: number;
  readonly isWithholding: boolean;
}

/** Reads what is proven live of a relay; the wanted filters are given by their hashes. */
export async function liveProven(
  database: Database,
  relayId: number,
  filterHashes: readonly string[],
): Promise<LiveProven> {
  const windows = await liveWindows(database, relayId, filterHashes);
  const common = filterHashes.map((hash) => windows.get(hash) ?? [])
    .reduce(intersectAll);
  const came = await countSightings(database, relayId, common);
  return { relayId, windows, common, came };
}

/**
 * Reviews the live session after the walks; null when nothing was proven live. Takes back what the walks have not proven:
 * all of it when the relay was withholding, and what is older than `provenBefore` in any case.
 */
export async function reviewLive(
  database: Database,
  { relayId, windows, common, came }: LiveProven,
  provenBefore: number,
): Promise<LiveReview | null> {
  if (windows.size === 0) return null;
  const missed = await countSightings(database, relayId, common) - came;
  const isWithholding = showsWithholding({ came, missed });
  const left = await liveWindows(database, relayId, [...windows.keys()]);
  const old = { since: 0, until: provenBefore - 1 };
  for (const [filterHash, provenLive] of windows) {
    const unproven = intersectAll(provenLive, left.get(filterHash) ?? []);
    const wrong = isWithholding ? unproven : intersectAll(unproven, [old]);
    await retractCoverage(database, { relayId, filterHash, windows: wrong });
  }
  return { came, missed, isWithholding };
}

/** Up to so many events may have come late, or by another way, without the relay withholding anything. */
const FEW = 10;

/** Whether a relay withholds more than it sends. */
export function showsWithholding(
  { came, missed }: Pick<LiveReview, "came" | "missed">,
): boolean {
  return missed > FEW && missed > came;
}
