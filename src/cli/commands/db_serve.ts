/**
 * `bigbrotr db serve`: the embedded PostgreSQL as a unit of its own.
 *
 * @module
 */
import { openEmbedded } from "../../core/database/embedded/embedded_server.ts";
import { embeddedUrl } from "../../core/database/embedded/embedded_url.ts";
import { serverAddress } from "../../core/database/connection/server_address.ts";
import type { Command, Invocation } from "../command.ts";
import { UsageError } from "../usage_error.ts";

export const dbServe: Command = {
  name: "db serve",
  summary: "Run the embedded PostgreSQL in the foreground",
  description:
    `Starts the PostgreSQL that the program brings along, prints its URL, and runs it until SIGINT or SIGTERM, which
shut it down cleanly. Other commands on this machine find it by --data-dir and use it. One process at a time can
run it; a second one is told so.`,
  options: [
    {
      name: "port",
      value: "PORT",
      description:
        "also listen on this port of 127.0.0.1 (password: db url --tcp)",
    },
  ],
  examples: [
    { command: "db serve", does: "on its Unix socket" },
    { command: "db serve --port 5433", does: "for Grafana, too" },
  ],
  runsUntilStopped: () => true,
  run: serve,
};

async function serve(invocation: Invocation): Promise<number> {
  const { log, notifier, options, signal, stdout } = invocation;
  const { database, embedded } = invocation.brotrConfig();
  if (serverAddress(database) !== null) {
    throw new UsageError(
      "db serve runs the embedded PostgreSQL, but the configuration names a server: " +
        "remove database.url and database.host, or give --data-dir",
    );
  }
  const { dataDir } = embedded;
  const port = options.integer("port", { min: 1, max: 65_535 }) ??
    embedded.port;
  {
    using _starting = notifier.starting("starting: PostgreSQL");
    invocation.use(
      await openEmbedded({ dataDir, port, log, attach: false }, signal),
    );
  }
  const url = await embeddedUrl({ dataDir });
  stdout.write(`${url}\n`);
  notifier.ready();
  notifier.status(`PostgreSQL is up at ${url}`);
  await aborted(signal);
  notifier.stopping();
  return 0;
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) =>
    signal.addEventListener("abort", () => resolve(), { once: true })
  );
}
