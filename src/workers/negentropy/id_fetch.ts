/**
 * Gets the events that a relay lists and we do not know it to hold: a sighting for those that are archived already,
 * the others by their ids, in pages as large as the relay takes, several at once.
 *
 * @module
 */
import type { EventKeys } from "../../models/encoded_events.ts";
import type { Filter } from "../../models/filter.ts";
import type { NostrEvent } from "../../models/event.ts";
import type { Window } from "../../models/window.ts";
import type { Hidden } from "../../nips/negentropy/locator.ts";
import type { Ingest } from "../ingest/ingest.ts";
import type { NoPage } from "../walk/ask.ts";
import type { FailureReason } from "../protocol/report.ts";
import type { HostLink } from "../worker/host_link.ts";
import type { Page, Query } from "../walk/page.ts";

export interface IdFetchDeps {
  readonly link: HostLink;
  readonly ingest: Pick<Ingest, "acceptListed" | "room">;
  readonly fetch: FetchPage;
  /** Awaited before ids are looked up. */
  readonly beforeFetch: () => Promise<void>;
  readonly filter: Filter;
  readonly filterHash: string;
  /** Events outside of it are not what was listed. */
  readonly window: Window;
  /** Ids asked for at once, at first. */
  readonly pageSize: number;
}

/** Asks the relay for a page. The events go their way; `accepted` hears of those that are as they should be. */
export type FetchPage = (
  query: Query,
  accepted?: (event: NostrEvent) => void,
) => Promise<Page>;

/** The relay lists events that do not lie where it lists them. */
export type FetchFailure = NoPage | "out-of-window";

/** What became of the ids. */
export interface FetchEnd {
  /** Events that the relay gave, or that were archived already; in no order. */
  readonly obtained: EventKeys;
  /** Listed, asked for, and not given. */
  readonly hidden: readonly Hidden[];
  /** Why it was given up; null when every id was settled. */
  readonly failure: FetchFailure | null;
}

/** Pages asked for at once: while one is on its way, the next is being made. */
const CONCURRENT_PAGES = 3;

/** Ids waiting to be asked for; whoever finds more has to wait. */
const MAX_WAITING = 5_000;

/** Ids looked up in the archive at once. */
const LOOK_UP = 5_000;

/** Failures in a row after which the rest is given up. */
const MAX_FAILURES = 6;

/** No relay is known to give fewer events at once: what is missing of so few is held back. */
const SMALL_PAGE = 10;

/** What was missing is asked for again in pages of so many, before it is believed to be held back. */
const SECOND_LOOK = 50;

/** Failures that say nothing about what was asked for. */
const MAY_PASS: ReadonlySet<FailureReason> = new Set([
  "timeout",
  "disconnected",
  "rate-limited",
]);

/** Ids asked for at once. */
interface Batch {
  readonly ids: readonly Hidden[];
  /** Whether they were missing before. */
  readonly isSecond: boolean;
}

export class IdFetch {
  readonly #parts: IdFetchDeps;
  readonly #waiting: Hidden[] = [];
  /** Missing once. */
  readonly #doubtful: Hidden[] = [];
  readonly #hidden: Hidden[] = [];
  readonly #obtained = new Map<string, number>();
  readonly #failed = new AbortController();
  readonly #ranges: Promise<unknown>;
  #pageSize: number;
  #largest = 0;
  #failures = 0;
  #failure: FetchFailure | null = null;
  #inFlight = 0;
  #isClosed = false;
  #changed = Promise.withResolvers<void>();

  constructor(parts: IdFetchDeps) {
    this.#parts = parts;
    this.#pageSize = parts.pageSize;
    this.#ranges = Promise.all(
      Array.from({ length: CONCURRENT_PAGES }, () => this.#work()),
    );
    // Whoever finishes hears of it; until then nobody may be listening.
    this.#ranges.catch(() => this.#giveUp("aborted"));
  }

  /** Aborts when it was given up. */
  get failed(): AbortSignal {
    return this.#failed.signal;
  }

  /** Takes ids that the relay lists; resolves when there is room for more. Rejects when the session is abandoned. */
  async add(listed: readonly Hidden[]): Promise<void> {
    const { link, filterHash, ingest, beforeFetch } = this.#parts;
    await beforeFetch();
    for (let at = 0; at < listed.length; at += LOOK_UP) {
      const part = listed.slice(at, at + LOOK_UP);
      const ids = Uint8Array.fromHex(part.map(({ id }) => id).join(""));
      const times = await link.askFound(filterHash, ids).catch((error) => {
        this.#giveUp("aborted");
        throw error;
      });
      for (const [i, hidden] of part.entries()) {
        this.#sort(hidden, times[i] ?? NaN);
      }
      this.#notify();
      await ingest.room();
    }
    while (this.#waiting.length > MAX_WAITING && this.#failure === null) {
      await this.#changed.promise;
    }
  }

  /** What is archived needs no download. */
  #sort(listed: Hidden, createdAt: number): void {
    const { window, ingest } = this.#parts;
    if (Number.isNaN(createdAt)) this.#waiting.push(listed);
    else if (createdAt >= window.since && createdAt <= window.until) {
      this.#obtained.set(listed.id, createdAt);
      ingest.acceptListed({ id: listed.id, created_at: createdAt });
    } else this.#giveUp("out-of-window");
  }

  /** Waits until every id is settled, or all was given up. */
  async finish(): Promise<FetchEnd> {
    this.#isClosed = true;
    this.#notify();
    await this.#ranges;
    return {
      obtained: {
        ids: Uint8Array.fromHex([...this.#obtained.keys()].join("")),
        createdAt: Float64Array.from(this.#obtained.values()),
      },
      hidden: this.#hidden,
      failure: this.#failure,
    };
  }

  async #work(): Promise<void> {
    for (;;) {
      let batch = this.#nextBatch();
      while (batch === null && !this.#isOver) {
        await this.#changed.promise;
        batch = this.#nextBatch();
      }
      if (batch === null) return;
      this.#inFlight += 1;
      this.#notify();
      const page = await this.#fetch(batch.ids);
      this.#inFlight -= 1;
      this.#settle(batch, page);
      this.#notify();
    }
  }

  #nextBatch(): Batch | null {
    if (this.#failure !== null) return null;
    const ids = this.#waiting.splice(0, this.#pageSize);
    if (ids.length > 0) return { ids, isSecond: false };
    const size = Math.min(this.#pageSize, SECOND_LOOK);
    const doubtful = this.#doubtful.splice(0, size);
    return doubtful.length > 0 ? { ids: doubtful, isSecond: true } : null;
  }

  /** What is in flight may come back to be asked for again. */
  get #isOver(): boolean {
    return this.#failure !== null || this.#isClosed && this.#inFlight === 0;
  }

  #fetch(asked: readonly Hidden[]): Promise<Page> {
    const { fetch, filter, window } = this.#parts;
    const limit = asked.length;
    const ids = asked.map(({ id }) => id);
    const query = {
      filter: { ids, limit },
      match: { ...filter, ids },
      window,
      limit,
      evidenceOnly: false,
    };
    return fetch(query, ({ id, created_at: createdAt }) => {
      this.#obtained.set(id, createdAt);
    });
  }

  #settle(batch: Batch, page: Page): void {
    if (page.newer + page.older > 0) {
      this.#giveUp("out-of-window");
      return;
    }
    const missing = batch.ids.filter(({ id }) => !this.#obtained.has(id));
    if (missing.length < batch.ids.length) this.#failures = 0;
    switch (page.end.type) {
      case "aborted":
        this.#giveUp("aborted");
        return;
      case "failed":
        this.#takeFailure(batch, missing, page.end.reason);
        return;
      case "eose":
      case "cut":
        this.#takeMissing(batch, missing);
    }
  }

  /** Some relays refuse a page for one event in it; all bear smaller ones better. */
  #takeFailure(
    batch: Batch,
    missing: readonly Hidden[],
    reason: FailureReason,
  ): void {
    const asked = batch.ids.length;
    this.#failures += 1;
    if (this.#failures > MAX_FAILURES) {
      this.#giveUp(reason);
    } else if (asked === 1 && !MAY_PASS.has(reason)) {
      this.#hidden.push(...missing);
    } else {
      if (reason !== "rate-limited") this.#shrinkTo(asked >> 1);
      (batch.isSecond ? this.#doubtful : this.#waiting).push(...missing);
    }
  }

  /** A page that is visibly smaller than what the relay can give at once lacks what it does not want to give. */
  #takeMissing(batch: Batch, missing: readonly Hidden[]): void {
    const asked = batch.ids.length;
    const given = asked - missing.length;
    const isConclusive = given < this.#largest || asked <= SMALL_PAGE;
    this.#largest = Math.max(this.#largest, given);
    if (missing.length === 0) return;
    if (isConclusive) {
      (batch.isSecond ? this.#hidden : this.#doubtful).push(...missing);
      if (this.#largest === 0) this.#growAgain();
    } else {
      this.#shrinkTo(Math.max(SMALL_PAGE, given > 0 ? given : asked >> 1));
      (batch.isSecond ? this.#doubtful : this.#waiting).push(...missing);
    }
  }

  /** Of so few it gave none: that is not for the size of the page. */
  #growAgain(): void {
    this.#largest = 1;
    this.#pageSize = this.#parts.pageSize;
  }

  #shrinkTo(size: number): void {
    this.#pageSize = Math.max(1, Math.min(this.#pageSize, size));
  }

  #giveUp(reason: FetchFailure): void {
    this.#failure ??= reason;
    this.#failed.abort();
    this.#notify();
  }

  #notify(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
