/**
 * `bigbrotr db init`: makes an archive of an empty database.
 *
 * @module
 */
import { resolveSecret } from "../../core/config/secret.ts";
import type { Database } from "../../core/database/connection/database.ts";
import { migrate } from "../../core/database/migrate.ts";
import { createRoles } from "../../core/database/roles.ts";
import { type Role, roleName, ROLES } from "../../core/database/role.ts";
import type { Command, Invocation } from "../command.ts";

export const dbInit: Command = {
  name: "db init",
  summary: "Make an archive of an empty database: schema, edition, roles",
  description:
    `Applies the SQL that the program brings along. What is there already stays, so it can be run again. With --lite
the archive keeps no tags, content and signatures of events: a third of the disk per event, enough for statistics, but
events cannot be given back. That is decided once.
With --roles, a server gets ${ROLES.map(roleName).join(", ")}, each with no more
rights than it needs; one whose password is set in ${
      ROLES.map(passwordVariable).join(", ")
    } may log in with it. Only what the program made is handed over; a schema in which
another application has objects is refused.`,
  options: [
    { name: "lite", description: "keep no tags, content and signatures" },
    { name: "roles", description: "create the roles and hand the schema over" },
  ],
  examples: [
    { command: "db init", does: "a full archive" },
    {
      command: "db init --roles --database postgres://postgres@db/bigbrotr",
      does: "on a server, with roles",
    },
  ],
  run: initialise,
};

async function initialise(invocation: Invocation): Promise<number> {
  const { options, stdout, signal } = invocation;
  const database = await invocation.openDatabase({ schema: "as-is" });
  const { applied, edition } = await migrate(database, {
    edition: options.flag("lite") ? "lite" : undefined,
    signal,
  });
  stdout.write(
    applied.length === 0
      ? `The schema was there already (${edition}).\n`
      : `Made the schema (${edition}): ${applied.length} files applied.\n`,
  );
  if (options.flag("roles")) stdout.write(await makeRoles(database));
  return 0;
}

async function makeRoles(database: Database): Promise<string> {
  const passwords: Partial<Record<Role, string>> = {};
  for (const role of ROLES) {
    const env = passwordVariable(role);
    if (Deno.env.get(env) === undefined) continue;
    const what = `the password of ${roleName(role)}`;
    const password = resolveSecret({ env, what });
    if (password !== null) passwords[role] = password;
  }
  const { created, withPassword } = await createRoles(database, passwords);
  return ROLES.map((role) => {
    const done = created.includes(role) ? "created" : "was there";
    const login = withPassword.includes(role)
      ? "may log in with the password given"
      : `has got no password (${passwordVariable(role)})`;
    return `${roleName(role)}: ${done}, ${login}\n`;
  }).join("");
}

/** The environment variable a role's password is taken from. */
function passwordVariable(role: Role): string {
  return `BIGBROTR_${role.toUpperCase()}_PASSWORD`;
}
