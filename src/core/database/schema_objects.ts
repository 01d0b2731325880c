/**
 * Tables, views, functions and sequences of the schema, with their owners: those that this program made, and others.
 *
 * @module
 */
import { expectedCatalog } from "./catalog.ts";
import type { Sql } from "./connection/database.ts";

export interface SchemaObject {
  readonly kind: "table" | "view" | "function" | "sequence";
  /** As the catalogue has it. */
  readonly name: string;
  /** As SQL has it. */
  readonly quoted: string;
  readonly oid: number;
  readonly owner: string;
  /** Whether we may do what its owner may. */
  readonly isOurs: boolean;
}

export interface SchemaObjects {
  /** Those that the catalogue of this program names. */
  readonly own: readonly SchemaObject[];
  readonly others: readonly SchemaObject[];
}

/** Everything in the schema but what an extension brought along, or a column has of its own. */
export async function schemaObjects(sql: Sql): Promise<SchemaObjects> {
  const catalog = await expectedCatalog();
  const made = new Set(catalog.map(({ kind, name }) => `${kind} ${name}`));
  const isMade = ({ kind, name }: SchemaObject) => made.has(`${kind} ${name}`);
  const objects = await sql<SchemaObject[]>`
    with object as (
      select case relkind when 'S' then 'sequence' when 'v' then 'view'
          else 'table' end as kind,
        relname::text as name, format('%I', relname) as quoted, oid,
        relowner as owner
      from pg_class c
      where relnamespace = current_schema()::regnamespace
        and relkind in ('r', 'p', 'f', 'v', 'm', 'S')
        and not exists (select from pg_depend d
          where d.classid = 'pg_class'::regclass and d.objid = c.oid
            and d.deptype in ('e', 'i', 'a'))
      union all
      select 'function',
        proname || '(' || pg_get_function_identity_arguments(p.oid) || ')',
        format('%I(%s)', proname, pg_get_function_identity_arguments(p.oid)),
        p.oid, proowner
      from pg_proc p
      where pronamespace = current_schema()::regnamespace
        and not exists (select from pg_depend d
          where d.classid = 'pg_proc'::regclass and d.objid = p.oid
            and d.deptype = 'e')
    )
    select kind, name, quoted, object.oid::int8 as oid, rolname as owner,
      pg_has_role(owner, 'usage') as "isOurs"
    from object join pg_roles on pg_roles.oid = owner
    order by kind, name`;
  return {
    own: objects.filter(isMade),
    others: objects.filter((object) => !isMade(object)),
  };
}
