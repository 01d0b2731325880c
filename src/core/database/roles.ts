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

export const ROLES = ["admin", "writer", "reader", "refresher"] as const;

export type Role = (typeof ROLES)[number];

/** The name in the server, where roles of all databases live side by side. */
export function roleName(role: Role): `bigbrotr_${Role}` {
  return `bigbrotr_${role}`;
}

export interface RoleReport {
  readonly created: readonly Role[];
  /** Roles that got a password now, and may log in. The others may not unless they could before. */
  readonly withPassword: readonly Role[];
}

/**
 * Creates the roles that are missing, sets the passwords given, and hands the schema over to the admin.
 * Can be run again at any time. Needs a superuser, or a user that may create roles and owns the schema.
 *
 * @param passwords In the clear; what is sent to the server is a SCRAM verifier, so that no log can hold them.
 */
export async function createRoles(
  db: Database,
  passwords: Partial<Record<Role, string>>,
): Promise<RoleReport> {
  return await db.transaction(async (sql) => {
    const present = await presentRoles(sql);
    const created = ROLES.filter((role) => !present.has(roleName(role)));
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
    // A second lock on the door: what a reader runs by mistake cannot write even where it would be allowed to.
    await sql.unsafe(
      `alter role ${roleName("reader")} set default_transaction_read_only = on`,
    );
    await grantPrivileges(sql);
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
  if (row!.allowed) await grantPrivileges(sql);
}

type Privilege = "select" | "insert" | "update" | "delete";

const KEPT: readonly Privilege[] = ["select", "insert"];
const DELETED: readonly Privilege[] = ["select", "insert", "delete"];
const CHANGED: readonly Privilege[] = ["select", "insert", "update", "delete"];

/** Rights on each table that the writer's functions need. Locking rows (`for update`) takes the right to update. */
const WRITER: Readonly<Record<string, readonly Privilege[]>> = {
  archive: ["select"],
  schema_migration: ["select"],
  schema_function: ["select"],
  relay: KEPT,
  candidate: CHANGED,
  relay_lease: CHANGED,
  event: DELETED,
  event_raw: DELETED,
  event_relay: DELETED,
  rejected_event: CHANGED,
  relay_rejection: CHANGED,
  metadata: DELETED,
  relay_metadata: CHANGED,
  relay_check: CHANGED,
  relay_capability: CHANGED,
  relay_check_rollup: DELETED,
  relay_outage: ["select", "insert", "update"],
  relay_state: ["select", "insert", "update"],
  sync_coverage: CHANGED,
  sync_proof: CHANGED,
  sync_gap: CHANGED,
  sync_audit: CHANGED,
  sync_contradiction: CHANGED,
  sync_withheld: CHANGED,
  relay_listing: CHANGED,
  service_state: CHANGED,
  outbox: CHANGED,
  outbox_target: CHANGED,
  outbox_delivery: CHANGED,
};

async function grantPrivileges(sql: Sql): Promise<void> {
  const [row] = await sql<{ schema: string; database: string }[]>`
    select quote_ident(current_schema()) as schema,
      quote_ident(current_database()) as database`;
  const { schema, database } = row!;
  const all = ROLES.map(roleName).join(", ");
  await becomeAdmin(sql);
  await sql.unsafe(`
    grant connect on database ${database} to ${all};
    grant usage on schema ${schema} to ${all};
    grant create on schema ${schema} to bigbrotr_admin;
    grant select on all tables in schema ${schema} to bigbrotr_reader, bigbrotr_refresher;
    grant select on relay_metadata_latest, relay_health, relay_outage_history to bigbrotr_writer;
    grant insert, update on service_state to bigbrotr_refresher`);
  for (const [table, privileges] of Object.entries(WRITER)) {
    await sql.unsafe(`grant ${privileges.join(", ")} on ${table}
      to bigbrotr_writer`);
  }
  await handOver(sql, schema);
}

/** Makes us a member of the administrator's role, as only a member may give it a table. */
async function becomeAdmin(sql: Sql): Promise<void> {
  const [row] = await sql<{ member: boolean }[]>`
    select pg_has_role(current_user, 'bigbrotr_admin', 'member') as member`;
  if (!row!.member) await sql.unsafe("grant bigbrotr_admin to current_user");
}

/** Makes the admin the owner of everything that is ours, and of nothing else in the schema. */
async function handOver(sql: Sql, schema: string): Promise<void> {
  const statements = await sql<{ statement: string }[]>`
    select format('alter %s %s owner to bigbrotr_admin',
      case relkind when 'v' then 'view' else 'table' end, oid::regclass)
      as statement
    from pg_class c
    where relnamespace = ${schema}::regnamespace and relkind in ('r', 'p', 'v')
      and relowner <> 'bigbrotr_admin'::regrole
      and not exists (select from pg_depend d
        where d.classid = 'pg_class'::regclass and d.objid = c.oid
          and d.deptype = 'e')
    union all
    select format('alter function %s owner to bigbrotr_admin',
      oid::regprocedure)
    from pg_proc p
    where pronamespace = ${schema}::regnamespace
      and proowner <> 'bigbrotr_admin'::regrole and prokind = 'f'
      and not exists (select from pg_depend d
        where d.classid = 'pg_proc'::regclass and d.objid = p.oid
          and d.deptype = 'e')`;
  for (const { statement } of statements) await sql.unsafe(statement);
}

async function presentRoles(sql: Sql): Promise<ReadonlySet<string>> {
  const rows = await sql<{ name: string }[]>`
    select rolname as name from pg_roles where rolname like 'bigbrotr\\_%'`;
  return new Set(rows.map(({ name }) => name));
}
