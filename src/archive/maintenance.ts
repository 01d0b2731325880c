/**
 * Maintenance: orphans, retention, and both together as `db cleanup` runs them.
 *
 * Work is done in pages, each a transaction of its own, so that nobody waits long for a lock.
 *
 * @module
 */
import { dropCandidates } from "./candidates.ts";
import { finishForgetting } from "./visibility/forget.ts";
import { retainChecks } from "./check_retention.ts";
import type { Database, Sql } from "../core/database/connection/database.ts";

export interface PageOptions {
  /** Rows looked at by one statement. */
  readonly batchSize: number;
  readonly signal: AbortSignal;
}

export interface CleanupOptions extends PageOptions {
  /** Also delete events no relay was seen to hold. Off unless asked for: imported events have no sighting either. */
  readonly orphanEvents: boolean;
  /** Older checks are deleted: what they say stays, by hour for `hourDays` and by day for ever. Null keeps them. */
  readonly checkDays: number | null;
  readonly hourDays: number | null;
  /** Older documents and rejections are deleted, but never a relay's newest document; null keeps them for ever. */
  readonly metadataDays: number | null;
  readonly rejectedDays: number | null;
  /** Candidates with as many failures are dropped; null keeps them. */
  readonly maxCandidateFailures: number | null;
}

/** Rows deleted. */
export interface CleanupCounts {
  readonly orphanEvents: number;
  readonly orphanMetadata: number;
  /** Events of authors whose forgetting was interrupted. */
  readonly forgotten: number;
  readonly checks: number;
  /** Hours that checks were summed up by. */
  readonly checkHours: number;
  readonly relayMetadata: number;
  readonly rejected: number;
  readonly candidates: number;
}

const DAY_SECONDS = 86_400;

/**
 * Rolls up checks, deletes what is too old by the database's clock, and what nobody refers to any more; ends early,
 * between pages, when the signal aborts.
 */
export async function cleanup(
  db: Database,
  options: CleanupOptions,
): Promise<CleanupCounts> {
  const { metadataDays, rejectedDays, maxCandidateFailures } = options;
  const { checks, checkHours } = await retainChecks(db, options);
  const relayMetadata = await expire(db, options, {
    days: metadataDays,
    page: (sql, age, limit) =>
      sql`select relay_metadata_expire(unix_now() - ${age}::int8,
        ${limit}::int) as deleted`,
  });
  const rejected = await expire(db, options, {
    days: rejectedDays,
    page: (sql, age, limit) =>
      sql`select rejected_event_expire(unix_now() - ${age}::int8,
        ${limit}::int) as deleted`,
  });
  return {
    checks,
    checkHours,
    relayMetadata,
    rejected,
    candidates: maxCandidateFailures === null
      ? 0
      : await dropCandidates(db, { maxFailures: maxCandidateFailures }),
    orphanMetadata: await deleteOrphanMetadata(db, options),
    forgotten: (await finishForgetting(db, options.signal)).events,
    orphanEvents: options.orphanEvents
      ? await deleteOrphanEvents(db, options)
      : 0,
  };
}

/** Deletes events no relay was seen to hold; gives their number. */
export async function deleteOrphanEvents(
  db: Database,
  { batchSize, signal }: PageOptions,
): Promise<number> {
  let deleted = 0;
  let after = { createdAt: "-1", id: "" };
  while (!signal.aborted) {
    const [page] = await db.run((sql) =>
      sql<OrphanEventPage[]>`
        select last_created_at, encode(last_id, 'hex') as last_id, deleted
        from orphan_event_delete(${after.createdAt}::int8,
          decode(${after.id}, 'hex'), ${batchSize}::int)`, CLEANUP);
    deleted += page!.deleted;
    if (page!.last_created_at === null || page!.last_id === null) break;
    after = { createdAt: page!.last_created_at, id: page!.last_id };
  }
  return deleted;
}

/** Deletes documents no relay has any more; gives their number. */
export async function deleteOrphanMetadata(
  db: Database,
  { batchSize, signal }: PageOptions,
): Promise<number> {
  let deleted = 0;
  let after = { id: "", type: "" };
  while (!signal.aborted) {
    const [page] = await db.run((sql) =>
      sql<OrphanMetadataPage[]>`
        select encode(last_id, 'hex') as last_id, last_type, deleted
        from orphan_metadata_delete(decode(${after.id}, 'hex'),
          ${after.type}, ${batchSize}::int)`, CLEANUP);
    deleted += page!.deleted;
    if (page!.last_id === null || page!.last_type === null) break;
    after = { id: page!.last_id, type: page!.last_type };
  }
  return deleted;
}

const CLEANUP = { kind: "cleanup" } as const;

interface Expiry {
  readonly days: number | null;
  /** Deletes up to `limit` rows that are older than so many seconds. */
  readonly page: (
    sql: Sql,
    ageSeconds: number,
    limit: number,
  ) => PromiseLike<readonly Record<string, unknown>[]>;
}

async function expire(
  db: Database,
  { batchSize, signal }: PageOptions,
  { days, page }: Expiry,
): Promise<number> {
  if (days === null) return 0;
  let deleted = 0;
  while (!signal.aborted) {
    const [row] = await db.run(
      async (sql) => await page(sql, days * DAY_SECONDS, batchSize),
      CLEANUP,
    );
    const count = Number(row!["deleted"]);
    deleted += count;
    if (count < batchSize) break;
  }
  return deleted;
}

/** postgres.js gives int8 as text. */
interface OrphanEventPage {
  readonly last_created_at: string | null;
  readonly last_id: string | null;
  readonly deleted: number;
}

interface OrphanMetadataPage {
  readonly last_id: string | null;
  readonly last_type: string | null;
  readonly deleted: number;
}
