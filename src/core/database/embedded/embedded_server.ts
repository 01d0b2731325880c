/**
 * The embedded PostgreSQL as a process sees it: its own, or the one that another process of this machine runs.
 *
 * @module
 */
import { sleep } from "../../../base/sleep.ts";
import type { Logger } from "../../log/logger.ts";
import { openConnection } from "../connection/open_connection.ts";
import {
  type ServerAddress,
  socketPath,
} from "../connection/server_address.ts";
import {
  type ChildUser,
  notOurs,
  OWN_USER,
  SHARED_USER,
} from "./child_user.ts";
import { OWNER_ROLE } from "./cluster.ts";
import {
  type DataDirectory,
  dataDirectory,
  hasCluster,
  prepareDirectory,
} from "./data_directory.ts";
import { tryOwnerLock } from "./owner_lock.ts";
import { readPidFile } from "./processes.ts";
import { SOCKET_PORT } from "./settings.ts";
import { orAborted, supervise, type Supervisor } from "./supervisor.ts";

export interface EmbeddedOptions {
  /** Default: see `defaultRoot()`. */
  readonly dataDir: string | undefined;
  /** TCP port on 127.0.0.1, when this process becomes the owner. */
  readonly port: number | undefined;
  readonly log: Logger;
  /** Whether the server of another process will do. */
  readonly attach: boolean;
}

/** How long another process may take to bring its server up: it may be recovering from a crash. */
const ATTACH_MS = 120_000;

/** A wait that is longer is told of. */
const TELL_MS = 2_000;

/** How often to look whether it has. */
const LOOK_MS = 50;

/**
 * Runs the server of a data directory, or joins the process that does.
 *
 * @throws Error that says what is wrong with directory, user, disk, platform or version; the signal's reason.
 */
export async function openEmbedded(
  options: EmbeddedOptions,
  signal: AbortSignal,
): Promise<EmbeddedServer> {
  const directory = dataDirectory(options.dataDir);
  const user = await prepareDirectory(directory);
  const server = new EmbeddedServer(options, directory, user);
  try {
    await ownOrJoin(server, options, signal);
    return server;
  } catch (error) {
    await server[Symbol.asyncDispose]();
    if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
    throw notForUs(directory, error);
  }
}

function notForUs({ root }: DataDirectory, cause: Error): Error {
  return new Error(
    `Cannot use the embedded PostgreSQL in ${root} as uid ${Deno.uid()}: ${cause.message}. ` +
      `It is for root and for the user that runs it. Others take a URL that one of these gives them ` +
      `(bigbrotr db url --tcp, where it has a port): --database URL`,
    { cause },
  );
}

async function ownOrJoin(
  server: EmbeddedServer,
  { attach, log }: EmbeddedOptions,
  signal: AbortSignal,
): Promise<void> {
  const { directory } = server;
  const startedAtMs = performance.now();
  let isTold = false;
  while (!await server.own(signal)) {
    if (!attach) throw await secondOwner(directory);
    const running = await readPidFile(directory.cluster);
    if (running?.ready) return;
    if (server.isGuest && running === null) throw await foreign(directory);
    const waitedMs = performance.now() - startedAtMs;
    if (waitedMs > ATTACH_MS) throw await lateOwner(directory);
    if (waitedMs > TELL_MS && !isTold) {
      isTold = true;
      log.info("waiting for the embedded PostgreSQL of another process", {
        directory: directory.root,
        process: await ownerOf(directory),
      });
    }
    await sleep(LOOK_MS, signal);
    signal.throwIfAborted();
  }
}

export class EmbeddedServer implements AsyncDisposable {
  readonly directory: DataDirectory;
  readonly #options: EmbeddedOptions;
  readonly #user: ChildUser | null;
  #lock: Disposable | null = null;
  #supervisor: Supervisor | null = null;
  #owning: Promise<boolean> | null = null;
  readonly #closing = new AbortController();

  constructor(
    options: EmbeddedOptions,
    directory: DataDirectory,
    user: ChildUser | null,
  ) {
    this.#options = options;
    this.directory = directory;
    this.#user = user;
  }

  /** Whether the directory is somebody else's: then their server can be used, and no other be run. */
  get isGuest(): boolean {
    return this.#user === null;
  }

  /** Whether this process runs the server. */
  get owned(): boolean {
    return this.#supervisor !== null;
  }

  /** The server's present address; another owner may have given it another port. */
  async address(): Promise<ServerAddress> {
    const port = (await readPidFile(this.directory.cluster))?.port ??
      this.#options.port ?? SOCKET_PORT;
    return this.#at(port, OWNER_ROLE);
  }

  /**
   * To be called when the server is not reached: waits for its restart, or, when its owner is gone, becomes the owner.
   *
   * @throws Error why it does not start; the signal's reason.
   */
  async revive(signal: AbortSignal): Promise<void> {
    if (this.#supervisor !== null) await this.#supervisor.available(signal);
    else await this.own(signal);
  }

  /**
   * Becomes the owner and brings the server up, unless another process is the owner: then false.
   * The start goes on when a caller has waited enough: given up each time, a long recovery would never end.
   */
  async own(signal: AbortSignal): Promise<boolean> {
    this.#owning ??= this.#tryOwn().finally(() => this.#owning = null);
    return await orAborted(this.#owning, signal);
  }

  /** Ends the server if it is ours. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#owning?.catch(() => {});
    await this.#supervisor?.[Symbol.asyncDispose]();
    this.#supervisor = null;
    this.#lock?.[Symbol.dispose]();
    this.#lock = null;
  }

  async #tryOwn(): Promise<boolean> {
    const { signal } = this.#closing;
    if (signal.aborted || this.#supervisor !== null) return this.owned;
    const user = this.#user;
    if (user === null) return false;
    const lock = tryOwnerLock(this.directory.lock);
    if (lock === null) return false;
    const { log, port = null } = this.#options;
    const { directory } = this;
    try {
      await Deno.writeTextFile(directory.owner, `${Deno.pid}\n`);
      if (!await hasCluster(directory)) {
        log.info("making the embedded PostgreSQL, which takes some seconds", {
          directory: directory.root,
        });
      }
      const supervisor = await supervise(
        { directory, user, port, log },
        signal,
      );
      this.#supervisor = supervisor;
      this.#lock = lock;
      await this.#ensureDatabase(port ?? SOCKET_PORT, signal);
      log.info("embedded PostgreSQL is up", {
        directory: directory.root,
        user: user.name,
      });
      if (user.dropsPrivileges && user.name === SHARED_USER) {
        log.warn(
          "PostgreSQL runs as a user that other programs may run as, too",
          {
            user: user.name,
            todo:
              `useradd --system ${OWN_USER} && chown -R ${OWN_USER} ${directory.cluster} ${directory.sockets}`,
          },
        );
      }
      return true;
    } catch (error) {
      await this.#supervisor?.[Symbol.asyncDispose]();
      this.#supervisor = null;
      lock[Symbol.dispose]();
      this.#lock = null;
      throw error;
    }
  }

  async #ensureDatabase(port: number, signal: AbortSignal): Promise<void> {
    const connection = await openConnection({
      address: this.#at(port, "postgres"),
      connectMs: 30_000,
      applicationName: OWNER_ROLE,
      timezone: "UTC",
      statementTimeoutMs: 0,
      lockTimeoutMs: 0,
      mustWrite: false,
    }, signal);
    try {
      const { sql } = connection;
      const [found] =
        await sql`select 1 from pg_database where datname = ${OWNER_ROLE}`;
      if (!found) await sql`create database ${sql(OWNER_ROLE)}`;
    } finally {
      await connection.close();
    }
  }

  #at(port: number, database: string): ServerAddress {
    return {
      endpoint: { path: socketPath(this.directory.sockets, port) },
      database,
      user: OWNER_ROLE,
      password: null,
      tls: "disable",
      ca: null,
      pgbouncer: false,
    };
  }
}

async function foreign({ root }: DataDirectory): Promise<Error> {
  const { uid } = await Deno.lstat(root);
  return await notOurs(root, uid ?? 0);
}

async function ownerOf({ owner }: DataDirectory): Promise<string> {
  const pid = await Deno.readTextFile(owner).catch(() => "");
  return pid === "" ? "another process" : `process ${pid.trim()}`;
}

async function secondOwner(directory: DataDirectory): Promise<Error> {
  return new Error(
    `Cannot run the embedded PostgreSQL in ${directory.root}: ${await ownerOf(
      directory,
    )} already does. Other commands find it by themselves; its URL: bigbrotr db url`,
  );
}

async function lateOwner(directory: DataDirectory): Promise<Error> {
  return new Error(
    `Cannot join the embedded PostgreSQL in ${directory.root}: ${await ownerOf(
      directory,
    )} runs it, but it has not come up within ${ATTACH_MS / 1_000} s`,
  );
}
