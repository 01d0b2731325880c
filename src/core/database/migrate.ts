/**
 * Brings a database to the schema of this program: one transaction a file, under a lock, checked by checksum.
 *
 * What grows with the archive is done in steps after that (`sighting_move.ts`). Two migrators at once are safe: each looks
 * again under the lock at what is left to do.
 *
 * @module
 */
import type { Database, Sql } from "./connection/database.ts";
import { restoreRights } from "./privileges.ts";
import { type Repair, repairSchema } from "./repair.ts";
import {
  hasUnmovedSightings,
  type MoveOptions,
  moveSightings,
  requireRoomToMove,
} from "./sighting_move.ts";
import {
  lockMigrations,
  readSchema,
  type Schema,
  SchemaError,
  type SqlFile,
} from "./schema.ts";

/** Which archive a new database becomes: `lite` keeps no tags, content and signatures. */
export type Edition = "full" | "lite";

export interface MigrateOptions extends MoveOptions {
  /** Whether to put back what is missing or altered of what is applied. Default: false. */
  readonly repair?: boolean | undefined;
  /** The edition of a new archive. Default: `full`, or the one that is there; another one is an error. */
  readonly edition?: Edition | undefined;
  /** Another schema than the program's own, for tests. */
  readonly schema?: Schema | undefined;
  /** Free bytes on the disk of a path. Default: what the system says. */
  readonly free?: ((path: string) => Promise<number>) | undefined;
}

export interface MigrationReport extends Repair {
  /** Names of the files applied, in order. */
  readonly applied: readonly string[];
  readonly edition: Edition;
}

/** How a database compares to the program. */
export interface SchemaState {
  readonly state: "current" | "empty" | "behind";
  /** Names of the files that `migrate` would apply, and what it would go on with. */
  readonly pending: readonly string[];
}

/**
 * Applies what is missing.
 *
 * @throws SchemaError when the database is newer than the program, a migration was applied in another wording, or the disk
 * cannot hold what is to be moved.
 */
export async function migrate(
  db: Database,
  { edition, signal, schema, onStep, free, repair = false }: MigrateOptions =
    {},
): Promise<MigrationReport> {
  const wanted = schema ?? await readSchema();
  const options = { kind: "refresh", ...(signal && { signal }) } as const;
  const applied: string[] = [];
  await requireRoomToMove(db, { free });
  while (true) {
    const name = await db.transaction((sql) => applyNext(sql, wanted), options);
    if (name === null) break;
    applied.push(name);
  }
  if (await db.run(hasUnmovedSightings)) {
    await moveSightings(db, { signal, onStep });
  }
  if (applied.length > 0) await db.transaction(restoreRights);
  const { repaired, left } = repair
    ? await repairSchema(db, signal)
    : { repaired: [], left: [] };
  const found = await db.transaction((sql) => initArchive(sql, edition));
  return { applied, repaired, left, edition: found };
}

/**
 * Steps that `migrate` would take; nothing is changed. Reads `schema_migration` and `schema_function` only.
 *
 * @throws SchemaError as `migrate` does.
 */
export async function schemaState(db: Database): Promise<SchemaState> {
  const schema = await readSchema();
  return await db.run(async (sql) => {
    const applied = await readApplied(sql, schema);
    const pending = pendingFiles(schema, applied).map((file) => file.name);
    if (await hasUnmovedSightings(sql)) pending.push(UNMOVED);
    if (applied.migrations.size === 0) return { state: "empty", pending };
    return { state: pending.length === 0 ? "current" : "behind", pending };
  });
}

/** Steps of a file that is applied are left. */
const UNMOVED = "33_sighting_move.sql (sightings are left to move)";

/** Throws a `SchemaError` that names the command to run unless the database has this program's schema. */
export async function requireCurrentSchema(db: Database): Promise<void> {
  const { state, pending } = await schemaState(db);
  if (state === "empty") {
    throw new SchemaError(
      `Cannot use this database as it has no schema yet: run "bigbrotr db init"`,
    );
  }
  if (state === "behind") {
    throw new SchemaError(
      `Cannot use this database as it lacks ${
        pending.join(", ")
      }: run "bigbrotr db migrate"`,
    );
  }
}

/** Applies the next file in a transaction that holds the lock; gives its name, or null when nothing is left. */
async function applyNext(sql: Sql, schema: Schema): Promise<string | null> {
  await lockMigrations(sql);
  const [next] = pendingFiles(schema, await readApplied(sql, schema));
  if (next === undefined) return null;
  await applyFile(sql, next);
  return next.name;
}

async function applyFile(sql: Sql, file: PendingFile): Promise<void> {
  await sql.unsafe(file.text).catch((error) => {
    // The SQLSTATE stays what it is: it decides whether to try again.
    if (error instanceof Error) error.message += ` (in ${file.name})`;
    throw error;
  });
  await recordFile(sql, file);
}

async function recordFile(
  sql: Sql,
  { name, checksum, version }: PendingFile,
): Promise<void> {
  // Not by unix_now(), which may be what is missing.
  if (version === undefined) {
    await sql`insert into schema_function (name, checksum, applied_at)
      values (${name}, ${checksum},
        floor(extract(epoch from clock_timestamp()))::int8)
      on conflict (name) do update set checksum = excluded.checksum,
        applied_at = excluded.applied_at`;
  } else {
    await sql`insert into schema_migration (version, name, checksum, applied_at)
      values (${version}::int, ${name}, ${checksum},
        floor(extract(epoch from clock_timestamp()))::int8)`;
  }
}

async function initArchive(
  sql: Sql,
  edition: Edition | undefined,
): Promise<Edition> {
  const [row] = await sql<{ edition: Edition }[]>`
    select archive_init(${edition ?? null}::text) as edition`;
  return row!.edition;
}

interface Applied {
  /** Checksum by version. */
  readonly migrations: ReadonlyMap<number, string>;
  /** Checksum by name. */
  readonly functions: ReadonlyMap<string, string>;
}

/** The files that are applied, after making sure that they are a past of this program and not of another. */
async function readApplied(sql: Sql, schema: Schema): Promise<Applied> {
  // Not to_regclass(): while this session waited for the lock it would not have heard of a table made meanwhile.
  const [found] = await sql<{ exists: boolean }[]>`
    select exists (select from pg_class where relname = 'schema_migration'
      and relnamespace = current_schema()::regnamespace) as exists`;
  if (!found!.exists) return { migrations: new Map(), functions: new Map() };
  const migrations = await sql<
    { version: number; name: string; checksum: string }[]
  >`select version, name, checksum from schema_migration order by version`;
  for (const { version, name, checksum } of migrations) {
    const own = schema.migrations.find((file) => file.version === version);
    if (own === undefined) {
      throw new SchemaError(
        `Cannot use this database as it is newer than this program, which does not know migration ${name}: use a newer bigbrotr`,
      );
    }
    if (own.checksum !== checksum) {
      throw new SchemaError(
        `Cannot use this database as its migration ${name} is not the one of this program: checksum ${
          checksum.slice(0, 12)
        } instead of ${own.checksum.slice(0, 12)}`,
      );
    }
  }
  const functions = await sql<{ name: string; checksum: string }[]>`
    select name, checksum from schema_function`;
  return {
    migrations: new Map(migrations.map((row) => [row.version, row.checksum])),
    functions: new Map(functions.map((row) => [row.name, row.checksum])),
  };
}

/** A migration, or a file of functions when it has no version. */
type PendingFile = SqlFile & { readonly version?: number };

/** Migrations first: functions are about the tables as they are at the end. */
function pendingFiles(
  schema: Schema,
  applied: Applied,
): readonly PendingFile[] {
  return [
    ...schema.migrations.filter(({ version }) =>
      !applied.migrations.has(version)
    ),
    ...schema.functions.filter(({ name, checksum }) =>
      applied.functions.get(name) !== checksum
    ),
  ];
}
