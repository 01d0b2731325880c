/**
 * Keeps statistics what the tables hold: folds the queue of facts, and makes again what cannot be folded.
 *
 * At every commit, statistics + what waits in the queue + what is to be made again are what the tables hold.
 *
 * @module
 */
import type { Database } from "../../core/database/connection/database.ts";
import {
  type Executor,
  onConnection,
} from "../../core/database/connection/executor.ts";
import {
  type DerivedStatus,
  foldDerived,
  remakeDerivedStep,
} from "../derived/derived.ts";
import type { DerivedOptions } from "../derived/derived_options.ts";
import { takeFacts } from "../facts.ts";
import { foldFacts } from "./fold.ts";
import { remakeNext } from "./remake.ts";

export interface RefreshOptions {
  /** Facts folded in one transaction at most; a fact is a batch of some hundred events. */
  readonly limit: number;
  readonly signal: AbortSignal;
  /** Derived facts that are kept; by default none, and those that are there are forgotten. */
  readonly derived?: DerivedOptions | undefined;
}

/** Events that one step of making derived facts looks at: some seconds. */
const DERIVED_STEP = 20_000;

const NOTHING_DERIVED: DerivedOptions = {
  contacts: false,
  assertions: false,
  targets: false,
  readZap: () => null,
};

/** What one transaction did. */
export interface Refreshed {
  readonly facts: number;
  readonly events: number;
  readonly sightings: number;
  /** Days, parts of relays, groups of sketches and parts of derived facts that were made again: one at most. */
  readonly made: number;
  /** Whether nothing was left to do. */
  readonly isIdle: boolean;
}

/**
 * Folds the oldest facts that wait, and, when those were all, makes one of the things that are to be made again. One at a
 * time on a database: another waits until the first has committed, or is gone.
 */
export function refreshStatistics(
  database: Database,
  { limit, signal, derived = NOTHING_DERIVED }: RefreshOptions,
): Promise<Refreshed> {
  return database.transaction(async (sql) => {
    // A lock on a table is taken before the snapshot, so that it shows what the one before has committed.
    await sql.unsafe("lock table relay_remake in exclusive mode");
    const startedAt = performance.now();
    const facts = await takeFacts(sql, limit);
    const folded = await foldFacts(sql, facts);
    await foldDerived(sql, facts, derived);
    const isDrained = facts.length < limit;
    const isMade = isDrained && (await remakeNext(sql) ||
      await remakeDerivedStep(sql, derived, DERIVED_STEP) > 0);
    const made = isMade ? 1 : 0;
    if (facts.length + made > 0) {
      await sql`
        update statistics_state
        set facts = facts + ${facts.length}::int8,
          events = events + ${folded.events}::int8,
          sightings = sightings + ${folded.sightings}::int8,
          busy_ms = busy_ms + ${
        Math.round(performance.now() - startedAt)
      }::int8,
          folded_at = unix_now()`;
    }
    const isIdle = isDrained && made === 0;
    return { facts: facts.length, ...folded, made, isIdle };
  }, { kind: "refresh", signal, oneSnapshot: true });
}

/** Days of `created_at`, Unix seconds, both ends included. */
export interface RemakeBounds {
  readonly since?: number | undefined;
  readonly until?: number | undefined;
}

/**
 * Asks for days to be made again, all of a day that is touched; without bounds for everything, relays included. Returns how
 * many days and relays that are.
 */
export function requestRemake(
  db: Executor,
  { since, until }: RemakeBounds,
): Promise<{ readonly days: number; readonly relays: number }> {
  return onConnection(db, async (sql) => {
    const [row] = await sql<{ days: number; relays: number }[]>`
      select days, relays from statistics_request(${since ?? 0}::int8,
        coalesce(${until ?? null}::int8, 9223372036854775807))`;
    return { days: row!.days, relays: row!.relays };
  }, { kind: "refresh" });
}

export interface StatisticsStatus {
  /** Unix seconds of the last fold; null before the first. */
  readonly foldedAt: number | null;
  /** Since statistics began. */
  readonly facts: number;
  readonly events: number;
  readonly sightings: number;
  readonly busyMs: number;
  /** Facts that are not folded yet. */
  readonly waiting: number;
  /** The age of the oldest of them; null when none waits. */
  readonly oldestSeconds: number | null;
  /** What is to be made again; until then, what is said of it is less than there is. */
  readonly daysToMake: number;
  readonly relaysToMake: number;
  /** Sketches that still count something deleted. */
  readonly staleSketches: number;
  /** How far derived facts are; null for a lite archive. */
  readonly derived: DerivedStatus;
}

/** Whether anything is to be made from the tables before all is right. */
export function isUnmade(
  { daysToMake, relaysToMake, staleSketches, derived }: StatisticsStatus,
): boolean {
  return daysToMake + relaysToMake + staleSketches > 0 ||
    Object.values(derived ?? {}).includes("unfinished");
}

/** How far statistics are behind the archive. Cheap. */
export function statisticsStatus(db: Executor): Promise<StatisticsStatus> {
  return onConnection(db, async (sql) => {
    const [row] = await sql<{ status: StatisticsStatus }[]>`
      select statistics_status()
        || jsonb_build_object('derived', derived_status()) as status`;
    return row!.status;
  });
}
