/**
 * How other programs reach the embedded PostgreSQL that runs on a data directory.
 *
 * @module
 */
import { OWNER_ROLE } from "./cluster.ts";
import { type DataDirectory, dataDirectory } from "./data_directory.ts";
import { tryOwnerLock } from "./owner_lock.ts";
import { type PidFile, readPidFile } from "./processes.ts";

export interface UrlOptions {
  /** Default: see `defaultRoot()`. */
  readonly dataDir: string | undefined;
  /** The TCP port and its password instead of the Unix socket. */
  readonly tcp: boolean;
}

/**
 * The URL for psql, Grafana and the like. The socket's works for root and for the user that the server runs as.
 *
 * @throws Error when nothing runs there, or it has no TCP port although that is asked for.
 */
export async function embeddedUrl(options: UrlOptions): Promise<string> {
  const directory = dataDirectory(options.dataDir);
  const server = await runningServer(directory);
  if (!options.tcp) {
    return `postgresql:///${OWNER_ROLE}?host=${
      encodeURIComponent(server.socketDirectory).replaceAll("%2F", "/")
    }&port=${server.port}&user=${OWNER_ROLE}`;
  }
  if (server.listensOn === "") {
    throw new Error(
      `Cannot tell a TCP address of the embedded PostgreSQL in ${directory.root}: it listens on its socket only. ` +
        `Start it with a port: bigbrotr db serve --port 5433, or embedded.port in config/brotr.yaml`,
    );
  }
  const password = await Deno.readTextFile(directory.password);
  return `postgresql://${OWNER_ROLE}:${password}@${server.listensOn}:${server.port}/${OWNER_ROLE}`;
}

async function runningServer(directory: DataDirectory): Promise<PidFile> {
  try {
    const server = await readPidFile(directory.cluster);
    if (server?.ready && isOwned(directory)) return server;
  } catch (cause) {
    if (!(cause instanceof Deno.errors.PermissionDenied)) throw cause;
    throw new Error(
      `Cannot look into ${directory.root}: ${cause.message}. Run as its owner or as root`,
      { cause },
    );
  }
  throw new Error(
    `Cannot tell the URL of the embedded PostgreSQL in ${directory.root}: it is not running. ` +
      `Start it: bigbrotr db serve, or bigbrotr up`,
  );
}

/** A pid file alone may be what a crash left. */
function isOwned({ lock }: DataDirectory): boolean {
  using free = tryOwnerLock(lock);
  return free === null;
}
