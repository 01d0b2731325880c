/**
 * Single relays as their operator sees them: listed, removed, made due.
 *
 * @module
 */
import { errorCode } from "../core/database/connection/database_error.ts";
import type { Database } from "../core/database/connection/database.ts";
import {
  type Executor,
  onConnection,
} from "../core/database/connection/executor.ts";
import type { Network } from "../models/network.ts";
import { storableJson } from "../models/storable_text.ts";

/** The last check's verdict. */
export type ListedState = "online" | "offline" | "unchecked";

/** A relay at a glance. All moments are Unix seconds. */
export interface ListedRelay {
  readonly url: string;
  readonly network: Network;
  readonly discoveredAt: number;
  readonly state: ListedState;
  /** The first of the checks in a row that found it so; null when it was never checked. */
  readonly since: number | null;
  readonly lastCheckedAt: number | null;
  /** What the last check failed at; null when it did not. */
  readonly failure: string | null;
  /** The process that syncs it now; null for none. */
  readonly holder: string | null;
  /** Null when it is not live. */
  readonly liveSince: number | null;
  /** When it is synced next; null when the synchronizer never took it up. */
  readonly dueAt: number | null;
  /** Failed syncs in a row. */
  readonly syncFailures: number;
  readonly gaps: number;
  /** The newest second that is proven complete; null without one. */
  readonly provenUntil: number | null;
}

export interface RelayWish {
  readonly urls?: readonly string[];
  readonly networks?: readonly Network[];
  readonly state?: ListedState | undefined;
}

/** The relays of these URLs, networks and states (each left out: all), by URL. */
export function listRelays(
  db: Executor,
  wish: RelayWish,
): Promise<ListedRelay[]> {
  const request = storableJson(wish);
  return onConnection(db, async (sql) => {
    const rows = await sql<RelayRow[]>`
      select url, network, discovered_at, online, since, last_checked_at,
        failure, holder, live_since, due_at, sync_failures, gaps, proven_until
      from relay_list(${request}::text::jsonb)`;
    return rows.map((row) => ({
      url: row.url,
      network: row.network,
      discoveredAt: Number(row.discovered_at),
      state: stateOf(row.online),
      since: numberOf(row.since),
      lastCheckedAt: numberOf(row.last_checked_at),
      failure: row.failure,
      holder: row.holder,
      liveSince: numberOf(row.live_since),
      dueAt: numberOf(row.due_at),
      syncFailures: row.sync_failures,
      gaps: Number(row.gaps),
      provenUntil: numberOf(row.proven_until),
    }));
  });
}

/** A candidate and how its trials went. All moments are Unix seconds. */
export interface ListedCandidate {
  readonly url: string;
  readonly network: Network;
  readonly source: string;
  readonly discoveredAt: number;
  readonly failures: number;
  readonly lastTriedAt: number | null;
  readonly lastFailure: string | null;
  readonly dueAt: number;
}

/** The candidates of these URLs (left out: all), by URL. */
export function listCandidates(
  db: Executor,
  urls?: readonly string[],
): Promise<ListedCandidate[]> {
  const wanted = urls === undefined ? null : storableJson(urls);
  return onConnection(db, async (sql) => {
    const rows = await sql<CandidateRow[]>`
      select url, network, source, discovered_at, failures, last_tried_at,
        last_failure, due_at
      from candidate_list(${wanted}::text::jsonb)`;
    return rows.map((row) => ({
      url: row.url,
      network: row.network,
      source: row.source,
      discoveredAt: Number(row.discovered_at),
      failures: row.failures,
      lastTriedAt: numberOf(row.last_tried_at),
      lastFailure: row.last_failure,
      dueAt: Number(row.due_at),
    }));
  });
}

/** Makes relays and candidates due at once, as if nothing had failed, and gaps to be asked for again; gives those found. */
export function retryRelays(
  db: Executor,
  urls: readonly string[],
): Promise<{ readonly url: string; readonly isRelay: boolean }[]> {
  const wanted = storableJson(urls);
  return onConnection(db, async (sql) => {
    const rows = await sql<{ url: string; is_relay: boolean }[]>`
      select url, is_relay from relay_retry(${wanted}::text::jsonb)`;
    return rows.map(({ url, is_relay }) => ({ url, isRelay: is_relay }));
  }, { kind: "batch" });
}

/** The end of an attempt to remove a relay or candidate. */
export type Removal =
  | { readonly type: "removed"; readonly sightings: number }
  | { readonly type: "unknown" }
  /** Processes have it in hand. */
  | { readonly type: "held"; readonly holder: string }
  /** It was seen to hold events, and that was not to be forgotten. */
  | { readonly type: "has-sightings" };

/** Sightings deleted by one statement. */
const PAGE_SIZE = 20_000;

/**
 * Removes a candidate, or a relay with all that is known of it; its events stay. Sightings are deleted page by page, and
 * only where `sightings` says so. When the signal aborts, the pages that were deleted stay so, and its reason is thrown.
 */
export async function removeRelay(
  database: Database,
  url: string,
  { sightings, signal }: {
    readonly sightings: boolean;
    readonly signal: AbortSignal;
  },
): Promise<Removal> {
  const options = { kind: "cleanup", signal } as const;
  const [found] = await database.run(
    (sql) =>
      sql<{ holder: string | null; has_sightings: boolean }[]>`
      select holder, has_sightings from relay_removal(${url}::text)`,
    options,
  );
  if (found?.holder) return { type: "held", holder: found.holder };
  if (found?.has_sightings && !sightings) return { type: "has-sightings" };
  let deleted = 0;
  let page = found?.has_sightings ? PAGE_SIZE : 0;
  while (page > 0) {
    const [row] = await database.run(
      (sql) =>
        sql<{ deleted: number }[]>`
        select relay_sighting_delete(${url}::text, ${PAGE_SIZE}::int) as deleted`,
      options,
    );
    page = row!.deleted;
    deleted += page;
  }
  try {
    const [row] = await database.run((sql) =>
      sql<{ removed: boolean }[]>`
        select relay_remove(${url}::text) as removed`, options);
    return row!.removed
      ? { type: "removed", sightings: deleted }
      : { type: "unknown" };
  } catch (error) {
    if (errorCode(error) !== OBJECT_IN_USE) throw error;
    return { type: "held", holder: "a process that has just taken it" };
  }
}

/** SQLSTATE. */
const OBJECT_IN_USE = "55006";

function stateOf(online: boolean | null): ListedState {
  if (online === null) return "unchecked";
  return online ? "online" : "offline";
}

function numberOf(text: string | null): number | null {
  return text === null ? null : Number(text);
}

/** postgres.js gives int8 as text. */
interface RelayRow {
  readonly url: string;
  readonly network: Network;
  readonly discovered_at: string;
  readonly online: boolean | null;
  readonly since: string | null;
  readonly last_checked_at: string | null;
  readonly failure: string | null;
  readonly holder: string | null;
  readonly live_since: string | null;
  readonly due_at: string | null;
  readonly sync_failures: number;
  readonly gaps: string;
  readonly proven_until: string | null;
}

interface CandidateRow {
  readonly url: string;
  readonly network: Network;
  readonly source: string;
  readonly discovered_at: string;
  readonly failures: number;
  readonly last_tried_at: string | null;
  readonly last_failure: string | null;
  readonly due_at: string;
}
