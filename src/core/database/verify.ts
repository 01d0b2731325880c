/**
 * Verification of the schema: is everything there, and as this program made it?
 *
 * @module
 */
import {
  type CatalogObject,
  expectedCatalog,
  type ObjectKind,
  readCatalog,
} from "./catalog.ts";
import type { Database } from "./connection/database.ts";
import { SESSION_SETTINGS } from "./connection/open_connection.ts";
import { type MissingRight, missingRights } from "./privileges.ts";

/** Something that is not as it should be. */
export interface SchemaProblem {
  readonly kind: ObjectKind | MissingRight["kind"];
  readonly name: string;
  readonly problem: "missing" | "altered";
  /** The definition that should be there, and the one that is; of bodies their hashes. */
  readonly expected: string;
  readonly found: string;
}

/** Extensions that are good to have, but that a managed server may lack. */
export const OPTIONAL_EXTENSIONS = ["pg_stat_statements"] as const;

export interface SchemaVerification {
  /** By kind and name; empty when all is well. */
  readonly problems: readonly SchemaProblem[];
  /** Optional extensions this database does not have. */
  readonly withoutExtensions: readonly string[];
  /** Objects looked at. */
  readonly checked: number;
}

/**
 * Compares the database with the catalogue this program carries, and, where the archive was handed over to its roles,
 * their rights with what they need. Additions of an operator are left alone; nothing is changed, and any role that may
 * connect can do it.
 */
export async function verifySchema(db: Database): Promise<SchemaVerification> {
  const expected = await expectedCatalog();
  const { found, rights } = await db.transaction(async (sql) => {
    // Also behind PgBouncer, where sessions have whatever the server gives them.
    for (const [name, value] of Object.entries(SESSION_SETTINGS)) {
      await sql`select set_config(${name}, ${value}, true)`;
    }
    const found = await readCatalog(sql);
    return { found, rights: await missingRights(sql) };
  });
  const byName = new Map(found.map((object) => [keyOf(object), object]));
  return {
    problems: [
      ...expected.flatMap((object) => compare(object, byName)),
      ...rights.map(asProblem),
    ],
    withoutExtensions: OPTIONAL_EXTENSIONS.filter((name) =>
      !byName.has(`extension ${name}`)
    ),
    checked: expected.length,
  };
}

function compare(
  expected: CatalogObject,
  found: ReadonlyMap<string, CatalogObject>,
): SchemaProblem[] {
  const { kind, name, table, definition } = expected;
  const same = found.get(keyOf(expected));
  if (same === undefined) {
    // A missing table says enough: its columns and indexes are not listed.
    if (table !== "" && !hasRelation(found, table)) return [];
    const problem = "missing" as const;
    return [{ kind, name, problem, expected: definition, found: "" }];
  }
  if (same.definition === definition) return [];
  return [{
    kind,
    name,
    problem: "altered",
    expected: definition,
    found: same.definition,
  }];
}

function asProblem(
  { kind, name, expected, found }: MissingRight,
): SchemaProblem {
  const problem = kind === "owner" ? "altered" : "missing";
  return { kind, name, problem, expected, found };
}

function hasRelation(
  found: ReadonlyMap<string, CatalogObject>,
  name: string,
): boolean {
  return found.has(`table ${name}`) || found.has(`view ${name}`);
}

function keyOf({ kind, name }: CatalogObject): string {
  return `${kind} ${name}`;
}
