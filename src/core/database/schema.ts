/**
 * The schema this program was built with: the SQL files it carries, and the catalogue they make.
 *
 * The files lie in `sql/` beside `src/`, from source as in the executable (`deno compile --include sql`).
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Sql } from "./connection/database.ts";

/** A file of SQL. */
export interface SqlFile {
  /** Without directory. */
  readonly name: string;
  readonly text: string;
  /** sha256, hex. */
  readonly checksum: string;
}

/** A file that is applied once, in order of version. */
export interface Migration extends SqlFile {
  readonly version: number;
}

export interface Schema {
  readonly migrations: readonly Migration[];
  /** Stored functions, in order; a file is applied again when it has changed. */
  readonly functions: readonly SqlFile[];
}

/** The database's schema and the program do not fit together. The message says what to do. */
export class SchemaError extends Error {
  override readonly name = "SchemaError";
}

const SQL = new URL("../../../sql/", import.meta.url);

/** Reads the SQL files of this program. */
export async function readSchema(): Promise<Schema> {
  const [migrations, functions] = await Promise.all([
    readSqlFiles("migrations/"),
    readSqlFiles("functions/"),
  ]);
  return {
    migrations: migrations.map((file) => ({
      ...file,
      version: Number.parseInt(file.name),
    })),
    functions,
  };
}

/** Reads one file below `sql/`. */
export function readSqlText(path: string): Promise<string> {
  return Deno.readTextFile(new URL(path, SQL));
}

/** For the transaction, not the session: it works behind PgBouncer. */
export async function lockMigrations(sql: Sql): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended('bigbrotr migrate', 0))`;
}

async function readSqlFiles(directory: string): Promise<SqlFile[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(new URL(directory, SQL))) {
    if (name.endsWith(".sql")) names.push(name);
  }
  return await Promise.all(
    names.sort().map(async (name) => {
      const text = await readSqlText(directory + name);
      const checksum = createHash("sha256").update(text).digest("hex");
      return { name, text, checksum };
    }),
  );
}
