/**
 * Catalogue of a database's schema, in words that are the same on every version of PostgreSQL from 15 on.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Sql } from "./connection/database.ts";
import { readSqlText } from "./schema.ts";

export type ObjectKind =
  | "extension"
  | "table"
  | "column"
  | "constraint"
  | "index"
  | "view"
  | "function";

/** An object of the schema. */
export interface CatalogObject {
  readonly kind: ObjectKind;
  /** With its table in front where it belongs to one, and with argument types where it is a function. */
  readonly name: string;
  /** The table or view it belongs to, else empty. */
  readonly table: string;
  /** Everything that must be so, as text; of bodies the hash. */
  readonly definition: string;
}

/** The catalogue of this program's schema, which `sql/` carries and a test keeps true. */
export async function expectedCatalog(): Promise<CatalogObject[]> {
  return JSON.parse(await readSqlText("catalog.json"));
}

/**
 * The catalogue of the database behind a connection, by kind and name. Reads system catalogues only, which everybody
 * may. What extensions brought along is left out.
 */
export async function readCatalog(sql: Sql): Promise<CatalogObject[]> {
  const rows = await sql<CatalogObject[]>`
    with own as (
      select c.oid, c.relname, c.relkind from pg_class c
      where c.relnamespace = current_schema()::regnamespace
        and c.relkind in ('r', 'p', 'v')
        and not exists (select from pg_depend d
          where d.classid = 'pg_class'::regclass and d.objid = c.oid
            and d.deptype = 'e')
    )
    -- As text from the first on: names of type name are cut.
    select 'extension' as kind, extname::text as name, '' as table,
      '' as definition
    from pg_extension
    union all
    select case relkind when 'v' then 'view' else 'table' end, relname, '',
      case relkind when 'v' then pg_get_viewdef(oid) else '' end
    from own
    union all
    select 'column', relname || '.' || attname, relname, concat_ws(' ',
      format_type(atttypid, null), case when attnotnull then 'not null' end,
      case attidentity when 'a' then 'identity' when 'd' then 'identity' end,
      case attgenerated when 's' then 'generated' when 'v' then 'virtual' end,
      pg_get_expr(adbin, adrelid))
    from own join pg_attribute on attrelid = oid
    left join pg_attrdef on adrelid = attrelid and adnum = attnum
    where attnum > 0 and not attisdropped
    union all
    select 'constraint', relname || '.' || conname, relname,
      pg_get_constraintdef(k.oid)
    from own join pg_constraint k on conrelid = own.oid
    where contype in ('p', 'u', 'c', 'f', 'x')
    union all
    select 'index', i.relname, own.relname, concat_ws(' ',
      replace(pg_get_indexdef(indexrelid), current_schema() || '.', ''),
      case when not indisvalid then 'invalid' end)
    from own join pg_index on indrelid = own.oid
    join pg_class i on i.oid = indexrelid
    union all
    select 'function',
      proname || '(' || pg_get_function_identity_arguments(p.oid) || ')', '',
      concat_ws(' ', 'returns', pg_get_function_result(p.oid), lanname,
        case provolatile when 'i' then 'immutable' when 's' then 'stable'
          else 'volatile' end,
        case when proisstrict then 'strict' end,
        case when prosecdef then 'security definer' end,
        'parallel ' || proparallel::text, prosrc)
    from pg_proc p join pg_language l on l.oid = prolang
    where pronamespace = current_schema()::regnamespace
      and not exists (select from pg_depend d
        where d.classid = 'pg_proc'::regclass and d.objid = p.oid
          and d.deptype = 'e')`;
  const key = ({ kind, name }: CatalogObject) => `${kind} ${name}`;
  return rows.map(comparable).sort((a, b) => key(a) < key(b) ? -1 : 1);
}

/** Long bodies as hashes; views without what only some versions write into them. */
function comparable(
  { kind, name, table, definition }: CatalogObject,
): CatalogObject {
  switch (kind) {
    case "view":
      return { kind, name, table, definition: hash(viewWords(definition)) };
    case "function": {
      const body = definition.indexOf("\n");
      const head = body < 0 ? definition : definition.slice(0, body);
      return { kind, name, table, definition: `${head} ${hash(definition)}` };
    }
    case "extension":
    case "table":
    case "column":
    case "constraint":
    case "index":
      return { kind, name, table, definition };
  }
}

/** PostgreSQL 16 stopped qualifying columns that need no qualification, and writes fewer parentheses. */
function viewWords(definition: string): string {
  return definition.toLowerCase()
    .replaceAll(/\b[a-z_][a-z0-9_]*\./g, "")
    .replaceAll(/[\s()]+/g, " ").trim();
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}
