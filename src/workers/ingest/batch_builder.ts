/**
 * Gathers what the host will store in one transaction.
 *
 * @module
 */
import { encodeEvents, encodeKeys } from "../../models/encoded_events.ts";
import type { NostrEvent } from "../../models/event.ts";
import { extractHints, type RelayHint } from "../../models/relay_hints.ts";
import type { Finding, ListedEvent } from "./event_queue.ts";
import type {
  GapRange,
  ProvenRange,
  RejectedEvent,
  WorkerBatch,
} from "../protocol/report.ts";

export interface BatchBounds {
  readonly batchEvents: number;
  readonly batchBytes: number;
  /** Hints to private addresses are worth keeping. */
  readonly allowPrivate: boolean;
}

/** Findings one batch carries at most; a walk with many small windows makes many. */
const MAX_FINDINGS = 1_000;

export class BatchBuilder {
  readonly #bounds: BatchBounds;
  readonly #budget: () => number;
  #events: NostrEvent[] = [];
  #bytes = 0;
  #known: ListedEvent[] = [];
  /** One of each author, source and relay: whoever repeats himself counts once a batch. */
  #hints = new Map<string, RelayHint>();
  #rejected: RejectedEvent[] = [];
  readonly #unsampled = new Map<string, number>();
  #coverage: ProvenRange[] = [];
  #gaps: GapRange[] = [];

  /** `budget` is what may be gathered, bytes. */
  constructor(bounds: BatchBounds, budget: () => number) {
    this.#bounds = bounds;
    this.#budget = budget;
  }

  get isEmpty(): boolean {
    return this.#events.length + this.#known.length + this.#rejected.length +
        this.#unsampled.size + this.#coverage.length + this.#gaps.length === 0;
  }

  get isFull(): boolean {
    const { batchEvents, batchBytes } = this.#bounds;
    return this.#events.length >= batchEvents ||
      this.#bytes >= Math.min(batchBytes, this.#budget()) ||
      // A sighting costs a fifth of an event.
      this.#known.length >= 5 * batchEvents ||
      this.#coverage.length + this.#gaps.length >= MAX_FINDINGS;
  }

  /** A new event, verified. */
  add(event: NostrEvent): void {
    this.#events.push(event);
    this.#bytes += 400 + event.content.length + event.tags.length * 100;
    for (const hint of extractHints(event, this.#bounds)) {
      this.#hints.set(`${hint.author} ${hint.source} ${hint.url}`, hint);
    }
  }

  /** An event the archive has. */
  addKnown(event: ListedEvent): void {
    this.#known.push(event);
  }

  reject(rejection: RejectedEvent): void {
    this.#rejected.push(rejection);
  }

  /** One more of which no sample is kept. */
  countRejected(reason: RejectedEvent["reason"]): void {
    this.#unsampled.set(reason, (this.#unsampled.get(reason) ?? 0) + 1);
  }

  /** Neighbouring windows with one proof become one. */
  note(finding: Finding): void {
    if (finding.type === "open") {
      this.#gaps.push(finding.gap);
      return;
    }
    const { proof } = finding;
    const last = this.#coverage.at(-1);
    const isBelow = last !== undefined && last.since === proof.until + 1 &&
      last.filterHash === proof.filterHash && last.method === proof.method;
    if (isBelow) {
      const until = last.until;
      this.#coverage[this.#coverage.length - 1] = { ...proof, until };
    } else this.#coverage.push(proof);
  }

  /** Gives the batch and begins the next. */
  take(): WorkerBatch {
    const batch: WorkerBatch = {
      events: encodeEvents(this.#events),
      known: encodeKeys(this.#known),
      hints: [...this.#hints.values()],
      rejected: this.#rejected,
      unsampled: Object.fromEntries(this.#unsampled),
      coverage: this.#coverage,
      gaps: this.#gaps,
    };
    this.#events = [];
    this.#bytes = 0;
    this.#known = [];
    this.#hints.clear();
    this.#rejected = [];
    this.#unsampled.clear();
    this.#coverage = [];
    this.#gaps = [];
    return batch;
  }
}
