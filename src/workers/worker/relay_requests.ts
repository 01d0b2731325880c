/**
 * The line to one relay: connected when needed, again when it broke, asked one page at a time, at the pace it bears.
 *
 * @module
 */
import { fail, ok, type Result } from "../../models/result.ts";
import type { RelayUrl } from "../../models/relay_url.ts";
import { connectRelay } from "../../nips/client/connect_relay.ts";
import type { RelayClient } from "../../nips/client/relay_client.ts";
import { endedBy, type ReqOutcome } from "../../nips/client/req_outcome.ts";
import type { Dialer } from "../../transport/dialer.ts";
import {
  askedWaitSeconds,
  type RelayFailure,
} from "../../transport/failure.ts";
import { pageEnd } from "./page_outcome.ts";
import { PageReader, type PageSink } from "./page_reader.ts";
import { sleep } from "../../base/sleep.ts";
import type { SyncBounds } from "../protocol/job.ts";

import type { Page, PageEnd, Query } from "../walk/page.ts";

export interface RelayRequestsOptions {
  readonly dialer: Dialer;
  readonly relay: RelayUrl;
  readonly bounds: SyncBounds;
  readonly authKey: Uint8Array | null;
  /** What may have been read and not taken, bytes. */
  readonly budget: () => number;
  /** Aborts when no more is to be asked. */
  readonly signal: AbortSignal;
}

/** Where the events of a page go; `room` holds the reader back. */
export interface PageTarget extends PageSink {
  room(): Promise<void>;
}

/** Waits before connecting again, after 1, 2, … attempts that failed in a row; then the line is given up. */
const RECONNECT_AFTER_MS = [500, 3_000, 10_000] as const;

/** A relay that asks to slow down is left alone for so long, doubled each time. */
const FIRST_DELAY_MS = 1_000;
const MAX_DELAY_MS = 60_000;

/** A page that was worth nothing is followed by a pause of so many times what it took, so that others have the thread. */
const PAUSE_PER_WASTE = 9;

/** Who waits for our side for this part of the time would not be faster if it were asked for more. */
const HELD_SHARE = 1 / 2;

/** Larger messages end the connection, so this is larger than any event that is only dropped. */
const MAX_MESSAGE_BYTES = 32 * 1024 * 1024;

export class RelayRequests implements AsyncDisposable {
  readonly #options: RelayRequestsOptions;
  #client: RelayClient | null = null;
  #connecting: Promise<Result<RelayClient, RelayFailure>> | null = null;
  #failedConnects = 0;
  #delayMs = 0;
  /** EVENT messages of any sort. */
  received = 0;
  /** REQs, NEG-OPENs and COUNTs sent. */
  requests = 0;
  /** Why the line is given up. */
  failure: RelayFailure | null = null;
  /** Whether the relay has answered anything so far, be it by a refusal. */
  hasAnswered = false;

  constructor(options: RelayRequestsOptions) {
    this.#options = options;
  }

  /** Connects if it is not connected. */
  connect(): Promise<Result<RelayClient, RelayFailure>> {
    if (this.#client !== null) return Promise.resolve(ok(this.#client));
    if (this.failure !== null) return Promise.resolve(fail(this.failure));
    this.#connecting ??= this.#dial().finally(() => this.#connecting = null);
    return this.#connecting;
  }

  /** Asks one page; what it brings goes to `target` as it comes. Never rejects for anything the relay does. */
  async fetch(query: Query, target: PageTarget): Promise<Page> {
    const reader = new PageReader(query, target);
    const connected = await this.#ready();
    if (!connected.ok) {
      return reader.page(
        connected.failure.code === "aborted"
          ? { type: "aborted" }
          : { type: "failed", reason: "disconnected" },
      );
    }
    const client = connected.value;
    const startedAt = performance.now();
    const end = await this.#read(client, { query, reader, target });
    await this.#adapt(client, end, performance.now() - startedAt);
    return reader.page(end);
  }

  /** Asks something else than a page over the connection. */
  async use<T extends { readonly type: string }>(
    ask: (client: RelayClient) => Promise<T>,
  ): Promise<T | ReturnType<typeof endedBy>> {
    const connected = await this.#ready();
    if (!connected.ok) return endedBy(connected.failure);
    this.requests += 1;
    const outcome = await ask(connected.value);
    if (outcome.type === "disconnected") await this.#drop(connected.value);
    return outcome;
  }

  /** The relay wants to be asked less often. */
  slowDown(): void {
    const doubled = Math.max(FIRST_DELAY_MS, this.#delayMs * 2);
    this.#delayMs = Math.min(MAX_DELAY_MS, doubled);
  }

  /** Nothing more is asked, for this reason; what is under way ends. */
  async giveUp(failure: RelayFailure): Promise<void> {
    this.failure ??= failure;
    if (this.#client !== null) await this.#drop(this.#client);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client?.close();
    this.#client = null;
  }

  /** Waits as long as the relay wants to be left alone, and connects if need be. */
  async #ready(): Promise<Result<RelayClient, RelayFailure>> {
    const { signal } = this.#options;
    const waitMs = this.#failedConnects > 0
      ? RECONNECT_AFTER_MS[this.#failedConnects - 1] ?? 0
      : this.#delayMs;
    await sleep(waitMs * (1 - Math.random() / 4), signal);
    return signal.aborted ? fail({ code: "aborted" }) : await this.connect();
  }

  async #dial(): Promise<Result<RelayClient, RelayFailure>> {
    const { dialer, relay, signal, authKey, bounds, budget } = this.#options;
    const connected = await connectRelay(dialer, relay, {
      signal,
      timeoutMs: bounds.connectTimeoutMs,
      maxEventBytes: bounds.maxEventBytes,
      maxMessageBytes: MAX_MESSAGE_BYTES,
      maxBuffered: budget,
      ...(authKey !== null && { authKey }),
    });
    if (connected.ok) {
      this.#client = connected.value;
      this.#failedConnects = 0;
    } else this.#connectFailed(connected.failure);
    return connected;
  }

  async #read(
    client: RelayClient,
    { query, reader, target }: {
      query: Query;
      reader: PageReader;
      target: PageTarget;
    },
  ): Promise<PageEnd> {
    const { signal, bounds } = this.#options;
    // A little more than asked for is let pass; a relay that ignores limits is stopped there.
    const maxEvents = query.limit + Math.max(64, query.limit >> 3);
    const chunks = client.subscribe(query.filter, {
      signal,
      idleTimeoutMs: bounds.idleTimeoutMs,
      totalTimeoutMs: bounds.requestTimeoutMs,
      maxEvents,
      maxBytes: bounds.maxPageBytes,
      onOversized: (head) => reader.skip(head),
    });
    this.requests += 1;
    const startedAt = performance.now();
    let heldMs = 0;
    let count = 0;
    try {
      for (;;) {
        const chunk: IteratorResult<unknown[], ReqOutcome> = await chunks
          .next();
        if (chunk.done) {
          // Repetitions do not make a page.
          const isFull = count >= maxEvents && reader.size * 2 >= count;
          return pageEnd(chunk.value, isFull);
        }
        count += chunk.value.length;
        this.received += chunk.value.length;
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
    } else if (end.reason === "disconnected") await this.#drop(client);
  }

  /** Another one may have taken its place by now. */
  async #drop(client: RelayClient): Promise<void> {
    if (this.#client === client) this.#client = null;
    await client.close();
  }

  #connectFailed(failure: RelayFailure): void {
    this.#failedConnects += 1;
    const isHopeless = this.#failedConnects > RECONNECT_AFTER_MS.length;
    const isToldOff = askedWaitSeconds(failure) > 0;
    // Without ever having been connected, the next cycle is soon enough.
    if (isHopeless || isToldOff || this.requests === 0) this.failure = failure;
  }
}
