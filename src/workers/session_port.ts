/**
 * The worker's end of one session: questions to the host, and batches against credit.
 *
 * @module
 */
import type { EventKeys } from "../models/encoded_events.ts";
import type { HostLink } from "./intake.ts";
import type { LiveLink } from "./live.ts";
import { OpenQuestions } from "./open_questions.ts";
import type { LiveQuestion } from "./live_job.ts";
import type { ListingNote, VectorChunk, VectorQuery } from "./nip77_job.ts";
import type { FromWorker, SyncProgress, WorkerBatch } from "./protocol.ts";
import type { ListingLink } from "./reconcile/listing_link.ts";

/** Progress is told this often at most. */
const PROGRESS_EVERY_MS = 200;

/** The host takes nothing of this session any more. */
export class Abandoned extends Error {
  override readonly name = "Abandoned";
}

/** Sends a message to the host. */
export type Post = (message: FromWorker) => void;

export class SessionPort implements HostLink, ListingLink, LiveLink {
  readonly #session: number;
  readonly #post: Post;
  readonly #stop = new AbortController();
  readonly #known = new OpenQuestions<Uint8Array>();
  readonly #vectors = new OpenQuestions<VectorChunk | null>();
  readonly #found = new OpenQuestions<Float64Array>();
  readonly #live = new OpenQuestions<boolean>();
  #credit: PromiseWithResolvers<void> | null = null;
  #abandoned = false;
  #lastProgressAt = 0;

  constructor(session: number, post: Post) {
    this.#session = session;
    this.#post = post;
  }

  /** Aborts when no more is to be asked of the relay. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  askKnown(keys: EventKeys): Promise<Uint8Array> {
    return this.#ask(this.#known, (request) => {
      this.#post({ type: "ask-known", session: this.#session, request, keys });
    });
  }

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

  askFound(filterHash: string, ids: Uint8Array): Promise<Float64Array> {
    const session = this.#session;
    return this.#ask(this.#found, (request) => {
      this.#post({ type: "ask-found", session, request, filterHash, ids });
    });
  }

  askLive(question: LiveQuestion): Promise<boolean> {
    const session = this.#session;
    return this.#ask(this.#live, (request) => {
      this.#post({ type: "ask-live", session, request, question });
    });
  }

  note(note: ListingNote): void {
    this.#post({ type: "listing", session: this.#session, note });
  }

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

  vector(request: number, chunk: VectorChunk | null): void {
    this.#vectors.answer(request, chunk);
  }

  found(request: number, createdAt: Float64Array): void {
    this.#found.answer(request, createdAt);
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
    for (const open of [this.#known, this.#vectors, this.#found, this.#live]) {
      open.abandon(new Abandoned());
    }
    this.#credit?.reject(new Abandoned());
  }

  #ask<T>(
    questions: OpenQuestions<T>,
    post: (request: number) => void,
  ): Promise<T> {
    if (this.#abandoned) return Promise.reject(new Abandoned());
    return questions.ask(post);
  }
}
