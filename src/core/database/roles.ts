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
