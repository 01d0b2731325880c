/**
 * Coverage: for each relay and filter, which windows of `created_at` are archived and proven complete.
 *
 * Only `storeBatch` advances it, in the transaction that stores the events.
 *
 * @module
 */
import type { Filter } from "../../models/filter.ts";
import type { Window } from "../../models/window.ts";
import { storableJson } from "../../models/storable_text.ts";
import {
  type Executor,
  onConnection,
} from "../../core/database/connection/executor.ts";

/** Methods by which a window is proven complete. */
export const PROOFS = [
  /** NIP-77: both sides hold the same ids. */
  "negentropy",
  /** NIP-67: the relay says that it has sent all. */
  "finish",
  /** NIP-45: the relay counts as many as were obtained. */
  "count",
  /** Pages that came newest first went on past the window. */
  "paging",
  /** The window was cut into parts (time, kind, author) of which none filled a page. */
  "split",
  /** A page, and a narrower one after it, brought nothing more. */
  "empty-page",
  /** A subscription was open and its connection alive; the next sync walks the window again. */
  "live",
] as const;

export type Proof = (typeof PROOFS)[number];

/** How strong a proof is, strongest first. */
export const STRENGTHS = [
  /** NIP-77, and a REQ that could have shown otherwise did not. */
  "reconciled",
  /** An exact COUNT (NIP-45) says that the relay has no more. */
  "counted",
  /** Every answer overlapped what was known, in order, and the audit of the session found nothing. */
  "paged",
  /** Nothing contradicted it. */
  "weak",
] as const;

export type Strength = (typeof STRENGTHS)[number];

/** Shares of what is proven, 0 to 1 each: 1 together, or 0 each where nothing is proven. */
export type StrengthShares = Readonly<Record<Strength, number>>;

/** A smaller share says nothing of the whole. */
const NEGLIGIBLE = 0.01;

/** The weakest strength that holds more than 1 %: what may be said of the whole. Null where nothing is proven. */
export function weakestStrength(shares: StrengthShares): Strength | null {
  return STRENGTHS.findLast((strength) => shares[strength] > NEGLIGIBLE) ??
    null;
}

/** A window that could not be proven, and why. */
export interface Gap extends Window {
  readonly reason: string;
  /** Unix seconds of the first report. */
  readonly foundAt: number;
  /** Unix seconds of the last report. */
  readonly reportedAt: number;
  /** How often it was reported so far. */
  readonly attempts: number;
}

/** A proven window with its evidence. */
export interface ProvenWindow extends Window {
  readonly method: Proof;
  readonly strength: Strength;
}

/** The coverage and the gaps of a walk. */
export interface WalkState {
  readonly covered: readonly Window[];
  readonly gaps: readonly Gap[];
}

/** Coverage and gaps of walks of a relay, by filter hash, in one round trip. */
export function walkStates(
  db: Executor,
  relayId: number,
  filterHashes: readonly string[],
): Promise<Map<string, WalkState>> {
  return onConnection(db, async (sql) => {
    const rows = await sql<WalkRow[]>`
      select filter_hash, covered, gaps from sync_walk_get(${relayId}::int,
        ${storableJson(filterHashes)}::text::jsonb)`;
    return new Map(rows.map(({ filter_hash, covered, gaps }) => [
      filter_hash,
      { covered: covered.map(([since, until]) => ({ since, until })), gaps },
    ]));
  });
}

interface WalkRow {
  readonly filter_hash: string;
  readonly covered: readonly (readonly [since: number, until: number])[];
  readonly gaps: readonly Gap[];
}

/** A walk of a relay that is wanted, and from when to when. */
export interface WantedWalk {
  readonly filterHash: string;
  /** Without `since`, `until` and `limit`. */
  readonly filter: Filter;
  readonly since: number;
  /** Null for no bound. */
  readonly until: number | null;
}

/** Sets what is wanted of a relay, and nothing else: `status` measures coverage by it. */
export function wantWalks(
  db: Executor,
  relayId: number,
  walks: readonly WantedWalk[],
): Promise<void> {
  const rows = storableJson(walks);
  return onConnection(db, async (sql) => {
    await sql`select sync_walk_want(${relayId}::int, ${rows}::text::jsonb)`;
  }, { kind: "batch" });
}

/** The proven windows of a walk with their methods and strengths, ascending. */
export function relayProofs(
  db: Executor,
  relayId: number,
  filterHash: string,
): Promise<ProvenWindow[]> {
  return onConnection(db, async (sql) => {
    const rows = await sql<
      {
        method: Proof;
        strength: Strength;
        since: string;
        until: string;
      }[]
    >`select method, strength, since, until
      from sync_proof_get(${relayId}::int, ${filterHash}::text)`;
    return rows.map((row) => ({
      ...asWindow(row),
      method: row.method,
      strength: row.strength,
    }));
  });
}

/**
 * How strongly walks of a relay are proven: shares of what is proven of the time wanted, as far as it is counted (since
 * November 2020, when Nostr began, unless less is wanted).
 */
export function proofShares(
  db: Executor,
  relayId: number,
  walks: readonly Omit<WantedWalk, "filter">[],
): Promise<StrengthShares> {
  const rows = storableJson(walks);
  return onConnection(db, async (sql) => {
    const [row] = await sql<{ shares: StrengthShares }[]>`
      select sync_proof_share(${relayId}::int, ${rows}::text::jsonb) as shares`;
    const { reconciled, counted, paged, weak } = row!.shares;
    return { reconciled, counted, paged, weak };
  });
}

/** Takes coverage back, without a gap: these windows are wanted again. */
export function retractCoverage(
  db: Executor,
  { relayId, filterHash, windows }: {
    readonly relayId: number;
    readonly filterHash: string;
    readonly windows: readonly Window[];
  },
): Promise<void> {
  if (windows.length === 0) return Promise.resolve();
  const rows = storableJson(windows);
  return onConnection(db, async (sql) => {
    await sql`select sync_coverage_retract(${relayId}::int,
      ${filterHash}::text, ${rows}::text::jsonb)`;
  }, { kind: "batch" });
}

function asWindow(row: { since: string; until: string }): Window {
  return { since: Number(row.since), until: Number(row.until) };
}
