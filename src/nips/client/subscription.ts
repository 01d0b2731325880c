/**
 * One REQ: what came for it and was not taken yet, its budgets, its clocks, and its end.
 *
 * @module
 */
import { IdleTimeout } from "./idle_timeout.ts";
import type { Page, RequestOptions, SubscribeOptions } from "./relay_client.ts";
import type { EventHead } from "./relay_message.ts";
import type { EoseHint, ReqOutcome } from "./req_outcome.ts";

/** What a subscription needs of its connection. */
export interface SubscriptionLine {
  readonly id: string;
  /** The REQ as sent. */
  readonly request: string;
  /** Called once, at the end; `silently` when the relay knows of it. */
  readonly ended: (silently: boolean) => void;
  /** Characters were taken from the buffer. */
  readonly taken: (characters: number) => void;
  /** Whether nothing is read from the relay just now, because nobody takes it: silence is then no fault of his. */
  readonly isStalled: () => boolean;
}

export class Subscription {
  readonly #options: SubscribeOptions;
  readonly #line: SubscriptionLine;
  #events: unknown[] = [];
  #buffered = 0;
  #wake: (() => void) | undefined;
  #outcome: ReqOutcome | undefined;
  readonly #idleTimeout: IdleTimeout;
  #isPastEose = false;
  /** When the ping was sent (Unix ms) that was answered behind all that came; behind all that was taken. */
  #signAt: number | null = null;
  #aliveAt: number | null = null;
  #wasRepeated = false;
  #count = 0;
  #bytes = 0;
  #oversized = 0;

  constructor(options: SubscribeOptions, line: SubscriptionLine) {
    this.#options = options;
    this.#line = line;
    this.#idleTimeout = new IdleTimeout({
      ...options,
      isWithholding: line.isStalled,
      lost: (detail) => this.end({ type: "timeout", detail }),
    });
    if (options.signal.aborted) this.end({ type: "aborted" }, true);
    else options.signal.addEventListener("abort", this.#abort, { once: true });
  }

  get request(): string {
    return this.#line.request;
  }

  /** Characters of all EVENT messages that came. */
  get bytes(): number {
    return this.#bytes;
  }

  /** EVENT messages dropped because of their length. */
  get oversized(): number {
    return this.#oversized;
  }

  get isPastEose(): boolean {
    return this.#isPastEose;
  }

  get hasEnded(): boolean {
    return this.#outcome !== undefined;
  }

  /** True once: after a refusal the REQ is sent again a single time. */
  mayRepeat(): boolean {
    if (this.#wasRepeated || this.hasEnded) return false;
    this.#wasRepeated = true;
    return true;
  }

  /** An EVENT came. Gives the characters that are now held for it: none when it was one too many. */
  push(event: unknown, characters: number): number {
    if (this.hasEnded || !this.#spend(characters)) return 0;
    this.#events.push(event);
    this.#buffered += characters;
    this.#wake?.();
    return characters;
  }

  /** An EVENT came that is too long to be looked at. */
  pushOversized(head: EventHead | null, characters: number): void {
    if (this.hasEnded || !this.#spend(characters)) return;
    this.#oversized += 1;
    this.#options.onOversized?.(head);
  }

  /** EOSE came: the end, unless the subscription is a live one. */
  eose(hint: EoseHint | undefined): void {
    const { live } = this.#options;
    if (this.hasEnded || this.#isPastEose) return;
    if (live === undefined) {
      const outcome = { type: "eose" } as const;
      this.end(hint === undefined ? outcome : { ...outcome, hint });
      return;
    }
    this.#isPastEose = true;
    this.#idleTimeout.stop();
    live.onEose(hint);
  }

  /** A ping sent at this moment was answered. Only the stored events end by themselves, so only what is live cares. */
  alive(sentAt: number): void {
    if (!this.#isPastEose || this.hasEnded) return;
    this.#signAt = sentAt;
    this.#wake?.();
  }

  /** The connection reads again after a pause of ours. */
  resumed(): void {
    this.#idleTimeout.heard();
  }

  /** The first end counts. `silently`: the relay knows already, no CLOSE is due. */
  end(outcome: ReqOutcome, silently = false): void {
    if (this.hasEnded) return;
    this.#outcome = outcome;
    this.#idleTimeout.stop();
    this.#options.signal.removeEventListener("abort", this.#abort);
    this.#line.ended(silently);
    this.#wake?.();
  }

  /** What comes, chunk by chunk; whoever leaves early ends it. */
  async *chunks(): AsyncGenerator<unknown[], ReqOutcome, void> {
    try {
      while (true) {
        const taken = await this.take();
        if (!Array.isArray(taken)) return taken;
        const aliveAt = this.#aliveAt;
        if (taken.length > 0) yield taken;
        // Whoever asks for more is done with what came before.
        if (aliveAt !== null) this.#options.live?.onAlive?.(aliveAt);
      }
    } finally {
      this.end({ type: "aborted" });
      this.drop();
    }
  }

  /** All that comes. */
  async page(): Promise<Page> {
    const events: unknown[] = [];
    while (true) {
      const taken = await this.take();
      if (!Array.isArray(taken)) {
        const { bytes, oversized } = this;
        return { events, outcome: taken, bytes, oversized };
      }
      for (const event of taken) events.push(event);
    }
  }

  /** What came since the last call, if only a sign of life; waits when nothing did. The outcome at the end. */
  async take(): Promise<unknown[] | ReqOutcome> {
    while (this.#events.length === 0 && this.#signAt === null) {
      if (this.#outcome !== undefined) return this.#outcome;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    const events = this.#events;
    this.#events = [];
    this.#aliveAt = this.#signAt;
    this.#signAt = null;
    this.#release();
    return events;
  }

  /** Throws away what was not taken. */
  drop(): void {
    this.#events = [];
    this.#release();
  }

  #release(): void {
    const characters = this.#buffered;
    this.#buffered = 0;
    if (characters > 0) this.#line.taken(characters);
  }

  #spend(characters: number): boolean {
    const { maxEvents, maxBytes }: RequestOptions = this.#options;
    this.#idleTimeout.heard();
    this.#count += 1;
    this.#bytes += characters;
    if (this.#count <= maxEvents && this.#bytes <= maxBytes) return true;
    const detail = this.#count > maxEvents
      ? `more than ${maxEvents} events came`
      : `more than ${maxBytes} characters came`;
    this.end({ type: "over-budget", detail });
    return false;
  }

  #abort = (): void => this.end({ type: "aborted" });
}
