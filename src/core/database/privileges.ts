/**
 * What each role may do with what the program made: given when the roles are made and after each migration, and looked
 * for by `db verify`.
 *
 * A right counts however a role has it: given to itself, to everybody, or as the owner's.
 *
 * @module
 */
import type { Sql } from "./connection/database.ts";
import { type Role, roleName, ROLES } from "./role.ts";
import { type SchemaObject, schemaObjects } from "./schema_objects.ts";

/** Something that a role lacks. */
export interface MissingRight {
  /** A role that is not there, some privileges of it, or its ownership. */
  readonly kind: "role" | "grant" | "owner";
  /** `insert, update on table relay to bigbrotr_writer`, `table relay`. */
  readonly name: string;
  /** The owner that should be, and the one that is; of privileges empty. */
  readonly expected: string;
  readonly found: string;
  /** The statement that puts it right; null where we may not, or it takes more than that. */
  readonly remedy: string | null;
}

/** What the roles lack; empty as well for an archive that was not handed over to them. */
export async function missingRights(sql: Sql): Promise<MissingRight[]> {
  const { own } = await schemaObjects(sql);
  const admin = roleName("admin");
  if (!own.some(({ owner }) => owner === admin)) return [];
  return await rightsLacking(sql, own);
}

/**
 * Gives the roles the rights that they lack, as far as we may. Called by `migrate`: migrations bring new tables, and
 * somebody may have taken rights away. Does nothing for an archive that was not handed over to the roles.
 */
export async function restoreRights(sql: Sql): Promise<void> {
  await give(sql, await missingRights(sql));
}

/**
 * Hands the archive over to the roles, all of which must be there; returns what could not be given. What everybody may
 * is given to them as well, as that is often taken from everybody later; but for functions, which are too many.
 */
export async function handOver(sql: Sql): Promise<MissingRight[]> {
  await becomeAdmin(sql);
  const { own } = await schemaObjects(sql);
  const isGiven = ({ kind }: Place) => kind !== "function";
  await give(sql, await rightsLacking(sql, own, isGiven));
  return await rightsLacking(sql, (await schemaObjects(sql)).own);
}

/** Makes us a member of the administrator's role, as only a member may give it a table. */
async function becomeAdmin(sql: Sql): Promise<void> {
  const [row] = await sql<{ member: boolean }[]>`
    select pg_has_role(current_user, 'bigbrotr_admin', 'usage') as member`;
  if (!row!.member) await sql.unsafe("grant bigbrotr_admin to current_user");
}

async function give(
  sql: Sql,
  rights: readonly MissingRight[],
): Promise<void> {
  for (const { remedy } of rights) {
    if (remedy !== null) await sql.unsafe(remedy);
  }
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
  metadata: DELETED,
  relay_check_rollup: DELETED,
  relay_outage: NEVER_DELETED,
  relay_state: NEVER_DELETED,
};

/** Tables that the refresher changes: it takes facts, folds them into cells, and makes again what was dropped of them. */
const REFRESHED: ReadonlySet<string> = new Set([
  "service_state",
  "service_lease",
  "fact",
  "fact_dropped",
  "fact_follower",
  "statistics_state",
  "event_minute",
  "kind_hour",
  "kind_day",
  "kind_total",
  "author",
  "author_first",
  "author_day",
  "author_first",
  "relay_day",
  "relay_kind",
  "relay_author",
  "relay_remake",
  "distinct_sketch",
  "contact",
  "contact_list",
  "contact_total",
  "author_fact",
  "author_topic",
  "target_fact",
  "zap",
  "deleted_event",
  "derived_state",
  "derived_lost",
]);

type Rights = Readonly<Record<Role, readonly string[]>>;

/** Functions do what their caller may do; identity columns need no right to their sequences. */
function rightsOn({ kind, name }: SchemaObject): Rights {
  switch (kind) {
    case "table":
      return {
        admin: CHANGED,
        writer: RESTRICTED[name] ?? CHANGED,
        reader: READ,
        refresher: REFRESHED.has(name) ? CHANGED : READ,
      };
    case "view":
    case "sequence":
      return { admin: READ, writer: READ, reader: READ, refresher: READ };
    case "function":
      return everybody("execute");
  }
}

function everybody(...rights: readonly string[]): Rights {
  return { admin: rights, writer: rights, reader: rights, refresher: rights };
}

/** A day of statistics is made in temporary tables. */
const DATABASE_RIGHTS: Rights = {
  ...everybody("connect", "temporary"),
  reader: ["connect"],
};

/** Something that rights are given on. */
interface Place {
  readonly kind: SchemaObject["kind"] | "schema" | "database";
  readonly name: string;
  readonly quoted: string;
  readonly oid: number;
  readonly isOurs: boolean;
}

/** In an order in which they can be given: rights on the schema first, ownership last. */
async function rightsLacking(
  sql: Sql,
  own: readonly SchemaObject[],
  /** Places where rights count as lacking even if they are held. */
  isGiven: (place: Place) => boolean = () => false,
): Promise<MissingRight[]> {
  const present = await presentRoles(sql);
  const { database, schema } = await surroundings(sql);
  const wanted = [
    ...rightsIn(database, DATABASE_RIGHTS),
    ...rightsIn(schema, { ...everybody("usage"), admin: ["usage", "create"] }),
    ...own.flatMap((object) => rightsIn(object, rightsOn(object))),
  ].filter(({ role }) => present.has(role));
  return [
    ...ROLES.filter((role) => !present.has(role)).map(missingRole),
    ...await missingGrants(sql, wanted, isGiven),
    ...own.filter(({ owner }) => owner !== roleName("admin"))
      .map(strangeOwner),
  ];
}

interface WantedGrant {
  readonly place: Place;
  readonly role: Role;
  readonly privilege: string;
}

function rightsIn(place: Place, rights: Rights): WantedGrant[] {
  return ROLES.flatMap((role) =>
    rights[role].map((privilege) => ({ place, role, privilege }))
  );
}

function missingRole(role: Role): MissingRight {
  const name = roleName(role);
  return { kind: "role", name, expected: "", found: "", remedy: null };
}

async function missingGrants(
  sql: Sql,
  wanted: readonly WantedGrant[],
  isGiven: (place: Place) => boolean,
): Promise<MissingRight[]> {
  const held = await areHeld(sql, wanted);
  const lacking = wanted.filter(({ place }, index) =>
    held[index] === false || isGiven(place)
  );
  const together = Map.groupBy(
    lacking,
    ({ place: { kind, oid }, role }) => `${kind} ${oid} ${role}`,
  );
  return [...together.values()].flatMap((grants) => {
    const [first] = grants;
    return first === undefined ? [] : [missingGrant(first, grants)];
  });
}

function missingGrant(
  { place, role }: WantedGrant,
  grants: readonly WantedGrant[],
): MissingRight {
  const { kind, name, quoted, isOurs } = place;
  const privileges = grants.map(({ privilege }) => privilege).join(", ");
  const on = kind === "table" || kind === "view" ? "" : kind;
  return {
    kind: "grant",
    name: `${privileges} on ${kind} ${name} to ${roleName(role)}`,
    expected: "",
    found: "",
    remedy: isOurs
      ? `grant ${privileges} on ${on} ${quoted} to ${roleName(role)}`
      : null,
  };
}

function strangeOwner(
  { kind, name, quoted, owner, isOurs }: SchemaObject,
): MissingRight {
  const expected = roleName("admin");
  return {
    kind: "owner",
    name: `${kind} ${name}`,
    expected,
    found: owner,
    remedy: isOurs ? `alter ${kind} ${quoted} owner to ${expected}` : null,
  };
}

/** Whether the roles have these rights, in the order asked. */
async function areHeld(
  sql: Sql,
  wanted: readonly WantedGrant[],
): Promise<(boolean | null)[]> {
  const questions = wanted.map(({ place: { kind, oid }, role, privilege }) => ({
    kind,
    oid,
    privilege,
    role: roleName(role),
  }));
  const rows = await sql<{ held: boolean | null }[]>`
    select case kind
        when 'database' then has_database_privilege(role, oid, privilege)
        when 'schema' then has_schema_privilege(role, oid, privilege)
        when 'function' then has_function_privilege(role, oid, privilege)
        when 'sequence' then has_sequence_privilege(role, oid, privilege)
        else has_table_privilege(role, oid, privilege) end as held
    from jsonb_array_elements(${
    JSON.stringify(questions)
  }::text::jsonb) with ordinality as one (question, place),
      jsonb_to_record(question) as asked (kind text, oid oid, role text, privilege text)
    order by place`;
  return rows.map(({ held }) => held);
}

/** The schema and the database that everything is in. */
async function surroundings(
  sql: Sql,
): Promise<Record<"schema" | "database", Place>> {
  const [row] = await sql<Record<"schema" | "database", Place>[]>`
    select
      (select jsonb_build_object('kind', 'schema', 'name', nspname,
          'quoted', quote_ident(nspname), 'oid', oid::int8,
          'isOurs', pg_has_role(nspowner, 'usage'))
        from pg_namespace where nspname = current_schema()) as schema,
      (select jsonb_build_object('kind', 'database', 'name', datname,
          'quoted', quote_ident(datname), 'oid', oid::int8,
          'isOurs', pg_has_role(datdba, 'usage'))
        from pg_database where datname = current_database()) as database`;
  return row!;
}

/** The roles that are there. */
export async function presentRoles(sql: Sql): Promise<ReadonlySet<Role>> {
  const rows = await sql<{ name: string }[]>`
    select rolname as name from pg_roles where starts_with(rolname, 'bigbrotr_')`;
  const names = new Set(rows.map(({ name }) => name));
  return new Set(ROLES.filter((role) => names.has(roleName(role))));
}
