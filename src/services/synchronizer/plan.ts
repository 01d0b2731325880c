/**
 * What is wanted of a relay: everything that is not proven yet, and the recent past again.
 *
 * @module
 */
import type { Database } from "../../core/database/connection/database.ts";
import {
  type Gap,
  type WalkState,
  walkStates,
} from "../../archive/sync_coverage.ts";
import { type Filter, filterHash } from "../../models/filter.ts";
import {
  intersectWindows,
  OPEN_END,
  subtractWindows,
  type Window,
} from "../../models/window.ts";
import type { WalkJob } from "../../workers/protocol/job.ts";
import type { GapReason } from "../../workers/protocol/report.ts";

/** What is archived of every relay. */
export interface Wanted {
  /** Walks by themselves; no two with the same hash. */
  readonly filters: readonly WantedFilter[];
  readonly lookbackSeconds: number;
  /** Stretches that cannot be proven are left alone for so long. */
  readonly gapRetrySeconds: number;
}

export interface WantedFilter {
  /** Without `since`, `until` and `limit`. */
  readonly filter: Filter;
  readonly since: number;
  /** Null for no bound: future-dated events come, too. */
  readonly until: number | null;
}

/** A relay, and the moment at which what is wanted of it was fixed: what arrives later is the next sync's. */
export interface SyncPlanContext {
  readonly relayId: number;
  /** Unix seconds. */
  readonly now: number;
  /** What of the past is to be compared once more; null for nothing. */
  readonly repair: Window | null;
  /** What only open subscriptions have proven, by filter hash: it is walked again, however long ago it was. */
  readonly provenLive: ReadonlyMap<string, readonly Window[]>;
}

/** The walks that are left to do, one a filter; filters with nothing left are missing. */
export async function planWalks(
  database: Database,
  { relayId, now, repair, provenLive }: SyncPlanContext,
  wanted: Wanted,
): Promise<WalkJob[]> {
  const walks: WalkJob[] = [];
  for (const walk of await wantedWalks(database, relayId, wanted)) {
    const { filter, hash, since, until, covered, gaps } = walk;
    const live = provenLive.get(hash) ?? [];
    const windows = subtractWindows({ since, until: until ?? OPEN_END }, [
      ...settled(covered, { now, wanted })
        .flatMap((window) => subtractWindows(window, live)),
      ...gaps.filter((gap) => isLeftAlone(gap, { now, wanted }))
        .flatMap((gap) =>
          isWalked(gap) ? settled([gap], { now, wanted }) : gap
        ),
    ]).filter(({ until }) => until >= FIRST_SECOND).reverse();
    const provenUntil = Math.min(until ?? now, now);
    const repairs = repairsOf(covered, repair);
    if (windows.length + repairs.length === 0) continue;
    walks.push({ filter, filterHash: hash, windows, repairs, provenUntil });
  }
  return walks;
}

/** A stretch that is not proven complete, and why. */
export interface MissingWindow extends Window {
  readonly reason: string;
}

/** What of the wanted time is not proven complete; `otherwise` is the reason where none was recorded. */
export async function missingWindows(
  database: Database,
  { relayId, now }: Pick<SyncPlanContext, "relayId" | "now">,
  { wanted, otherwise }: {
    readonly wanted: Wanted;
    readonly otherwise: string;
  },
): Promise<MissingWindow[]> {
  const missing: MissingWindow[] = [];
  for (const walk of await wantedWalks(database, relayId, wanted)) {
    const { since, until, covered, gaps } = walk;
    const window = { since, until: Math.min(until ?? now, now) };
    for (const hole of subtractWindows(window, covered)) {
      missing.push(...explained(hole, gaps, otherwise));
    }
  }
  return missing;
}

/** What is wanted, and how it stands. */
async function wantedWalks(
  database: Database,
  relayId: number,
  { filters }: Wanted,
): Promise<(WantedFilter & WalkState & { readonly hash: string })[]> {
  const walks = filters.map((wanted) => ({
    ...wanted,
    hash: filterHash(wanted.filter),
  }));
  const hashes = walks.map(({ hash }) => hash);
  const states = await walkStates(database, relayId, hashes);
  return walks.map((walk) => ({ ...walk, ...states.get(walk.hash)! }));
}

/** `until: 0` is not asked: some relays ignore it and give the newest page again. */
const FIRST_SECOND = 1;

/** What is proven within the slice, in one: each comparison is a question of its own. */
function repairsOf(
  covered: readonly Window[],
  slice: Window | null,
): Window[] {
  if (slice === null) return [];
  const proven = covered.flatMap((window) =>
    intersectWindows(window, slice) ?? []
  );
  const [first] = proven;
  const last = proven.at(-1);
  return first === undefined || last === undefined
    ? []
    : [{ since: first.since, until: last.until }];
}

function settled(
  covered: readonly Window[],
  { now, wanted }: { now: number; wanted: Wanted },
): Window[] {
  const recheckedFrom = now - wanted.lookbackSeconds;
  return covered.flatMap((window) =>
    intersectWindows(window, { since: 0, until: recheckedFrom - 1 }) ?? []
  );
}

/** Reasons that lie in how the relay is made: trying again soon would only bring the same events again. */
const LASTING: ReadonlySet<string> = new Set<GapReason>([
  "saturated",
  "hidden",
  "boundary",
  "too-large",
  "bounds-ignored",
  "restricted",
  "kinds-only",
  "count-mismatch",
  "withheld",
]);

/** Gaps in which what can be had was had: what comes late is looked for there, too. */
function isWalked({ reason }: Gap): boolean {
  return reason === "kinds-only" || reason === "withheld";
}

function isLeftAlone(
  { reason, reportedAt }: Gap,
  { now, wanted }: { now: number; wanted: Wanted },
): boolean {
  return LASTING.has(reason) && reportedAt + wanted.gapRetrySeconds > now;
}

function explained(
  hole: Window,
  gaps: readonly Gap[],
  otherwise: string,
): MissingWindow[] {
  const known = gaps.flatMap((gap) => {
    const part = intersectWindows(gap, hole);
    return part === null ? [] : [{ ...part, reason: gap.reason }];
  });
  const rest = subtractWindows(hole, known)
    .map((window) => ({ ...window, reason: otherwise }));
  return [...known, ...rest].sort((a, b) => a.since - b.since);
}
