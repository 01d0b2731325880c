/**
 * `bigbrotr db url`: where the embedded PostgreSQL is reached, for psql and Grafana.
 *
 * @module
 */
import { createRoles } from "../../core/database/roles.ts";
import { type Role, roleName } from "../../core/database/role.ts";
import {
  embeddedTcpUrl,
  embeddedUrl,
  rolePassword,
} from "../../core/database/embedded/embedded_url.ts";
import { serverAddress } from "../../core/database/connection/server_address.ts";
import type { Command, Invocation } from "../command.ts";
import { UsageError } from "../usage_error.ts";

const ROLE_CHOICES = ["reader", "writer", "admin", "superuser"] as const;

export const dbUrl: Command = {
  name: "db url",
  summary: "Print the URL of the running embedded PostgreSQL",
  description:
    `Prints the connection URL of the embedded PostgreSQL that runs on the data directory (up, db serve or a service
started it), for a role that may only read, unless --role asks for more. By default it is the URL of the Unix socket,
for root and the user that the server runs as; with --tcp it is that of the port, password included, for anybody who
has it. The superuser has no password and comes by the socket only. Exits 1 when no server runs there.`,
  options: [
    {
      name: "role",
      value: "ROLE",
      description:
        "what may be done with it: read (the default), write as services do, migrate, or everything",
      choices: ROLE_CHOICES,
    },
    {
      name: "tcp",
      description: "the TCP port instead of the socket, with the password",
    },
  ],
  examples: [
    { command: "db url", does: 'as in: psql "$(bigbrotr db url)"' },
    { command: "db url --tcp", does: "for a data source in Grafana" },
    { command: "db url --role superuser", does: "for the administrator" },
  ],
  async run(invocation) {
    invocation.stdout.write(`${await url(invocation)}\n`);
    return 0;
  },
};

async function url(invocation: Invocation): Promise<string> {
  const { options } = invocation;
  const { database, embedded: { dataDir } } = invocation.brotrConfig();
  if (serverAddress(database) !== null) {
    throw new UsageError(
      "db url tells where the embedded PostgreSQL is, but the configuration names a server",
    );
  }
  const tcp = options.flag("tcp");
  const role = ROLE_CHOICES.find((one) => one === options.text("role")) ??
    "reader";
  // Before anything else: where nothing runs, nothing is started to tell its address.
  const superuser = await embeddedUrl({ dataDir });
  if (role !== "superuser") return await roleUrl(invocation, role, tcp);
  if (!tcp) return superuser;
  throw new UsageError(
    "The superuser comes by the socket only: leave --tcp away, or ask for another --role",
  );
}

/** The roles of the embedded PostgreSQL are made, and their rights brought up to date, when their URL is asked for. */
async function roleUrl(
  invocation: Invocation,
  role: Role,
  tcp: boolean,
): Promise<string> {
  const { dataDir } = invocation.brotrConfig().embedded;
  const database = await invocation.openDatabase({ schema: "as-is" });
  const name = roleName(role);
  if (!tcp) {
    await createRoles(database, {}, { mayLogIn: [role] });
    return await embeddedUrl({ dataDir, role: name });
  }
  const password = await rolePassword(dataDir, role);
  await createRoles(database, { [role]: password });
  return await embeddedTcpUrl({ dataDir, role: name, password });
}
