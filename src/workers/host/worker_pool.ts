/**
 * The pool of workers: a bounded number of threads that carry any number of sessions.
 *
 * A worker that dies or hangs is replaced. Its sessions end with a loss, which whoever began them answers by beginning
 * again from coverage; only the one whose messages it had taken up last is under suspicion. The sessions of other workers
 * never notice.
 *
 * @module
 */
import type { Result } from "../../models/result.ts";
import {
  loadVerifier,
  type VerifierOptions,
  workerPermissions,
} from "../../nips/verify/verifier.ts";
import type { ConnectionLimiter } from "../../transport/politeness.ts";
import { BatchCredit } from "./batch_credit.ts";
import {
  SessionHandle,
  type SessionHost,
  type SessionLoss,
} from "./session_handle.ts";
import { WorkerHandle } from "./worker_handle.ts";
import { sleep } from "../../base/sleep.ts";
import type { SyncJob } from "../protocol/job.ts";
import type { SyncReport } from "../protocol/report.ts";
import type { VerifierInfo, WorkerOptions } from "../protocol/messages.ts";

export interface SyncPoolOptions {
  /** Threads at most; they are started as sessions come. */
  readonly workers: number;
  /** Batches on their way to the database at once, of all sessions: together with their size the bound on memory. */
  readonly maxBatches: number;
  /** Asked before each connection, of whichever worker. */
  readonly limiter: ConnectionLimiter;
  /** Where libsecp256k1 is looked for. */
  readonly verifier: VerifierOptions;
  readonly worker: Omit<
    WorkerOptions,
    "library" | "bufferedBytes" | "running"
  >;
  /** A worker was lost and will be replaced. */
  readonly onLost: (detail: string) => void;
  /** Silence of a worker that counts as hanging. Default: 30 s. */
  readonly hangTimeoutMs?: number;
  /** How long sessions may take to hand in what they have when they are cancelled. Default: 10 s. */
  readonly graceMs?: number;
  /** Default: the worker of this program. */
  readonly entry?: URL;
}

/** Sessions with relays, in worker threads. */
export interface SyncPool extends AsyncDisposable {
  /** What verifies signatures. */
  readonly verifier: VerifierInfo;
  /** From now on these hosts are neither looked up nor dialled, and no others; sessions with them go on until they dial. */
  optOut(hosts: readonly string[]): void;
  /**
   * Syncs one relay: resolves when the session is over and everything it sent is stored. Aborting the signal ends it
   * early, after what it has in hand. Throws what `host` throws.
   */
  sync(
    job: SyncJob,
    host: SessionHost,
    signal: AbortSignal,
  ): Promise<Result<SyncReport, SessionLoss>>;
}

/** What all sessions together may hold of each sort between socket and database, bytes; in memory it is some times that. */
const HELD_BYTES = 16 * 1024 * 1024;

/** What the packages a worker loads look at besides the network. */
const WORKER_PERMISSIONS: Deno.PermissionOptionsObject = {
  net: true,
  env: ["WS_NO_BUFFER_UTIL", "WS_NO_UTF_8_VALIDATE", "NODE_DEBUG"],
  sys: false,
  run: false,
  read: false,
  write: false,
  import: false,
};

/** Chooses the verifier and opens the pool. */
export async function openSyncPool(
  options: SyncPoolOptions,
): Promise<SyncPool> {
  // Only to choose it: each worker loads its own.
  using verifier = await loadVerifier(options.verifier);
  return new WorkerPool({
    ...options,
    verifier,
    permissions: { ...WORKER_PERMISSIONS, ...workerPermissions(verifier) },
  });
}

interface PoolDeps extends Omit<SyncPoolOptions, "verifier"> {
  readonly verifier: VerifierInfo & { readonly library: string | null };
  readonly permissions: Deno.PermissionOptionsObject;
}

class WorkerPool implements SyncPool {
  readonly verifier: VerifierInfo;
  readonly #parts: PoolDeps;
  readonly #credits: BatchCredit;
  readonly #workers = new Set<WorkerHandle>();
  readonly #sessions = new Set<SessionHandle>();
  readonly #over = new AbortController();
  #lastSession = 0;
  #optedOut: readonly string[];

  constructor(parts: PoolDeps) {
    this.verifier = parts.verifier;
    this.#parts = parts;
    this.#credits = new BatchCredit(parts.maxBatches);
    this.#optedOut = parts.worker.optOut;
  }

  optOut(hosts: readonly string[]): void {
    this.#optedOut = hosts;
    for (const worker of this.#workers) worker.post({ type: "opt-out", hosts });
  }

  async sync(
    job: SyncJob,
    host: SessionHost,
    signal: AbortSignal,
  ): Promise<Result<SyncReport, SessionLoss>> {
    const worker = this.#freest();
    const session = new SessionHandle({
      number: ++this.#lastSession,
      host,
      credits: this.#credits,
      post: (message) => worker.post(message),
    });
    this.#sessions.add(session);
    const cancel = () => void this.#cancel(session);
    signal.addEventListener("abort", cancel, { once: true });
    try {
      worker.begin(session, job);
      // A worker that cannot work at all is a fault of ours; one that is lost later is not.
      await Promise.race([worker.ready, session.outcome]);
      if (signal.aborted) cancel();
      return await session.outcome;
    } finally {
      signal.removeEventListener("abort", cancel);
      this.#sessions.delete(session);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      [...this.#sessions].map((session) => this.#cancel(session)),
    );
    const workers = [...this.#workers];
    this.#workers.clear();
    for (const worker of workers) worker[Symbol.dispose]();
    this.#over.abort();
  }

  /** An idle worker, a new one while there may be more, or the least busy. */
  #freest(): WorkerHandle {
    const workers = [...this.#workers];
    const idle = workers.find(({ load }) => load === 0);
    if (idle !== undefined) return idle;
    const [least] = workers.sort((a, b) => a.load - b.load);
    const isFull = workers.length >= this.#parts.workers;
    return least !== undefined && isFull ? least : this.#start();
  }

  /** An idle worker beside the one that asks. One is started where there may be more, for the next time. */
  #helperOf(asker: WorkerHandle): WorkerHandle | null {
    const others = [...this.#workers].filter((worker) => worker !== asker);
    const idle = others.find(({ isIdle }) => isIdle);
    if (idle !== undefined) return idle;
    const isStarting = others.some(({ isReady }) => !isReady);
    const isFull = this.#workers.size >= this.#parts.workers;
    if (!isFull && !isStarting && !this.#over.signal.aborted) this.#start();
    return null;
  }

  #start(): WorkerHandle {
    const { verifier, permissions, limiter, hangTimeoutMs = 30_000 } =
      this.#parts;
    const worker = new WorkerHandle({
      entry: this.#parts.entry ??
        new URL("../worker/entry.ts", import.meta.url),
      options: {
        ...this.#parts.worker,
        optOut: this.#optedOut,
        library: verifier.library,
        bufferedBytes: HELD_BYTES / this.#parts.workers,
        running: new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT),
      },
      permissions,
      limiter,
      signal: this.#over.signal,
      hangTimeoutMs,
      verifyElsewhere: async (asker, signatures) =>
        await this.#helperOf(asker)?.verify(signatures) ?? null,
      onLost: (lost, detail) => {
        if (this.#workers.delete(lost)) this.#parts.onLost(detail);
      },
    });
    this.#workers.add(worker);
    return worker;
  }

  /** Lets the session hand in what it has, and gives it up after a grace. */
  async #cancel(session: SessionHandle): Promise<void> {
    session.cancel();
    const { graceMs = 10_000 } = this.#parts;
    const over = new AbortController();
    const ended = session.outcome.then(() => {}, () => {});
    await Promise.race([ended, sleep(graceMs, over.signal)]);
    over.abort();
    session.lose({ detail: "It did not end in time", isSuspect: true });
  }
}
