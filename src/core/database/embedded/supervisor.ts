/**
 * The owner's side of the embedded PostgreSQL: takes over what was left behind, makes what is missing, starts the
 * server, and starts it again whenever it ends by itself.
 *
 * @module
 */
import { backoffMs } from "../../../base/backoff.ts";
import { sleep } from "../../../base/sleep.ts";
import { openLogFile } from "../../log/log_file.ts";
import type { Logger } from "../../log/logger.ts";
import type { LogSink } from "../../log/sink.ts";
import { DatabaseError } from "../connection/database_error.ts";
import { type Binaries, unpackBinaries } from "./binaries.ts";
import type { ChildUser } from "./child_user.ts";
import { ensureCluster } from "./cluster.ts";
import { type DataDirectory, explainFullDisk } from "./data_directory.ts";
import { GuardedServer } from "./guarded_server.ts";
import { clearLeftovers } from "./processes.ts";
import { runProgram } from "./program.ts";
import { writeSettings } from "./settings.ts";

export interface SupervisorOptions {
  readonly directory: DataDirectory;
  readonly user: ChildUser;
  /** TCP port on 127.0.0.1; null for the Unix socket only. */
  readonly port: number | null;
  readonly log: Logger;
}

/** Waits between restarts that fail; the first try is immediate. */
const RESTART_BACKOFF = { initialMs: 500, maxMs: 5_000, jitter: 0 } as const;

/** A start that takes longer than this is told of. */
const RECOVERY_MS = 5_000;

/** How often it is said again that it does not start. */
const REMIND_MS = 60_000;

/** What is kept of PostgreSQL's own log. */
const LOG_LIMITS = { maxBytes: 8 * 1024 * 1024, maxFiles: 4 } as const;

/**
 * Brings the server up; the caller holds the owner's lock.
 *
 * @throws Error that says why it does not start and what to do about it; the signal's reason.
 */
export async function supervise(
  options: SupervisorOptions,
  signal: AbortSignal,
): Promise<Supervisor> {
  const { directory, user } = options;
  const binaries = await unpackBinaries(directory.runtime).catch(
    async (error: unknown) => {
      throw await explainFullDisk(error, directory.root);
    },
  );
  await ensureCluster(directory, { binaries, user });
  const supervisor = new Supervisor({ ...options, binaries });
  await supervisor.start(signal);
  return supervisor;
}

export class Supervisor implements AsyncDisposable {
  readonly #options: SupervisorOptions & { readonly binaries: Binaries };
  readonly #closing = new AbortController();
  /** Resolves when the server runs (again); rejects with the last failure while it does not come up. */
  #available: PromiseWithResolvers<void> = Promise.withResolvers();
  #server: GuardedServer | null = null;
  #file: LogSink | null = null;
  #watching: Promise<void> = Promise.resolve();

  constructor(options: SupervisorOptions & { readonly binaries: Binaries }) {
    this.#options = options;
  }

  async start(signal: AbortSignal): Promise<void> {
    try {
      this.#server = await this.#startOnce(signal);
    } catch (error) {
      this.#closeLog();
      throw error;
    }
    this.#available.resolve();
    this.#watching = this.#watch(this.#server);
  }

  /** Waits for a restart that is under way. Throws its failure, or the signal's reason. */
  async available(signal: AbortSignal): Promise<void> {
    await orAborted(this.#available.promise, signal);
  }

  /** Shuts the server down, checkpoint included. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#server?.release();
    await this.#watching;
    this.#closeLog();
    // A guard that was killed a moment ago could not do it.
    await clearLeftovers(
      this.#options.directory.cluster,
      new AbortController().signal,
    );
  }

  /** A full disk must not end the one who could tell of it. */
  #record(line: string): void {
    const { directory: { log: path } } = this.#options;
    try {
      this.#file ??= openLogFile({ path, ...LOG_LIMITS });
      this.#file.write(line);
    } catch (error) {
      this.#options.log.debug("PostgreSQL's log not kept", { path, error });
    }
  }

  #closeLog(): void {
    this.#file?.[Symbol.dispose]();
    this.#file = null;
  }

  async #watch(server: GuardedServer): Promise<void> {
    for (let running = server;;) {
      await running.ended;
      if (this.#closing.signal.aborted) return;
      this.#options.log.error("PostgreSQL ended by itself; starting it again", {
        lastWords: running.lastWords,
        log: this.#options.directory.log,
      });
      this.#available = Promise.withResolvers();
      this.#available.promise.catch(() => {});
      const next = await this.#restart(running);
      if (next === null) return;
      running = next;
    }
  }

  /** Null when we are asked to stop first. */
  async #restart(ended: GuardedServer): Promise<GuardedServer | null> {
    const { directory, log } = this.#options;
    const signal = this.#closing.signal;
    let saidAtMs = -Infinity;
    for (let attempt = 1;; attempt++) {
      try {
        // Its backends hold the pipe that its log came through.
        await clearLeftovers(directory.cluster, signal);
        await ended.release();
        this.#server = await this.#startOnce(signal);
        this.#available.resolve();
        return this.#server;
      } catch (error) {
        if (signal.aborted) return null;
        const waitMs = backoffMs(attempt, RESTART_BACKOFF);
        if (performance.now() - saidAtMs >= REMIND_MS) {
          saidAtMs = performance.now();
          log.error("PostgreSQL does not start, trying on", {
            attempt,
            reason: error instanceof Error ? error.message : error,
          });
        }
        this.#available.reject(error);
        await sleep(waitMs, signal);
        this.#available = Promise.withResolvers();
        this.#available.promise.catch(() => {});
      }
    }
  }

  async #startOnce(signal: AbortSignal): Promise<GuardedServer> {
    const { directory, log, user, port } = this.#options;
    await clearLeftovers(
      directory.cluster,
      signal,
      (processes) =>
        log.warn("ending a PostgreSQL that has lost its owner", {
          directory: directory.root,
          processes,
        }),
    );
    await removeSockets(directory, user);
    await writeSettings(directory, { user, port });
    const record = (line: string) => this.#record(line);
    const server = new GuardedServer({ ...this.#options, record });
    const slowStart = setTimeout(() => {
      log.info("PostgreSQL takes its time to start: after a crash it recovers");
    }, RECOVERY_MS);
    try {
      if (await orAborted(server.ready, signal)) return server;
    } catch (error) {
      await server.release();
      throw error;
    } finally {
      clearTimeout(slowStart);
    }
    await server.release();
    throw await explainFullDisk(
      new DatabaseError(
        "unreachable",
        `Cannot start the embedded PostgreSQL in ${directory.root}` +
          `${
            port === null ? "" : ` on port ${port} of 127.0.0.1`
          }. It said (and more in ${directory.log}):\n${server.lastWords}`,
      ),
      directory.root,
    );
  }
}

/** PostgreSQL would not start while a lock beside its socket names any living process of its user. */
async function removeSockets(
  { root, sockets }: DataDirectory,
  user: ChildUser,
): Promise<void> {
  // As the one whose directory it is, who could have put a link to another one there.
  const script = 'rm -f "$1"/.s.PGSQL.*';
  await runProgram("/bin/sh", ["-c", script, "sh", sockets], {
    user,
    cwd: root,
  });
}

/** The promise's outcome, unless the signal aborts first; the promise itself goes on. */
export async function orAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
