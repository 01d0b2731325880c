/**
 * `bigbrotr db url`: where the embedded PostgreSQL is reached, for psql and Grafana.
 *
 * @module
 */
import { embeddedUrl } from "../../core/database/embedded/embedded_url.ts";
import { serverAddress } from "../../core/database/connection/server_address.ts";
import type { Command } from "../command.ts";
import { UsageError } from "../usage_error.ts";

export const dbUrl: Command = {
  name: "db url",
  summary: "Print the URL of the running embedded PostgreSQL",
  description:
    `Prints the connection URL of the embedded PostgreSQL that runs on the data directory (up, db serve or a service
started it). By default it is the one of the Unix socket, for root and the user that the server runs as; with --tcp
it is the one of the port, password included. Exits 1 when no server runs there.`,
  options: [
    {
      name: "tcp",
      description: "the TCP port instead of the socket, with the password",
    },
  ],
  examples: [
    { command: "db url", does: 'as in: psql "$(bigbrotr db url)"' },
    { command: "db url --tcp", does: "for a data source in Grafana" },
  ],
  async run(invocation) {
    const { options, stdout } = invocation;
    const { database, embedded } = invocation.brotrConfig();
    if (serverAddress(database) !== null) {
      throw new UsageError(
        "db url tells where the embedded PostgreSQL is, but the configuration names a server",
      );
    }
    const { dataDir } = embedded;
    const url = await embeddedUrl({ dataDir, tcp: options.flag("tcp") });
    stdout.write(`${url}\n`);
    return 0;
  },
};
