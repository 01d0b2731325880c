/**
 * Puts back what the schema lacks and what holds no data: extensions, functions, constraints, views and indexes, as
 * `sql/schema.sql` and `sql/catalog.json` have them, and the rights of the roles. Tables and columns are not: an empty one would pass for a loss that
 * never was.
 *
 * @module
 */
import type { Database, Sql } from "./connection/database.ts";
import { restoreRights } from "./privileges.ts";
import { lockMigrations, readSqlText } from "./schema.ts";
import { type SchemaProblem, verifySchema } from "./verify.ts";

/** Kinds that are made again, in this order: each may need those before it. */
const MADE_AGAIN = ["extension", "function", "constraint", "view"] as const;

const RIGHTS = ["grant", "owner"] as const;

/** Whether `db migrate` puts back what is of this kind. */
export function isRepairable(kind: SchemaProblem["kind"]): boolean {
  return [...MADE_AGAIN, "index", ...RIGHTS].some((one) => one === kind);
}

/** Kind and name of each. */
export interface Repair {
  readonly repaired: readonly string[];
  /** Rights that only somebody else may give. */
  readonly left: readonly string[];
}

/**
 * Puts back what is missing or altered. Indexes are built beside running services, which takes its time on a large
 * archive; the rest is one transaction.
 *
 * @throws what PostgreSQL says, such as of rows that break a constraint that was missing.
 */
export async function repairSchema(
  db: Database,
  signal?: AbortSignal,
): Promise<Repair> {
  const { problems } = await verifySchema(db);
  const damaged = problems.filter(({ kind }) => isRepairable(kind));
  if (damaged.length === 0) return { repaired: [], left: [] };
  const options = { kind: "refresh", ...(signal && { signal }) } as const;
  const schema = await readSqlText("schema.sql");
  const ordered = MADE_AGAIN.flatMap((kind) =>
    damaged.filter((problem) => problem.kind === kind)
  );
  await db.transaction(async (sql) => {
    await lockMigrations(sql);
    // Functions may need what comes after them.
    await sql`set local check_function_bodies = off`;
    for (const problem of ordered) await putBack(sql, problem, schema);
    await restoreRights(sql);
  }, options);
  // A key that was put back has brought its index along.
  const left = (await verifySchema(db)).problems;
  for (const problem of left.filter(({ kind }) => kind === "index")) {
    await db.run((sql) => buildIndex(sql, problem), options);
  }
  const still = new Set((await verifySchema(db)).problems.map(textOf));
  const wanted = damaged.map(textOf);
  return {
    repaired: wanted.filter((text) => !still.has(text)),
    left: wanted.filter((text) => still.has(text)),
  };
}

function textOf({ kind, name }: SchemaProblem): string {
  return `${kind} ${name}`;
}

async function putBack(
  sql: Sql,
  { kind, name, problem, expected }: SchemaProblem,
  schema: string,
): Promise<void> {
  switch (kind) {
    case "extension":
      await sql`create extension if not exists ${sql(name)}`;
      return;
    case "constraint": {
      const [table = "", constraint = ""] = name.split(".");
      await sql.unsafe(
        `alter table ${table} drop constraint if exists ${constraint};
         alter table ${table} add constraint ${constraint} ${expected}`,
      );
      return;
    }
    case "function":
    case "view":
      // Columns of a view can only be added in place.
      if (kind === "view" && problem === "altered") {
        await sql`drop view ${sql(name)}`;
      }
      await sql.unsafe(statementsOf(schema, kind, name));
  }
}

const BEGINNINGS = {
  function: "\nCREATE OR REPLACE FUNCTION ",
  view: "\ncreate view ",
} as const;

/** The statement that makes the object, and its comment, which names it in full and ends it. */
function statementsOf(
  schema: string,
  kind: keyof typeof BEGINNINGS,
  name: string,
): string {
  const comment = schema.indexOf(`\ncomment on ${kind} ${name} is `);
  const start = schema.lastIndexOf(BEGINNINGS[kind], comment);
  if (comment < 0 || start < 0) {
    throw new Error(`Cannot put back ${kind} ${name}: schema.sql lacks it`);
  }
  const end = schema.indexOf("\n", comment + 1);
  return schema.slice(start, end)
    // Where the schema has another name, or none is named, it goes where the tables are.
    .replace("FUNCTION public.", "FUNCTION ");
}

/** Beside those who write. One that was broken off halfway is invalid, and found altered the next time. */
async function buildIndex(
  sql: Sql,
  { name, expected }: SchemaProblem,
): Promise<void> {
  await sql`drop index if exists ${sql(name)}`;
  await sql.unsafe(expected.replace(" INDEX ", " INDEX CONCURRENTLY "));
}
