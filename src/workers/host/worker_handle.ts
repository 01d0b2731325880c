/**
 * The host's end of one worker: starts it, watches it, hands its messages to the sessions.
 *
 * @module
 */
import type { ConnectionLimiter } from "../../transport/politeness.ts";
import type { SignatureBatch } from "../../nips/verify/signature_batch.ts";
import { PendingRequests } from "../../base/pending_requests.ts";
import { LimiterHost } from "./limiter_host.ts";
import type { SessionHandle } from "./session_handle.ts";
import type { SyncJob } from "../protocol/job.ts";
import type {
  FromWorker,
  ToWorker,
  VerifierInfo,
  WorkerOptions,
} from "../protocol/messages.ts";

export interface WorkerHandleOptions {
  readonly entry: URL;
  readonly options: WorkerOptions;
  readonly permissions: Deno.PermissionOptionsObject;
  /** Asked before it connects to a relay. */
  readonly limiter: ConnectionLimiter;
  /** Aborts when nothing is to be waited for any more. */
  readonly signal: AbortSignal;
  /** A worker that says nothing for so long hangs. */
  readonly hangTimeoutMs: number;
  /** Has another worker check signatures for this one; null when none has time for it. */
  readonly verifyElsewhere: (
    asker: WorkerHandle,
    signatures: SignatureBatch,
  ) => Promise<Uint8Array | null>;
  /** The worker died or hung; its sessions were told. */
  readonly onLost: (worker: WorkerHandle, detail: string) => void;
}

/** Silence of a worker that has not started yet. */
const START_TIMEOUT_MS = 60_000;

/** Batches of signatures in work or waiting at once, of all who ask: what one session has under way. */
const MAX_VERIFICATIONS = 2;

export class WorkerHandle implements Disposable {
  readonly #worker: Worker;
  readonly #options: WorkerHandleOptions;
  readonly #sessions = new Map<number, SessionHandle>();
  readonly #limiter: LimiterHost;
  readonly #verifications = new PendingRequests<Uint8Array>();
  readonly #ready = Promise.withResolvers<VerifierInfo>();
  readonly #watch: ReturnType<typeof setInterval>;
  #heardAt = performance.now();
  /** Loading everything takes longer than answering. */
  #patienceMs = START_TIMEOUT_MS;
  #pings = 0;
  #verifying = 0;
  #isReady = false;
  #gone = false;

  constructor(options: WorkerHandleOptions) {
    this.#options = options;
    this.#limiter = new LimiterHost(
      options.limiter,
      (answer) => this.post(answer),
    );
    this.#worker = new Worker(options.entry, {
      type: "module",
      name: "bigbrotr-sync",
      deno: { permissions: options.permissions },
    });
    this.#worker.onmessage = ({ data }) => this.#receive(data);
    this.#worker.onmessageerror = () => this.#lose("It sent what is no data");
    this.#worker.onerror = (event) => {
      // Otherwise the error of the worker would end the whole process.
      event.preventDefault();
      this.#lose(event.message);
    };
    this.#ready.promise.catch(() => {});
    this.#watch = setInterval(() => this.#ping(), options.hangTimeoutMs / 4);
    this.post({ type: "init", options: options.options });
  }

  /** Which verifier it loaded. Rejects when it cannot work at all. */
  get ready(): Promise<VerifierInfo> {
    return this.#ready.promise;
  }

  get load(): number {
    return this.#sessions.size;
  }

  /** Whether it has started. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Whether it has time to verify for others: it has started, and its sessions, if any, only wait for live events. */
  get isIdle(): boolean {
    return this.#isReady && this.#verifying < MAX_VERIFICATIONS &&
      this.#sessions.values().every(({ isLive }) => isLive);
  }

  /** Checks signatures: one byte each, 1 when it is the author's; null when the worker is lost before it is done. */
  async verify(signatures: SignatureBatch): Promise<Uint8Array | null> {
    if (this.#gone) return null;
    this.#verifying += 1;
    try {
      return await this.#verifications.ask((request) =>
        this.post({ type: "verify", request, signatures })
      );
    } catch {
      // The worker was lost: the session that asked verifies by itself.
      return null;
    } finally {
      this.#verifying -= 1;
    }
  }

  post(message: ToWorker): void {
    if (!this.#gone) this.#worker.postMessage(message);
  }

  /** Begins a session; it leaves the worker when it is over. */
  begin(session: SessionHandle, job: SyncJob): void {
    this.#sessions.set(session.number, session);
    const leave = () => void this.#sessions.delete(session.number);
    session.outcome.then(leave, leave);
    this.post({ type: "sync", session: session.number, job });
  }

  [Symbol.dispose](): void {
    this.#lose("The pool was closed");
  }

  #receive(message: FromWorker): void {
    this.#heardAt = performance.now();
    switch (message.type) {
      case "ready":
        this.#patienceMs = this.#options.hangTimeoutMs;
        this.#isReady = true;
        this.#ready.resolve(message.verifier);
        return;
      case "unfit":
        this.#ready.reject(
          new Error(`Cannot start a sync worker: ${message.detail}`),
        );
        return;
      case "pong":
        return;
      case "verified":
        this.#verifications.answer(message.request, message.valid);
        return;
      case "ask-verified":
        void this.#verifyElsewhere(message);
        return;
      case "reserve-connection":
      case "acquire-slots":
      case "cancel-slots":
      case "release-slots":
        this.#limiter.receive(message);
        return;
      case "ask-known":
      case "ask-vector":
      case "ask-found":
      case "ask-near":
      case "ask-authors":
      case "ask-sighted":
      case "ask-live":
      case "listing":
      case "want-credit":
      case "batch":
      case "progress":
      case "done":
      case "crashed":
        this.#sessions.get(message.session)?.receive(message);
        return;
    }
  }

  async #verifyElsewhere(
    { session, request, signatures }: Extract<
      FromWorker,
      { type: "ask-verified" }
    >,
  ): Promise<void> {
    const valid = await this.#options.verifyElsewhere(this, signatures);
    this.post({ type: "verified", session, request, valid });
  }

  #ping(): void {
    const silentMs = performance.now() - this.#heardAt;
    if (silentMs > this.#patienceMs) {
      this.#lose(`It has said nothing for ${Math.round(silentMs)} ms`);
    } else this.post({ type: "ping", number: ++this.#pings });
  }

  #lose(detail: string): void {
    if (this.#gone) return;
    this.#gone = true;
    clearInterval(this.#watch);
    this.#worker.terminate();
    void this.#limiter.close(this.#options.signal);
    this.#verifications.abandon(new Error(detail));
    const running = new Int32Array(this.#options.options.running)[0] ?? 0;
    const isKnown = this.#sessions.has(running);
    for (const session of this.#sessions.values()) {
      const isSuspect = !isKnown || session.number === running;
      session.lose({ detail, isSuspect });
    }
    this.#options.onLost(this, detail);
  }
}
