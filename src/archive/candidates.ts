/**
 * Candidates: relay URLs nobody has shaken hands with yet.
 *
 * @module
 */
import type { Network } from "../models/network.ts";
import { storableJson } from "../models/storable_text.ts";
import {
  type Executor,
  onConnection,
} from "../core/database/connection/executor.ts";

/** A mention of a relay URL; `RelayHint` of the models is one. */
export interface CandidateHint {
  /** Normalised, as `parseRelayUrl` gives it. */
  readonly url: string;
  readonly network: Network;
  /** Host without port. */
  readonly host: string;
  /** Registrable domain (the host itself for overlays and addresses). */
  readonly domain: string;
  /** The place of the mention: a hint source of the models, `seed`, `api`, … Mentions are counted per source. */
  readonly source: string;
  /** Public key (hex) of the event's author, when an event mentioned it. */
  readonly author?: string | undefined;
}

/** How many candidates (and, for host and domain, relays) may come from one place. 0 means no bound. */
export interface CandidateBudgets {
  readonly maxPerHost: number;
  readonly maxPerDomain: number;
  readonly maxPerAuthor: number;
}

/** The outcome of a batch of hints, counted by distinct URL. */
export interface CandidateInsertion {
  readonly inserted: number;
  /** Refused by a budget. */
  readonly overBudget: number;
  /** Already candidates (their mentions are counted) or already relays, in their ws or wss form. */
  readonly known: number;
}

export interface Candidate {
  readonly url: string;
  readonly network: Network;
  /** Source of the first mention. */
  readonly source: string;
  /** Tries that failed so far. */
  readonly failures: number;
  /** Unix seconds. */
  readonly discoveredAt: number;
  readonly lastTriedAt: number | null;
  readonly lastFailure: string | null;
}

export interface CandidatePromotion {
  /** The candidate that was tried. */
  readonly candidateUrl: string;
  /** The URL that answered: the relay's identity (may be the candidate's wss twin). */
  readonly url: string;
  readonly network: Network;
}

export interface CandidateFailure {
  readonly url: string;
  /** The failure, as people read it. */
  readonly failure: string;
  /** The shortest wait until the next trial, whatever the backoff says. Default: 0. */
  readonly waitSeconds?: number;
}

/** A candidate that failed n times is due again after `initialSeconds * 2^(n-1)`, at most `maxSeconds`. */
export interface RetryLadder {
  readonly initialSeconds: number;
  readonly maxSeconds: number;
}

/** Stores mentioned URLs that are neither relays nor candidates yet, within the budgets. Counts every mention. */
export function insertCandidates(
  db: Executor,
  hints: readonly CandidateHint[],
  budgets: CandidateBudgets,
): Promise<CandidateInsertion> {
  if (hints.length === 0) {
    return Promise.resolve({ inserted: 0, overBudget: 0, known: 0 });
  }
  const rows = candidateRows(hints);
  const limits = storableJson(budgets);
  return onConnection(db, async (sql) => {
    const [row] = await sql<CandidateInsertion[]>`
      select inserted, over_budget as "overBudget", known
      from candidate_insert(${rows}::text::jsonb, ${limits}::text::jsonb)`;
    return { ...row! };
  }, { kind: "batch" });
}

/** The hints as `candidate_insert` and `sync_batch_store` take them: one row a URL, of its first mention. */
export function candidateRows(hints: readonly CandidateHint[]): string {
  const rows = new Map<string, CandidateRowWithMentions>();
  for (const { url, network, host, domain, source, author } of hints) {
    let row = rows.get(url);
    if (row === undefined) {
      row = { url, network, host, domain, source, author, hints: {} };
      rows.set(url, row);
    }
    row.hints[source] = (row.hints[source] ?? 0) + 1;
  }
  return storableJson([...rows.values()]);
}

interface CandidateRowWithMentions extends CandidateHint {
  /** Mentions by source. */
  readonly hints: Record<string, number>;
}

export interface ClaimRequest extends Crowding {
  readonly networks: readonly Network[];
  readonly limit: number;
  readonly claimSeconds: number;
  /** Names this process among all that share the database. */
  readonly holder: string;
}

/** Which of those that share an address may be taken just now. Those of one authority are interleaved with the others. */
export interface Crowding {
  /** None of these: host and port as they stand in a URL. */
  readonly exceptAuthorities?: readonly string[] | undefined;
  /** No more than so many of one authority at once. */
  readonly perAuthority?: number | undefined;
}

/**
 * Claims due candidates for `claimSeconds`, fewest failures first. Two claimers never get the same one;
 * a claim that is neither promoted, failed nor released in time is free again.
 */
export function claimCandidates(
  db: Executor,
  request: ClaimRequest,
): Promise<Candidate[]> {
  const json = storableJson(request);
  return onConnection(db, async (sql) => {
    const rows = await sql<CandidateRow[]>`
      select url, network, source, failures, discovered_at, last_tried_at,
        last_failure
      from candidate_claim(${json}::text::jsonb)`;
    return rows.map((row) => ({
      url: row.url,
      network: row.network,
      source: row.source,
      failures: row.failures,
      discoveredAt: Number(row.discovered_at),
      lastTriedAt: row.last_tried_at === null
        ? null
        : Number(row.last_tried_at),
      lastFailure: row.last_failure,
    }));
  }, { kind: "batch" });
}

/** Makes relays of candidates that answered; gives the number of new relays. */
export function promoteCandidates(
  db: Executor,
  promotions: readonly CandidatePromotion[],
): Promise<number> {
  if (promotions.length === 0) return Promise.resolve(0);
  const rows = storableJson(promotions);
  return onConnection(db, async (sql) => {
    const [row] = await sql<{ promoted: number }[]>`
      select candidate_promote(${rows}::text::jsonb) as promoted`;
    return row!.promoted;
  }, { kind: "batch" });
}

/** Counts a failed try and sets when the candidate is due again; gives the number of candidates found. */
export function failCandidates(
  db: Executor,
  failures: readonly CandidateFailure[],
  ladder: RetryLadder,
): Promise<number> {
  if (failures.length === 0) return Promise.resolve(0);
  const rows = storableJson(failures);
  return onConnection(db, async (sql) => {
    const [row] = await sql<{ failed: number }[]>`
      select candidate_fail(${rows}::text::jsonb, ${ladder.initialSeconds}::int,
        ${ladder.maxSeconds}::int) as failed`;
    return row!.failed;
  }, { kind: "batch" });
}

/** Gives claims back without counting a try (shutdown, our own network down). */
export function releaseCandidates(
  db: Executor,
  urls: readonly string[],
): Promise<number> {
  if (urls.length === 0) return Promise.resolve(0);
  const rows = storableJson(urls);
  return onConnection(db, async (sql) => {
    const [row] = await sql<{ released: number }[]>`
      select candidate_release(${rows}::text::jsonb) as released`;
    return row!.released;
  }, { kind: "batch" });
}

/** Drops candidates that failed `maxFailures` times or more, and those that have become relays. */
export function dropCandidates(
  db: Executor,
  { maxFailures }: { readonly maxFailures: number },
): Promise<number> {
  return onConnection(db, async (sql) => {
    const [row] = await sql<{ dropped: number }[]>`
      select candidate_drop(${maxFailures}::int) as dropped`;
    return row!.dropped;
  }, { kind: "cleanup" });
}

/** postgres.js gives int8 as text. */
interface CandidateRow {
  readonly url: string;
  readonly network: Network;
  readonly source: string;
  readonly failures: number;
  readonly discovered_at: string;
  readonly last_tried_at: string | null;
  readonly last_failure: string | null;
}
