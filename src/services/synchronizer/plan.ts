/**
 * The plan of a sync: everything wanted that is not proven yet, and the recent past again.
 *
 * @module
 */
import type { Database } from "../../core/database/connection/database.ts";
import { countSightings } from "../../archive/sync/live_coverage.ts";
import {
  type Gap,
  relayProofs,
  retractCoverage,
  type WalkState,
  walkStates,
} from "../../archive/sync/sync_coverage.ts";
import { type Filter, filterHash } from "../../models/filter.ts";
import {
  intersectWindows,
  OPEN_END,
  subtractWindows,
  type Window,
} from "../../models/window.ts";
import type { Proof } from "../../workers/protocol/evidence.ts";
import type { WalkJob } from "../../workers/protocol/job.ts";
import type { GapReason } from "../../workers/protocol/report.ts";

/** The events that are wanted of a relay. */
export interface Wanted {
  /** One walk each; no two with the same hash. */
  readonly filters: readonly WantedFilter[];
  readonly lookbackSeconds: number;
  /** Time for which a gap with a lasting reason is not asked for again. */
  readonly gapRetrySeconds: number;
}

export interface WantedFilter {
  /** Without `since`, `until` and `limit`. */
  readonly filter: Filter;
  readonly since: number;
  /** Null for no bound: future-dated events come, too. */
  readonly until: number | null;
}

/** A relay and the moment of planning: events that arrive later are left to the next sync. */
export interface SyncPlanContext {
  readonly relayId: number;
  /** Unix seconds by the database's clock. */
  readonly now: number;
  /** The last second that may be proven, by the slower of our clock and the database's. */
  readonly settledUntil: number;
  /** Whether the two differ by so much that nothing may be proven. */
  readonly isClockWrong: boolean;
  /** The slice of the past to compare by NIP-77 again; null for none. */
  readonly repair: Window | null;
  /** Windows that only open subscriptions have proven, by filter hash: they are walked again, however old. */
  readonly provenLive: ReadonlyMap<string, readonly Window[]>;
}

/** The walks that are left to do, one a filter; filters with nothing left are missing. */
export async function planWalks(
  database: Database,
  context: SyncPlanContext,
  wanted: Wanted,
): Promise<WalkJob[]> {
  const { relayId, provenLive } = context;
  const walks: WalkJob[] = [];
  for (const walk of await wantedWalks(database, relayId, wanted)) {
    const { hash, covered } = walk;
    const weak = (await weakProofs(database, relayId, hash))
      // What is not settled yet can be made no stronger.
      .filter(({ since }) => since <= context.settledUntil);
    const job = planWalk({
      ...walk,
      weak,
      live: provenLive.get(hash) ?? [],
      isUnseen: weak.length > 0 &&
        await countSightings(database, relayId, covered) === 0,
    }, { context, wanted });
    if (job !== null) walks.push(job);
  }
  return walks;
}

/** All that a plan depends on of one filter. */
export interface PlannedWalk extends WantedFilter, WalkState {
  readonly hash: string;
  /** Claims that no audit has looked at. */
  readonly weak: readonly Proof[];
  /** What only open subscriptions have proven. */
  readonly live: readonly Window[];
  /** Whether the relay was never seen to hold anything: its silence could not be contradicted, and is asked about again. */
  readonly isUnseen: boolean;
}

/** The walk that is left to do of one filter; null when nothing is. */
export function planWalk(
  walk: PlannedWalk,
  { context, wanted }: {
    readonly context: Omit<SyncPlanContext, "relayId" | "provenLive">;
    readonly wanted: Pick<Wanted, "lookbackSeconds" | "gapRetrySeconds">;
  },
): WalkJob | null {
  const { filter, hash, since, until, covered, gaps, weak, isUnseen } = walk;
  const { now, settledUntil, isClockWrong, repair } = context;
  const recheckedFrom = lookbackOf(covered, { now, until, wanted });
  const windows = subtractWindows({ since, until: until ?? OPEN_END }, [
    ...upTo(isUnseen ? [] : covered, recheckedFrom - 1)
      .flatMap((window) => subtractWindows(window, walk.live)),
    ...gaps.filter((gap) => isLeftAlone(gap, { now, wanted }))
      .flatMap((gap) => isWalked(gap) ? upTo([gap], recheckedFrom - 1) : gap),
  ]).filter(({ until }) => until >= FIRST_SECOND).reverse();
  const repairs = repairsOf(covered, repair);
  if (windows.length + repairs.length === 0) return null;
  const provenUntil = Math.min(until ?? settledUntil, settledUntil);
  return {
    filter,
    filterHash: hash,
    wanted: { since, until: until ?? OPEN_END },
    windows,
    repairs,
    provenUntil: isClockWrong ? null : provenUntil,
    weak: isUnseen ? [] : weak,
    covered,
  };
}

/** Proofs without an audit: those of a session that ended before its own. */
async function weakProofs(
  database: Database,
  relayId: number,
  hash: string,
): Promise<Proof[]> {
  const proofs = await relayProofs(database, relayId, hash);
  return proofs
    .filter(({ strength, method }) => strength === "weak" && method !== "live")
    .map(({ since, until, method }) => ({
      since,
      until,
      method,
      support: { questions: 1, witness: "", counts: null },
    }));
}

/**
 * Takes back what is proven of the future, and the look-back before it: a clock was wrong when that was proven. Gives the
 * seconds of the future that were taken back, of all filters together.
 */
export async function retractFuture(
  database: Database,
  { relayId, now }: Pick<SyncPlanContext, "relayId" | "now">,
  wanted: Wanted,
): Promise<number> {
  let seconds = 0;
  for (
    const { hash, covered } of await wantedWalks(database, relayId, wanted)
  ) {
    const future = covered.flatMap((window) =>
      intersectWindows(window, { since: now + 1, until: OPEN_END }) ?? []
    );
    if (future.length === 0) continue;
    // The same clock proved the seconds before them: they are asked for again, as far back as a look-back goes.
    const windows = [{ since: now - wanted.lookbackSeconds, until: OPEN_END }];
    await retractCoverage(database, { relayId, filterHash: hash, windows });
    seconds += future
      .reduce((sum, { since, until }) => sum + until - since + 1, 0);
  }
  return seconds;
}

/**
 * The second from which on the past is asked for again: counted from the newest proven one, so that a pause of a week
 * loses nothing of what was on its way when it began.
 */
function lookbackOf(
  covered: readonly Window[],
  { now, until, wanted }: {
    readonly now: number;
    /** The newest second that is wanted; null for no bound. */
    readonly until: number | null;
    readonly wanted: Pick<Wanted, "lookbackSeconds">;
  },
): number {
  const edge = covered.reduce((top, { until }) => Math.max(top, until), 0);
  const isWhole = until !== null && edge >= until;
  return (isWhole ? now : Math.min(now, edge + 1)) - wanted.lookbackSeconds;
}

/** A window that is not proven complete, and why. */
export interface MissingWindow extends Window {
  readonly reason: string;
}

/** The windows of the wanted time that are not proven; `otherwise` is the reason where none was recorded. */
export async function missingWindows(
  database: Database,
  { relayId, settledUntil, isClockWrong }: Pick<
    SyncPlanContext,
    "relayId" | "settledUntil" | "isClockWrong"
  >,
  { wanted, otherwise }: {
    readonly wanted: Wanted;
    readonly otherwise: string;
  },
): Promise<MissingWindow[]> {
  const missing: MissingWindow[] = [];
  for (const walk of await wantedWalks(database, relayId, wanted)) {
    const { since, until, covered, gaps } = walk;
    const window = {
      since,
      until: Math.min(until ?? settledUntil, settledUntil),
    };
    for (const hole of subtractWindows(window, covered)) {
      const reason = isClockWrong ? "clock" : otherwise;
      missing.push(...explained(hole, gaps, reason));
    }
  }
  return missing;
}

/** The wanted walks, with their coverage and gaps. */
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

/** The proven part of the slice as one window: each comparison is a request of its own. */
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

/** The parts of windows up to a second. */
function upTo(windows: readonly Window[], last: number): Window[] {
  return windows.flatMap((window) =>
    intersectWindows(window, { since: 0, until: last }) ?? []
  );
}

/** Reasons that lie in the relay: asking again soon would only bring the same events again. */
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
  "unread",
  "unreliable",
]);

/** Whether everything that can be had of a gap was had: late events are asked for there, too. */
function isWalked({ reason }: Gap): boolean {
  return reason === "kinds-only" || reason === "withheld";
}

function isLeftAlone(
  { reason, reportedAt }: Gap,
  { now, wanted }: {
    readonly now: number;
    readonly wanted: Pick<Wanted, "gapRetrySeconds">;
  },
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
