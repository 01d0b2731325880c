/**
 * PgBouncer in transaction mode in front of a scratch cluster.
 *
 * @module
 */
import { lines } from "./lines.ts";
import type { ScratchCluster } from "./postgres.ts";
import { NOBODY } from "./postgres_cluster.ts";
import { freePort } from "./private_postgres.ts";
import { temporaryDirectory } from "./temporary_directory.ts";

const PROGRAM = "/usr/sbin/pgbouncer";

export interface PgBouncer extends AsyncDisposable {
  readonly port: number;
}

/** Starts it with its default settings but those for transaction mode and two server connections per database. */
export async function pgBouncer(cluster: ScratchCluster): Promise<PgBouncer> {
  await using stack = new AsyncDisposableStack();
  const directory = stack.use(await temporaryDirectory());
  const port = freePort();
  const settings = `${directory.path}/pgbouncer.ini`;
  await Deno.writeTextFile(
    settings,
    `[databases]
* = host=${cluster.socketDirectory} port=${cluster.port} user=bigbrotr

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 2
max_client_conn = 100
`,
  );
  const child = new Deno.Command(PROGRAM, {
    ...(Deno.uid() === 0 ? NOBODY : {}),
    args: [settings],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const { up, silent } = listenTo(child);
  stack.defer(async () => {
    child.kill("SIGKILL");
    await child.status;
    await silent;
  });
  await up;
  const owned = stack.move();
  return { port, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Hears its log to the end, because it waits for whoever does not read it. */
function listenTo(
  { stderr }: Deno.ChildProcess,
): { up: Promise<void>; silent: Promise<void> } {
  const up = Promise.withResolvers<void>();
  const heard: string[] = [];
  const listen = async () => {
    for await (const line of lines(stderr)) {
      heard.push(line);
      if (line.includes("process up")) up.resolve();
    }
    up.reject(new Error(`Cannot run PgBouncer:\n${heard.join("\n")}`));
  };
  return { up: up.promise, silent: listen() };
}
