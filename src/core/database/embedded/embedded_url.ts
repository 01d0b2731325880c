/**
 * How other programs reach the embedded PostgreSQL that runs on a data directory.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { OWNER_ROLE } from "./cluster.ts";
import { type DataDirectory, dataDirectory } from "./data_directory.ts";
import { tryOwnerLock } from "./owner_lock.ts";
import { type PidFile, readPidFile } from "./processes.ts";

export interface UrlOptions {
  /** Default: see `defaultRoot()`. */
  readonly dataDir: string | undefined;
  /** The role to log in as. Default: the superuser. */
  readonly role?: string;
}

/**
 * The URL of the Unix socket, which works for root and for the user that the server runs as.
 *
 * @throws Error when nothing runs there.
 */
export async function embeddedUrl(
  { dataDir, role = OWNER_ROLE }: UrlOptions,
): Promise<string> {
  const server = await runningServer(dataDirectory(dataDir));
  return `postgresql:///${OWNER_ROLE}?host=${
    encodeURIComponent(server.socketDirectory).replaceAll("%2F", "/")
  }&port=${server.port}&user=${role}`;
}

/**
 * The URL of the TCP port for one of the roles, its password included.
 *
 * @throws Error when nothing runs there, or it has no TCP port.
 */
export async function embeddedTcpUrl(
  { dataDir, role, password }: Required<UrlOptions> & {
    readonly password: string;
  },
): Promise<string> {
  const directory = dataDirectory(dataDir);
  const server = await runningServer(directory);
  if (server.listensOn !== "") {
    return `postgresql://${role}:${password}@${server.listensOn}:${server.port}/${OWNER_ROLE}`;
  }
  throw new Error(
    `Cannot tell a TCP address of the embedded PostgreSQL in ${directory.root}: it listens on its socket only. ` +
      `Start it with a port: bigbrotr db serve --port 5433, or embedded.port in config/brotr.yaml`,
  );
}

/** The password of a role on the TCP port: made when first asked for, and kept beside the data for whoever owns them. */
export async function rolePassword(
  dataDir: string | undefined,
  role: string,
): Promise<string> {
  const { passwords } = dataDirectory(dataDir);
  await Deno.mkdir(passwords, { recursive: true, mode: 0o700 });
  const path = join(passwords, role);
  try {
    await Deno.writeTextFile(path, randomBytes(24).toString("base64url"), {
      mode: 0o600,
      createNew: true,
    });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  return await Deno.readTextFile(path);
}

async function runningServer(directory: DataDirectory): Promise<PidFile> {
  try {
    const server = await readPidFile(directory.cluster);
    if (server?.ready && await isOwned(directory)) return server;
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

/** A pid file alone may be what a crash left. In somebody else's directory it has to do: no file there is opened to write. */
async function isOwned({ root, lock }: DataDirectory): Promise<boolean> {
  if ((await Deno.lstat(root)).uid !== Deno.uid()) return true;
  using free = tryOwnerLock(lock);
  return free === null;
}
