/**
 * `sql/schema.sql` (for readers) and `sql/catalog.json` (for `db verify`), as the migrations and functions make them.
 *
 * Run it to write both: `deno run -P=test tests/support/generated_schema.ts`. A test fails when they are stale.
 *
 * @module
 */
import {
  type CatalogObject,
  readCatalog,
} from "../../src/core/database/catalog.ts";
import type { Sql } from "../../src/core/database/connection/database.ts";
import { OPTIONAL_EXTENSIONS } from "../../src/core/database/verify.ts";
import { testArchive } from "./archive.ts";

const SQL = new URL("../../sql/", import.meta.url);

/** The content of each generated file. */
export interface GeneratedSchema {
  readonly "schema.sql": string;
  readonly "catalog.json": string;
}

/** Both files, from a freshly migrated database. */
export async function generateSchema(sql: Sql): Promise<GeneratedSchema> {
  const catalog = (await readCatalog(sql)).filter(isOurs);
  const lines = catalog.map((object) => JSON.stringify(object)).join(",\n");
  return {
    "schema.sql": await schemaText(sql),
    "catalog.json": `[\n${lines}\n]\n`,
  };
}

function isOurs({ kind, name }: CatalogObject): boolean {
  const foreign: readonly string[] = [...OPTIONAL_EXTENSIONS, "plpgsql"];
  return kind !== "extension" || !foreign.includes(name);
}

const HEADER =
  `-- The schema as a whole, for readers. Generated from sql/migrations and sql/functions by
-- tests/support/generated_schema.ts; changes belong there.

set check_function_bodies = off;

create extension if not exists btree_gin;
create extension if not exists pgcrypto;
`;

async function schemaText(sql: Sql): Promise<string> {
  const functions = await functionTexts(sql);
  const needed = functions.filter(({ early }) => early);
  const others = functions.filter(({ early }) => !early);
  const parts = [
    HEADER,
    ...needed.map(({ text }) => text),
    ...await tableTexts(sql),
    ...await viewTexts(sql),
    ...others.map(({ text }) => text),
  ];
  return parts.join("\n");
}

interface FunctionText {
  readonly text: string;
  /** An index or a view needs it. */
  readonly early: boolean;
}

async function functionTexts(sql: Sql): Promise<FunctionText[]> {
  const rows = await sql<
    { definition: string; signature: string; comment: string; early: boolean }[]
  >`
    select pg_get_functiondef(p.oid) as definition,
      proname || '(' || pg_get_function_identity_arguments(p.oid) || ')'
        as signature,
      obj_description(p.oid) as comment,
      exists (select from pg_depend where refclassid = 'pg_proc'::regclass
        and refobjid = p.oid
        and classid in ('pg_class'::regclass, 'pg_rewrite'::regclass)) as early
    from pg_proc p
    where pronamespace = current_schema()::regnamespace
      and not exists (select from pg_depend d
        where d.classid = 'pg_proc'::regclass and d.objid = p.oid
          and d.deptype = 'e')
    order by proname, 2`;
  return rows.map(({ definition, signature, comment, early }) => ({
    text: `${definition.trimEnd()};\n${
      commentOn("function", signature, comment)
    }`,
    early,
  }));
}

async function tableTexts(sql: Sql): Promise<string[]> {
  const tables = await sql<{ oid: number; name: string; comment: string }[]>`
    select oid, relname as name, obj_description(oid) as comment
    from pg_class
    where relnamespace = current_schema()::regnamespace and relkind = 'r'
    order by relname`;
  return await Promise.all(tables.map(async ({ oid, name, comment }) => {
    const [settings] = await sql<{ settings: string | null }[]>`
      select array_to_string(reloptions, ', ') as settings from pg_class where oid = ${oid}`;
    const columns = await columnTexts(sql, oid);
    const constraints = await sql<{ text: string }[]>`
      select 'constraint ' || conname || ' ' || pg_get_constraintdef(oid)
        as text
      from pg_constraint where conrelid = ${oid} and contype in ('p', 'u', 'c')
      order by contype desc, conname`;
    const indexes = await sql<{ text: string }[]>`
      select replace(pg_get_indexdef(indexrelid), current_schema() || '.', '')
        || ';' as text
      from pg_index where indrelid = ${oid} and not exists (
        select from pg_constraint where conindid = indexrelid)
      order by 1`;
    const body = [...columns.map(({ text }) => text)].concat(
      constraints.map(({ text }) => text),
    );
    const options = settings?.settings ? ` with (${settings.settings})` : "";
    return [
      `create table ${name} (\n  ${body.join(",\n  ")}\n)${options};`,
      commentOn("table", name, comment).trimEnd(),
      ...columns.map((column) =>
        commentOn("column", `${name}.${column.name}`, column.comment).trimEnd()
      ),
      ...indexes.map(({ text }) => text),
    ].join("\n") + "\n";
  }));
}

async function columnTexts(
  sql: Sql,
  table: number,
): Promise<{ name: string; text: string; comment: string }[]> {
  return await sql<{ name: string; text: string; comment: string }[]>`
    select attname as name, col_description(attrelid, attnum) as comment,
      concat_ws(' ', attname, format_type(atttypid, null),
        case when attnotnull then 'not null' end,
        case attidentity when 'a' then 'generated always as identity' end,
        case when attgenerated = 's'
          then 'generated always as (' || pg_get_expr(adbin, adrelid)
            || ') stored'
          else 'default ' || pg_get_expr(adbin, adrelid) end) as text
    from pg_attribute
    left join pg_attrdef on adrelid = attrelid and adnum = attnum
    where attrelid = ${table} and attnum > 0 and not attisdropped
    order by attnum`;
}

async function viewTexts(sql: Sql): Promise<string[]> {
  const views = await sql<
    { name: string; text: string; comment: string }[]
  >`
    select relname as name, pg_get_viewdef(c.oid) as text,
      obj_description(c.oid) as comment
    from pg_class c
    where relnamespace = current_schema()::regnamespace and relkind = 'v'
      and not exists (select from pg_depend d
        where d.classid = 'pg_class'::regclass and d.objid = c.oid
          and d.deptype = 'e')
    order by relname`;
  return views.map(({ name, text, comment }) =>
    `create view ${name} as\n${unqualified(text)}\n${
      commentOn("view", name, comment)
    }`
  );
}

/** Without the table in front of each column where there is only one: PostgreSQL 16 stopped writing it. */
function unqualified(view: string): string {
  const [, only] = /^ +FROM (\w+);$/m.exec(view) ?? [];
  return only === undefined ? view : view.replaceAll(`${only}.`, "");
}

function commentOn(kind: string, name: string, comment: string): string {
  return `comment on ${kind} ${name} is '${comment.replaceAll("'", "''")}';\n`;
}

if (import.meta.main) {
  await using archive = await testArchive();
  const files = await archive.database.run(generateSchema);
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(new URL(name, SQL), text);
  }
}
