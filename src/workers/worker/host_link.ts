/**
 * The host as a session sees it: its questions, and batches against credit. Everything rejects when the session is
 * abandoned.
 *
 * @module
 */
import type {
  FromWorker,
  ListingNote,
  LiveQuestion,
  NearKeys,
  NearQuery,
  SightedQuery,
  VectorChunk,
  VectorQuery,
} from "../protocol/messages.ts";
import type { EventKeys } from "../../models/encoded_events.ts";
import type { SignatureBatch } from "../../nips/verify/signature_batch.ts";
import { PendingRequests } from "../../base/pending_requests.ts";
import type { SyncProgress, WorkerBatch } from "../protocol/report.ts";

/** Progress is told this often at most. */
const PROGRESS_EVERY_MS = 200;

/** The host takes nothing of this session any more. */
export class Abandoned extends Error {
  override readonly name = "Abandoned";
}

/** Sends a message to the host. */
export type Post = (message: FromWorker) => void;

export class HostLink {
  readonly #session: number;
  readonly #post: Post;
  readonly #running: Int32Array;
  readonly #stop = new AbortController();
  readonly #known = new PendingRequests<Uint8Array>();
  readonly #verified = new PendingRequests<Uint8Array | null>();
  readonly #vectors = new PendingRequests<VectorChunk | null>();
  readonly #found = new PendingRequests<Float64Array>();
  readonly #near = new PendingRequests<NearKeys | null>();
  readonly #sighted = new PendingRequests<number | null>();
  readonly #authors = new PendingRequests<readonly string[]>();
  readonly #live = new PendingRequests<boolean>();
  #credit: PromiseWithResolvers<void> | null = null;
  #abandoned = false;
  #lastProgressAt = 0;

  /** `running` is the view of {@linkcode WorkerOptions.running}. */
  constructor(
    session: number,
    post: Post,
    running: Int32Array = new Int32Array(1),
  ) {
    this.#session = session;
    this.#post = post;
    this.#running = running;
  }

  /** What came for this session is taken up now: if the thread is lost, it is the one that is asked. */
  readonly isRunning = (): void => {
    this.#running[0] = this.#session;
  };

  /** Aborts when no more is to be asked of the relay. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /**
   * Which of these events are archived: one byte each, 1 when it is. `isInOrder`: what was sent before is stored first;
   * without it nothing is waited for.
   */
  askKnown(
    keys: EventKeys,
    { isInOrder }: { readonly isInOrder: boolean },
  ): Promise<Uint8Array> {
    const session = this.#session;
    return this.#ask(this.#known, (request) => {
      this.#post({ type: "ask-known", session, request, keys, isInOrder });
    });
  }

  /**
   * Has another thread check these signatures: one byte each, 1 when it is the author's. Null when none had time for it,
   * or was lost before it was done.
   */
  askVerified(signatures: SignatureBatch): Promise<Uint8Array | null> {
    const session = this.#session;
    return this.#ask(this.#verified, (request) => {
      this.#post({ type: "ask-verified", session, request, signatures });
    });
  }

  /** A chunk of what the relay is known to list; null when the archive cannot tell what the filter selects. */
  askVector(query: VectorQuery): Promise<VectorChunk | null> {
    return this.#ask(this.#vectors, (request) => {
      this.#post({
        type: "ask-vector",
        session: this.#session,
        request,
        query,
      });
    });
  }

  /**
   * When these events, which the relay lists, were created (32 bytes an id); `NaN` for those not archived. What was sent
   * before is stored first.
   */
  askFound(filterHash: string, ids: Uint8Array): Promise<Float64Array> {
    const session = this.#session;
    return this.#ask(this.#found, (request) => {
      this.#post({ type: "ask-found", session, request, filterHash, ids });
    });
  }

  /** Sightings of the relay next to a moment, ascending; null when the archive cannot tell what the filter selects. */
  askNear(query: NearQuery): Promise<NearKeys | null> {
    const session = this.#session;
    return this.#ask(this.#near, (request) => {
      this.#post({ type: "ask-near", session, request, query });
    });
  }

  /** How many events of a window the relay was seen to hold, in all syncs so far; null when the archive cannot tell. */
  askSighted(query: SightedQuery): Promise<number | null> {
    const session = this.#session;
    return this.#ask(this.#sighted, (request) => {
      this.#post({ type: "ask-sighted", session, request, query });
    });
  }

  /** Whose events the relay was seen to hold, around a moment (Unix seconds) first. */
  askAuthors(at: number): Promise<readonly string[]> {
    const session = this.#session;
    return this.#ask(this.#authors, (request) => {
      this.#post({ type: "ask-authors", session, request, at });
    });
  }

  /** Whether the session may stay open for what is to come. */
  askLive(question: LiveQuestion): Promise<boolean> {
    const session = this.#session;
    return this.#ask(this.#live, (request) => {
      this.#post({ type: "ask-live", session, request, question });
    });
  }

  /** Has the host keep how the list of the relay differs from what it was seen to hold. */
  note(note: ListingNote): void {
    this.#post({ type: "listing", session: this.#session, note });
  }

  /** Resolves when there was credit and the batch is on its way. */
  async send(batch: WorkerBatch): Promise<void> {
    if (this.#abandoned) throw new Abandoned();
    this.#credit = Promise.withResolvers();
    this.#post({ type: "want-credit", session: this.#session });
    await this.#credit.promise;
    this.#post({ type: "batch", session: this.#session, batch });
  }

  progress(progress: SyncProgress): void {
    const now = performance.now();
    if (now - this.#lastProgressAt < PROGRESS_EVERY_MS) return;
    this.#lastProgressAt = now;
    this.#post({ type: "progress", session: this.#session, progress });
  }

  known(request: number, known: Uint8Array): void {
    this.#known.answer(request, known);
  }

  verified(request: number, valid: Uint8Array | null): void {
    this.#verified.answer(request, valid);
  }

  vector(request: number, chunk: VectorChunk | null): void {
    this.#vectors.answer(request, chunk);
  }

  found(request: number, createdAt: Float64Array): void {
    this.#found.answer(request, createdAt);
  }

  near(request: number, keys: NearKeys | null): void {
    this.#near.answer(request, keys);
  }

  sighted(request: number, count: number | null): void {
    this.#sighted.answer(request, count);
  }

  authors(request: number, authors: readonly string[]): void {
    this.#authors.answer(request, authors);
  }

  live(request: number, granted: boolean): void {
    this.#live.answer(request, granted);
  }

  credit(): void {
    this.#credit?.resolve();
    this.#credit = null;
  }

  cancel(): void {
    this.#stop.abort();
  }

  abandon(): void {
    this.#abandoned = true;
    this.#stop.abort();
    for (
      const open of [
        this.#known,
        this.#verified,
        this.#vectors,
        this.#found,
        this.#near,
        this.#sighted,
        this.#authors,
        this.#live,
      ]
    ) {
      open.abandon(new Abandoned());
    }
    this.#credit?.reject(new Abandoned());
  }

  #ask<T>(
    questions: PendingRequests<T>,
    post: (request: number) => void,
  ): Promise<T> {
    if (this.#abandoned) return Promise.reject(new Abandoned());
    return questions.ask(post);
  }
}
