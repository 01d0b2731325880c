/**
 * What the sync after a live session shows of it: whether the relay had sent what it had.
 *
 * A live claim rests on the relay alone, which may answer pings and send nothing. So all of it is walked again, and
 * what turns up there was kept back, or came late. One such event says nothing; many, and more than came, do.
 *
 * @module
 */
import type { Database } from "../../../core/database/connection/database.ts";
import { countSightings, liveWindows } from "../../../archive/live_coverage.ts";
import { retractCoverage } from "../../../archive/sync_coverage.ts";
import { intersectAll, type Window } from "../../../models/window.ts";

/** What was claimed live and is to be walked again. */
export interface LiveProven {
  readonly relayId: number;
  /** By filter hash. */
  readonly windows: ReadonlyMap<string, readonly Window[]>;
  /** Claimed of every filter: there all that is wanted would have come. */
  readonly common: readonly Window[];
  /** Events of `common` that the relay was seen to hold before it was walked again. */
  readonly came: number;
}

/** What a live session was worth. */
export interface LiveReview {
  /** Events of the time it had claimed that were there before. */
  readonly came: number;
  /** Those that were not. */
  readonly missed: number;
  readonly isWithholding: boolean;
}

/** What is claimed live of a relay as it stands; the wanted filters by their hashes. */
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
 * Looks at the claims once more after the walks; null when there were none. Takes back what the walks have not proven:
 * all of it when the relay was deaf, and what is older than `provenBefore` in any case.
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

/** Events that came late, or over another way, are nobody's fault; so many are not. */
const FEW = 10;

/** Whether a relay keeps back more than it sends. */
export function showsWithholding(
  { came, missed }: Pick<LiveReview, "came" | "missed">,
): boolean {
  return missed > FEW && missed > came;
}
