/**
 * The four roles of an archive on a server, each with the rights it needs and no more.
 *
 * `bigbrotr_admin` owns the schema and migrates it; `bigbrotr_writer` is for the services that fill the archive;
 * `bigbrotr_reader` is for the API, for Grafana and for people; `bigbrotr_refresher` keeps statistics.
 *
 * @module
 */
import type { Database, Sql } from "./connection/database.ts";
import { scramVerifier } from "./connection/scram.ts";
import { handOver, type MissingRight, presentRoles } from "./privileges.ts";
import { type Role, roleName, ROLES } from "./role.ts";
import { SchemaError } from "./schema.ts";
import { schemaObjects } from "./schema_objects.ts";

export interface RoleReport {
  readonly created: readonly Role[];
  /** Roles that got a password now, and may log in. The others may not unless they could before. */
  readonly withPassword: readonly Role[];
}

export interface RoleOptions {
  /** Roles that may log in where the server asks for no password. */
  readonly mayLogIn?: readonly Role[];
}

/**
 * Creates the roles that are missing, sets the passwords given, and hands the archive over to the admin. Only what this
 * program made is touched. Can be run again at any time. Needs a superuser, or a user that may create roles and owns
 * the archive.
 *
 * @param passwords In the clear; what is sent to the server is a SCRAM verifier, so that no log can hold them.
 * @throws SchemaError when the schema also holds what somebody else made, whom rights on the schema would concern.
 */
export async function createRoles(
  db: Database,
  passwords: Partial<Record<Role, string>>,
  { mayLogIn = [] }: RoleOptions = {},
): Promise<RoleReport> {
  return await db.transaction(async (sql) => {
    await refuseStrangers(sql);
    const present = await presentRoles(sql);
    const created = ROLES.filter((role) => !present.has(role));
    const withPassword = ROLES.filter((role) => passwords[role] !== undefined);
    for (const role of created) {
      await sql.unsafe(`create role ${roleName(role)} nologin`);
    }
    for (const role of withPassword) {
      const verifier = scramVerifier(passwords[role]!);
      await sql.unsafe(
        `alter role ${roleName(role)} login password '${verifier}'`,
      );
    }
    for (const role of mayLogIn) {
      await sql.unsafe(`alter role ${roleName(role)} login`);
    }
    // A second lock on the door: what a reader runs by mistake cannot write even where it would be allowed to.
    await sql.unsafe(
      `alter role ${roleName("reader")} set default_transaction_read_only = on`,
    );
    refuseRest(await handOver(sql));
    return { created, withPassword };
  }, { kind: "batch" });
}

/**
 * Gives the roles their rights to what migrations have added, where this schema was handed over to them and we are
 * one who may. Called by `migrate`.
 */
export async function refreshPrivileges(sql: Sql): Promise<void> {
  const [row] = await sql<{ allowed: boolean }[]>`
    select exists (
      select from pg_class c join pg_roles r on r.oid = c.relowner
      where c.oid = to_regclass('event') and r.rolname = 'bigbrotr_admin'
        and pg_has_role(r.oid, 'member')) as allowed`;
  if (row!.allowed) await grantPrivileges(sql, await ownObjects());
}

/** Kind and name of what this program made, as its catalogue has them. */
type OwnObjects = ReadonlySet<string>;

async function ownObjects(): Promise<OwnObjects> {
  const catalog = await expectedCatalog();
  return new Set(catalog.map(({ kind, name }) => `${kind} ${name}`));
}

type Privilege = "select" | "insert" | "update" | "delete";

const READ: readonly Privilege[] = ["select"];
const KEPT: readonly Privilege[] = ["select", "insert"];
const DELETED: readonly Privilege[] = ["select", "insert", "delete"];
const NEVER_DELETED: readonly Privilege[] = ["select", "insert", "update"];
const CHANGED: readonly Privilege[] = ["select", "insert", "update", "delete"];

/**
 * Tables of which the writer may do less than with the others, which it may change in every way. Locking rows
 * (`for update`) takes the right to update.
 */
const RESTRICTED: Readonly<Record<string, readonly Privilege[]>> = {
  archive: READ,
  schema_migration: READ,
  schema_function: READ,
  relay: KEPT,
  event: DELETED,
  event_raw: DELETED,
  event_relay: DELETED,
  metadata: DELETED,
  relay_check_rollup: DELETED,
  relay_outage: NEVER_DELETED,
  relay_state: NEVER_DELETED,
};

/** Tables that the refresher changes: it takes facts, and makes again what was dropped of them. */
const REFRESHED: ReadonlySet<string> = new Set(
  ["service_state", "fact", "fact_dropped", "fact_follower"],
);

async function grantPrivileges(sql: Sql, own: OwnObjects): Promise<void> {
  const [row] = await sql<{ schema: string; database: string }[]>`
    select quote_ident(current_schema()) as schema,
      quote_ident(current_database()) as database`;
  const { schema, database } = row!;
  const all = ROLES.map(roleName).join(", ");
  await becomeAdmin(sql);
  await sql.unsafe(`
    grant connect on database ${database} to ${all};
    grant usage on schema ${schema} to ${all};
    grant create on schema ${schema} to bigbrotr_admin`);
  for (const object of await presentObjects(sql, own)) {
    await grantOn(sql, object);
    // Last: only the owner may give rights, and we may be no longer.
    if (!object.isAdmins) {
      const { kind, quoted } = object;
      await sql.unsafe(`alter ${kind} ${quoted} owner to bigbrotr_admin`);
    }
  }
}

/** Functions need no right of their own: everybody may call them, and they do what the caller may do. */
async function grantOn(
  sql: Sql,
  { kind, name, quoted }: SchemaObject,
): Promise<void> {
  if (kind === "function") return;
  const writer = kind === "table" ? RESTRICTED[name] ?? CHANGED : READ;
  const refresher = REFRESHED.has(name) ? CHANGED : READ;
  await sql.unsafe(`
    grant ${writer.join(", ")} on ${quoted} to bigbrotr_writer;
    grant ${refresher.join(", ")} on ${quoted} to bigbrotr_refresher;
    grant select on ${quoted} to bigbrotr_reader`);
}

/** Makes us a member of the administrator's role, as only a member may give it a table. */
async function becomeAdmin(sql: Sql): Promise<void> {
  const [row] = await sql<{ member: boolean }[]>`
    select pg_has_role(current_user, 'bigbrotr_admin', 'member') as member`;
  if (!row!.member) await sql.unsafe("grant bigbrotr_admin to current_user");
}

interface SchemaObject {
  readonly kind: "table" | "view" | "function" | "sequence";
  /** As the catalogue has it. */
  readonly name: string;
  /** As SQL has it. */
  readonly quoted: string;
  readonly owner: string;
  readonly isAdmins: boolean;
}

/** Everything in the schema but what an extension brought along, or a column has of its own. */
async function schemaObjects(sql: Sql): Promise<SchemaObject[]> {
  return await sql<SchemaObject[]>`
    with object as (
      select case relkind when 'S' then 'sequence' when 'v' then 'view'
          else 'table' end as kind,
        relname::text as name, format('%I', relname) as quoted,
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
        proowner
      from pg_proc p
      where pronamespace = current_schema()::regnamespace
        and not exists (select from pg_depend d
          where d.classid = 'pg_proc'::regclass and d.objid = p.oid
            and d.deptype = 'e')
    )
    select kind, name, quoted, rolname as owner,
      rolname = 'bigbrotr_admin' as "isAdmins"
    from object join pg_roles on pg_roles.oid = owner
    order by kind, name`;
}

/** Of what this program made, that which is there. */
async function presentObjects(
  sql: Sql,
  own: OwnObjects,
): Promise<SchemaObject[]> {
  return (await schemaObjects(sql)).filter(({ kind, name }) =>
    own.has(`${kind} ${name}`)
  );
}

/** Throws when something in the schema is neither this program's nor the property of us or the admin. */
async function refuseStrangers(sql: Sql): Promise<void> {
  const [row] = await sql<{ user: string; schema: string }[]>`
    select current_user as user, current_schema() as schema`;
  const { user, schema } = row!;
  const { others } = await schemaObjects(sql);
  const [first, ...more] = others.filter(({ owner }) =>
    owner !== roleName("admin") && owner !== user
  );
  if (first === undefined) return;
  throw new SchemaError(
    `Cannot give roles rights on the schema "${schema}" as another application uses it: ` +
      `${first.kind} ${first.name} belongs to "${first.owner}"${
        more.length > 0 ? `, and ${more.length} more are not the archive's` : ""
      }. Make a database for the archive alone, and run db init --roles there`,
  );
}

/** Throws when we could not hand everything over. */
function refuseRest([first, ...more]: readonly MissingRight[]): void {
  if (first === undefined) return;
  const others = more.length > 0 ? `, and ${more.length} more` : "";
  throw new SchemaError(
    `Cannot hand the archive over to its roles as this user may not: ${first.kind} ${first.name}${others}. ` +
      `Run db init --roles as the owner of the database and of everything in it, or as a superuser`,
  );
}
