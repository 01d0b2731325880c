/**
 * What one relay is asked: one page at a time, over one connection, at the pace it bears.
 *
 * @module
 */
import type { Filter } from "../../models/filter.ts";
import { fail, type Result } from "../../models/result.ts";
import type { RelayClient } from "../../nips/client/relay_client.ts";
import { endedBy, type ReqOutcome } from "../../nips/client/req_outcome.ts";
import type { RelayFailure } from "../../transport/failure.ts";
import { sleep } from "../../base/sleep.ts";
import type { Page, PageEnd, Query } from "../walk/page.ts";
import { LateEvents, type LateSink } from "./late_events.ts";
import { pageEnd } from "./page_outcome.ts";
import { PageReader } from "./page_reader.ts";
import {
  RelayConnector,
  type RelayConnectorOptions,
} from "./relay_connector.ts";

/** Where the events of a page go; `room` holds the reader back. */
export interface PageTarget extends LateSink {
  room(): Promise<void>;
}

/** A relay that asks to slow down is left alone for so long, doubled each time. */
const FIRST_DELAY_MS = 1_000;
const MAX_DELAY_MS = 60_000;

/** A page that was worth nothing is followed by a pause of so many times what it took, so that others have the thread. */
const PAUSE_PER_WASTE = 9;

/** Who waits for our side for this part of the time would not be faster if it were asked for more. */
const HELD_SHARE = 1 / 2;

export class RelayRequests implements AsyncDisposable {
  readonly #options: RelayConnectorOptions;
  readonly #connector: RelayConnector;
  #delayMs = 0;
  /** How long a page stays open after its EOSE for what comes late, ms: with what comes, up to five times as long. */
  lingerMs = 0;
  /** Events that came after the EOSE of their page, and are too old to have been published since. */
  late = 0;
  /** EVENT messages of any sort. */
  received = 0;
  /** REQs, NEG-OPENs and COUNTs sent. */
  requests = 0;
  /** Whether the relay has answered anything so far, be it by a refusal. */
  hasAnswered = false;

  constructor(options: RelayConnectorOptions) {
    this.#options = options;
    this.#connector = new RelayConnector(options);
  }

  /** Why the relay is given up. */
  get failure(): RelayFailure | null {
    return this.#connector.failure;
  }

  /** Connects if it is not connected. */
  connect(): Promise<Result<RelayClient, RelayFailure>> {
    return this.#connector.connect();
  }

  /** Keeps the connection open until it is disposed, also when `renew` has replaced it. */
  hold(client: RelayClient): Disposable {
    return this.#connector.hold(client);
  }

  /**
   * The next request goes over a new connection. The old one finishes what is under way and is closed; at once, before
   * the new one is made, when nothing is. False, and nothing changes, while an older one is still finishing: no more
   * than two are open at once.
   */
  renew(): Promise<boolean> {
    return this.#connector.renew();
  }

  /** Asks one page; what it brings goes to `target` as it comes. Never rejects for anything the relay does. */
  async fetch(query: Query, target: PageTarget): Promise<Page> {
    const first = await this.#fetchOnce(query, target);
    // What the relay gave before it knew who asks may be a part.
    const answer = first.isOutdated
      ? await this.#fetchOnce(query, target)
      : first;
    return answer.page;
  }

  /** Asks something else than a page over the connection. */
  async use<T extends { readonly type: string }>(
    ask: (client: RelayClient) => Promise<T>,
  ): Promise<T | ReturnType<typeof endedBy>> {
    const connected = await this.#ready();
    if (!connected.ok) return endedBy(connected.failure);
    const client = connected.value;
    using _held = this.hold(client);
    this.requests += 1;
    const outcome = await ask(client);
    if (outcome.type === "disconnected") await this.#connector.drop(client);
    return outcome;
  }

  /** The relay wants to be asked less often. */
  slowDown(): void {
    const doubled = Math.max(FIRST_DELAY_MS, this.#delayMs * 2);
    this.#delayMs = Math.min(MAX_DELAY_MS, doubled);
  }

  /** Nothing more is asked, for this reason; what is under way ends. */
  giveUp(failure: RelayFailure): Promise<void> {
    return this.#connector.giveUp(failure);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connector[Symbol.asyncDispose]();
  }

  /** Waits as long as the relay wants to be left alone, and connects if need be. */
  async #ready(): Promise<Result<RelayClient, RelayFailure>> {
    const { signal } = this.#options;
    const waitMs = this.#connector.retryAfterMs || this.#delayMs;
    await sleep(waitMs * (1 - Math.random() / 4), signal);
    return signal.aborted ? fail({ code: "aborted" }) : await this.connect();
  }

  async #fetchOnce(query: Query, target: PageTarget): Promise<Answer> {
    const reader = new PageReader(query, target);
    const connected = await this.#ready();
    if (!connected.ok) {
      const isOurs = connected.failure.code === "aborted";
      const end: PageEnd = isOurs
        ? { type: "aborted" }
        : { type: "failed", reason: "disconnected" };
      return { page: reader.page(end), isOutdated: false };
    }
    const client = connected.value;
    using _held = this.hold(client);
    const startedAt = performance.now();
    const late = new LateEvents(query, target, () => this.late += 1);
    const outcome = await this.#read(client, { query, reader, target, late });
    late.begin(reader.ids);
    if (outcome.type === "eose") this.late += outcome.late ?? 0;
    const end = pageEnd(outcome, reader.isFull);
    await this.#adapt(client, end, performance.now() - startedAt);
    const isOutdated = outcome.type === "eose" && outcome.isOutdated === true;
    return { page: reader.page(end), isOutdated };
  }

  async #read(
    client: RelayClient,
    { query, reader, target, late }: Reading,
  ): Promise<ReqOutcome> {
    const { signal, bounds } = this.#options;
    const chunks = client.subscribe(filtersOf(query), {
      signal,
      idleTimeoutMs: bounds.idleTimeoutMs,
      totalTimeoutMs: bounds.requestTimeoutMs,
      maxEvents: reader.maxEvents,
      maxBytes: bounds.maxPageBytes,
      lingerMs: this.lingerMs,
      onLate: late.take,
    });
    this.requests += 1;
    const startedAt = performance.now();
    let heldMs = 0;
    try {
      for (;;) {
        const chunk: IteratorResult<unknown[], ReqOutcome> = await chunks
          .next();
        if (chunk.done) return chunk.value;
        this.received += chunk.value.length;
        this.#options.onWork?.();
        for (const raw of chunk.value) reader.take(raw);
        const waitsSince = performance.now();
        await target.room();
        heldMs += performance.now() - waitsSince;
      }
    } finally {
      reader.backpressured =
        heldMs > HELD_SHARE * (performance.now() - startedAt);
      await chunks.return({ type: "aborted" });
    }
  }

  async #adapt(
    client: RelayClient,
    end: PageEnd,
    tookMs: number,
  ): Promise<void> {
    const isSilent = end.type === "aborted" || end.type === "failed" &&
        (end.reason === "timeout" || end.reason === "disconnected");
    this.hasAnswered ||= !isSilent;
    if (end.type !== "failed") {
      this.#delayMs = this.#delayMs > FIRST_DELAY_MS ? this.#delayMs / 2 : 0;
    } else if (end.reason === "rate-limited") this.slowDown();
    else if (end.reason === "over-budget") {
      const pauseMs = Math.min(MAX_DELAY_MS, tookMs * PAUSE_PER_WASTE);
      this.#delayMs = Math.max(this.#delayMs, pauseMs);
    } else if (end.reason === "disconnected") {
      await this.#connector.drop(client);
    }
  }
}

/** A page, and whether it is to be asked for again. */
interface Answer {
  readonly page: Page;
  readonly isOutdated: boolean;
}

/** What a page is read with. */
interface Reading {
  readonly query: Query;
  readonly reader: PageReader;
  readonly target: PageTarget;
  readonly late: LateEvents;
}

function filtersOf({ filter, extraFilters = [] }: Query): readonly Filter[] {
  return [filter, ...extraFilters];
}
