/**
 * Moves the sightings of an older schema, where each was a row, into pages: the one part of a migration that grows with the
 * archive. It goes in steps, each a transaction, so memory is constant, and whoever breaks it off loses no more than a step.
 *
 * @module
 */
import type { Database, Sql } from "./connection/database.ts";
import { freeBytes } from "./embedded/data_directory.ts";
import { lockMigrations, SchemaError } from "./schema.ts";

export interface MoveOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told how far it is, at most once a percent. */
  readonly onStep?: ((step: string) => void) | undefined;
}

/** Sightings of a step: some 100 ms. */
const STEP_SIGHTINGS = 48_000;

/** Moves what is left to move; returns at once when that is nothing. Several at once take turns. */
export async function moveSightings(
  db: Database,
  { signal, onStep }: MoveOptions = {},
): Promise<void> {
  const options = { kind: "refresh", ...(signal && { signal }) } as const;
  let told = -1;
  while (true) {
    const progress = await db.transaction(async (sql) => {
      await lockMigrations(sql);
      const [row] = await sql<{ moved: string; total: string }[]>`
        select moved, total from sighting_move(${STEP_SIGHTINGS}::int)`;
      return row;
    }, options);
    if (progress === undefined) return;
    const percent = Math.floor(
      100 * Number(progress.moved) / Number(progress.total),
    );
    if (percent > told) onStep?.(`moving sightings into pages: ${percent} %`);
    told = Math.max(told, percent);
  }
}

/** Whether sightings are left to move. */
export async function hasUnmovedSightings(sql: Sql): Promise<boolean> {
  const [row] = await sql<{ found: boolean }[]>`
    select exists (select from pg_class where relname = 'sighting_unmoved'
      and relnamespace = current_schema()::regnamespace) as found`;
  return row!.found;
}

/** Bytes of pages for a byte of rows and their indexes, with some room: 48 of 160 or more. */
const PAGE_SHARE = 0.3;

/** The log that PostgreSQL writes on the side, at most. */
const LOG_BYTES = 4 * 1024 ** 3;

/**
 * Looks whether the disk can hold pages and rows side by side, before anything is changed. What cannot be known is not
 * asked for: the disk of a server elsewhere, or one whose directory this user may not see.
 *
 * @throws SchemaError when it cannot.
 */
export async function requireRoomToMove(
  db: Database,
  { free = freeBytes }: {
    /** Free bytes on the disk of a path. */
    readonly free?: ((path: string) => Promise<number>) | undefined;
  } = {},
): Promise<void> {
  const { bytes, directory } = await db.run(async (sql) => {
    const [row] = await sql<{ bytes: number; directory: string | null }[]>`
      select coalesce(sum(pg_total_relation_size(oid)), 0)::float8 as bytes,
        case when coalesce(host(inet_server_addr()), '127.0.0.1') in ('127.0.0.1', '::1')
          then (select setting from pg_settings where name = 'data_directory')
        end as directory
      from pg_class
      where relname in ('event_relay', 'sighting_unmoved') and relkind = 'r'
        and relnamespace = current_schema()::regnamespace`;
    return row!;
  });
  if (bytes === 0 || directory === null) return;
  const needed = PAGE_SHARE * bytes;
  const withLog = needed + Math.min(needed, LOG_BYTES);
  const found = await free(directory).catch(() => Infinity);
  if (found >= withLog) return;
  throw new SchemaError(
    `Cannot move the sightings of this archive into pages as that takes ${
      mebibytes(withLog)
    } MiB beside what is there, and ${directory} has ${
      mebibytes(found)
    } MiB free: make room, and run "bigbrotr db migrate" again. In the end it takes ${
      mebibytes(bytes - needed)
    } MiB less than now`,
  );
}

function mebibytes(bytes: number): string {
  return Math.ceil(bytes / 1024 ** 2).toLocaleString("en");
}
