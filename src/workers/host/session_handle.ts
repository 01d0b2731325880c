/**
 * The host's end of one session: answers what its worker asks, stores what it sends, in order.
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
  ToWorker,
  VectorChunk,
  VectorQuery,
} from "../protocol/messages.ts";
import type { EventKeys } from "../../models/encoded_events.ts";
import { fail, ok, type Result } from "../../models/result.ts";
import type { BatchCredit, Borrower } from "./batch_credit.ts";
import type {
  SyncProgress,
  SyncReport,
  WorkerBatch,
} from "../protocol/report.ts";

/** Who the sessions work for. What it throws ends the session and is thrown to whoever began it. */
export interface SessionHost {
  /** Which of these events are archived: one byte each, 1 or 0. */
  known(keys: EventKeys): Promise<Uint8Array>;
  /** A chunk of what the relay is known to list; null when the archive cannot tell what the filter selects. */
  vector(query: VectorQuery): Promise<VectorChunk | null>;
  /** When these events were created (32 bytes an id); `NaN` for those that are not archived. */
  found(filterHash: string, ids: Uint8Array): Promise<Float64Array>;
  /** Sightings of the relay next to a moment, ascending; null when the archive cannot tell what the filter selects. */
  near(query: NearQuery): Promise<NearKeys | null>;
  /** Whose events the relay was seen to hold, around a moment (Unix seconds) first. */
  authors(at: number): Promise<readonly string[]>;
  /** How many events of a window the relay was seen to hold; null when the archive cannot tell. */
  sighted(query: SightedQuery): Promise<number | null>;
  /** Keeps how the list of the relay is another than what it was seen to hold. */
  note(note: ListingNote): Promise<void>;
  /** Stores a batch for good. Batches of one session come one after the other. */
  store(batch: WorkerBatch): Promise<void>;
  progress(progress: SyncProgress): void;
  /** Everything wanted is done and stored: whether the session may stay open for what is to come. */
  live(question: LiveQuestion): Promise<boolean>;
}

/** The worker died or hung. What it had sent is stored; the rest is still wanted. */
export interface SessionLoss {
  readonly detail: string;
  /** Whether this session may be why: its messages were taken up last, or nobody knows whose were. */
  readonly isSuspect: boolean;
}

/** Messages of a session; `ask-verified` is between its worker and the pool. */
type FromSession = Exclude<
  Extract<FromWorker, { readonly session: number }>,
  { readonly type: "ask-verified" }
>;

type Question = Extract<FromSession, { readonly request: number }>;

export class SessionHandle implements Borrower {
  readonly number: number;
  readonly #host: SessionHost;
  readonly #credits: BatchCredit;
  readonly #post: (message: ToWorker) => void;
  readonly #outcome = Promise.withResolvers<Result<SyncReport, SessionLoss>>();
  #stored: Promise<void> = Promise.resolve();
  #ended = false;
  #isLive = false;

  constructor(
    { number, host, credits, post }: {
      readonly number: number;
      readonly host: SessionHost;
      readonly credits: BatchCredit;
      readonly post: (message: ToWorker) => void;
    },
  ) {
    this.number = number;
    this.#host = host;
    this.#credits = credits;
    this.#post = post;
    // Whoever began the session hears of it; it must not be lost on the way there.
    this.#outcome.promise.catch(() => {});
  }

  /** Settles when the session is over and everything it sent is stored. */
  get outcome(): Promise<Result<SyncReport, SessionLoss>> {
    return this.#outcome.promise;
  }

  grant(): void {
    this.#post({ type: "credit", session: this.number });
  }

  receive(message: FromSession): void {
    if (this.#ended) return;
    switch (message.type) {
      case "ask-known":
      case "ask-vector":
      case "ask-found":
      case "ask-near":
      case "ask-authors":
      case "ask-sighted":
      case "ask-live":
        void this.#answer(message);
        return;
      case "listing":
        this.#inOrder(() => this.#host.note(message.note));
        return;
      case "want-credit":
        this.#credits.want(this);
        return;
      case "batch":
        void this.#store(message.batch);
        return;
      case "progress":
        this.#host.progress(message.progress);
        return;
      case "done":
        this.#end(ok(message.report));
        return;
      case "crashed":
        this.#fail(new Error(`A sync session crashed: ${message.detail}`));
        return;
    }
  }

  /** Whether everything wanted is done, and the session only waits for new events. */
  get isLive(): boolean {
    return this.#isLive;
  }

  /** The worker is gone, or not to be waited for any longer. */
  lose(loss: SessionLoss): void {
    if (this.#ended) return;
    this.#post({ type: "abandon", session: this.number });
    this.#end(fail(loss));
  }

  cancel(): void {
    if (!this.#ended) this.#post({ type: "cancel", session: this.number });
  }

  async #answer(question: Question): Promise<void> {
    try {
      const answer = await this.#answerTo(question);
      if (!this.#ended) this.#post(answer);
    } catch (error) {
      this.#fail(error);
    }
  }

  async #answerTo(question: Question): Promise<ToWorker> {
    const { session, request } = question;
    switch (question.type) {
      case "ask-known": {
        if (question.isInOrder) await this.#stored;
        const known = await this.#host.known(question.keys);
        return { type: "known", session, request, known };
      }
      case "ask-vector": {
        // What was sent before is to be in it.
        await this.#stored;
        const chunk = await this.#host.vector(question.query);
        return { type: "vector", session, request, chunk };
      }
      case "ask-found": {
        await this.#stored;
        const { filterHash, ids } = question;
        const createdAt = await this.#host.found(filterHash, ids);
        return { type: "found", session, request, createdAt };
      }
      case "ask-near": {
        // What was sent before is to be in it.
        await this.#stored;
        const keys = await this.#host.near(question.query);
        return { type: "near", session, request, keys };
      }
      case "ask-authors": {
        const authors = await this.#host.authors(question.at);
        return { type: "authors", session, request, authors };
      }
      case "ask-sighted": {
        await this.#stored;
        const count = await this.#host.sighted(question.query);
        return { type: "sighted", session, request, count };
      }
      case "ask-live": {
        // The host is to see what was found out before.
        await this.#stored;
        const granted = await this.#host.live(question.question);
        this.#isLive = granted;
        return { type: "live", session, request, granted };
      }
    }
  }

  /** A batch is stored only if all before it were: its coverage rests on them. */
  #store(batch: WorkerBatch): void {
    this.#inOrder(async () => {
      await this.#host.store(batch);
      this.#credits.giveBack(this);
    });
  }

  #inOrder(work: () => Promise<void>): void {
    this.#stored = this.#stored.then(work);
    this.#stored.catch((error) => this.#fail(error));
  }

  /** What was sent before the end is stored first. */
  #end(outcome: Result<SyncReport, SessionLoss>): void {
    if (this.#ended) return;
    this.#ended = true;
    void this.#stored.then(
      () => this.#outcome.resolve(outcome),
      (error) => this.#outcome.reject(error),
    ).finally(() => this.#credits.forget(this));
  }

  #fail(error: unknown): void {
    this.#outcome.reject(error);
    if (this.#ended) return;
    this.#ended = true;
    this.#credits.forget(this);
    this.#post({ type: "abandon", session: this.number });
  }
}
