/**
 * Damaged indexes: what is missing in one is missing in every answer that it gives.
 *
 * @module
 */
import type { Database, Sql } from "./connection/database.ts";
import { DatabaseError, errorCode } from "./connection/database_error.ts";

export interface IndexDamage {
  readonly index: string;
  /** Sentence of PostgreSQL, or of ours for one that it does not use. */
  readonly why: string;
}

/** Indexes that PostgreSQL itself takes for unusable: building them was broken off. Quick. */
export async function invalidIndexes(db: Database): Promise<IndexDamage[]> {
  const rows = await db.run((sql) =>
    sql<{ index: string }[]>`
      select c.relname as index
      from pg_index i
      join pg_class c on c.oid = i.indexrelid
      where c.relnamespace = current_schema()::regnamespace
        and not i.indisvalid
        and not exists (select from pg_stat_progress_create_index p
          where p.index_relid = i.indexrelid)
      order by 1`
  );
  return rows.map(({ index }) => ({
    index,
    why: "it is invalid: building it was broken off",
  }));
}

/**
 * Indexes whose order is that of an older version of the system's collation, as after an update of the C library or ICU:
 * they may lose rows without a word. Quick.
 */
export async function staleIndexes(db: Database): Promise<IndexDamage[]> {
  const rows = await db.run((sql) =>
    sql<{ index: string; recorded: string; actual: string }[]>`
      select c.relname as index, d.datcollversion as recorded,
        pg_database_collation_actual_version(d.oid) as actual
      from pg_database d, pg_index i
      join pg_class c on c.oid = i.indexrelid
      where d.datname = current_database()
        and d.datcollversion <> pg_database_collation_actual_version(d.oid)
        and c.relnamespace = current_schema()::regnamespace
        and '"default"'::regcollation::oid = any (i.indcollation::oid[])
      order by 1`
  );
  return rows.map(({ index, recorded, actual }) => ({
    index,
    why:
      `it is in the order of collation version ${recorded}, and the system has ${actual}`,
  }));
}

/** Records that all indexes are in the order of the system's collation, once they are. */
export async function refreshCollation(db: Database): Promise<void> {
  await db.run(async (sql) => {
    const [row] = await sql<{ name: string }[]>`
      select current_database() as name`;
    await sql`alter database ${sql(row!.name)} refresh collation version`;
  });
}

export interface IndexCheckOptions {
  readonly signal: AbortSignal;
  readonly onIndex?: (index: string) => void;
}

/**
 * Reads every b-tree index, and gives those whose order or structure is broken; null where amcheck cannot be used, which
 * takes a superuser. Reads beside those who write, and leaves nothing behind.
 */
export async function brokenIndexes(
  db: Database,
  { signal, onIndex }: IndexCheckOptions,
): Promise<IndexDamage[] | null> {
  const names = await db.run((sql) =>
    sql<{ name: string }[]>`
      select c.relname as name
      from pg_index i
      join pg_class c on c.oid = i.indexrelid
      join pg_am a on a.oid = c.relam and a.amname = 'btree'
      where c.relnamespace = current_schema()::regnamespace
        and i.indisvalid and i.indisready
      order by 1`, { signal });
  const broken: IndexDamage[] = [];
  for (const { name } of names) {
    onIndex?.(name);
    const why = await faultOf(db, name, signal);
    if (why === undefined) return null;
    if (why !== null) broken.push({ index: name, why });
  }
  return broken;
}

/** Ends the transaction, so that the extension is gone again. */
class Rollback extends Error {}

/** SQLSTATEs of what amcheck finds: index_corrupted, data_corrupted. */
const CORRUPTED: ReadonlySet<string> = new Set(["XX002", "XX001"]);

/** SQLSTATEs of a user who may not, and of a server without the extension. */
const UNAVAILABLE: ReadonlySet<string> = new Set(["42501", "0A000", "58P01"]);

/** The fault; null for none, undefined where it cannot be looked for. */
async function faultOf(
  db: Database,
  index: string,
  signal: AbortSignal,
): Promise<string | null | undefined> {
  try {
    await db.transaction(async (sql) => {
      await sql`create extension if not exists amcheck`;
      await sql`select bt_index_check(${index}::regclass)`;
      throw new Rollback();
    }, { kind: "refresh", signal });
    return null;
  } catch (error) {
    if (error instanceof Rollback) return null;
    const code = errorCode(error) ?? "";
    if (UNAVAILABLE.has(code)) return undefined;
    if (CORRUPTED.has(code) && error instanceof Error) return error.message;
    throw error;
  }
}

/** Builds indexes anew, beside those who write. Gives their names. */
export async function rebuildIndexes(
  db: Database,
  damages: readonly IndexDamage[],
  signal: AbortSignal,
): Promise<string[]> {
  const names = [...new Set(damages.map(({ index }) => index))];
  for (const name of names) {
    await db.run((sql) => rebuild(sql, name), { kind: "refresh", signal });
  }
  return names;
}

/** What is left of a rebuilding that was broken off is nobody's index. */
const LEFTOVER = /_cc(?:new|old)\d*$/;

async function rebuild(sql: Sql, name: string): Promise<void> {
  if (LEFTOVER.test(name)) {
    await sql`drop index concurrently if exists ${sql(name)}`;
    return;
  }
  try {
    await sql`reindex index concurrently ${sql(name)}`;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new DatabaseError(
      "refused",
      `Cannot rebuild the index ${name}: ${error.message}`,
      error,
    );
  }
}
