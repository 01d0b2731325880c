/**
 * One REQ: what came for it and was not taken yet, its budgets, its clocks, and its end.
 *
 * @module
 */
import { IdleTimeout } from "./idle_timeout.ts";
import type { Page, SubscribeOptions } from "./relay_client.ts";
import type { EoseHint, ReqOutcome } from "./req_outcome.ts";
import {
  type EventHead,
  headOfValue,
  Unread,
  type UnreadCause,
} from "./unread.ts";

/** What a subscription needs of its connection. */
export interface SubscriptionLine {
  readonly id: string;
  /** The REQ as sent. */
  readonly request: string;
  /** Called once, at the end; `silently` when the relay knows of it. */
  readonly ended: (outcome: ReqOutcome, silently: boolean) => void;
  /** The relay has said nothing yet for a quarter of what it may be silent, or for two seconds: called again and again. */
  readonly silent: () => void;
  /** So many bytes of memory were taken from the buffer. */
  readonly taken: (bytes: number) => void;
  /** Whether the relay's silence is no fault of its own just now: nobody reads, or it is being told who asks. */
  readonly isWithholding: () => boolean;
}

/** The part of the longest silence after which it is looked into, and the longest time until then, ms. */
const SILENCE_SHARE = 1 / 4;
const MAX_SILENCE_MS = 2_000;

/** The longest that it lingers, however much comes late: so many times `lingerMs`. */
const MAX_LINGERS = 5;

/** What is buffered of a message that was not read, bytes. */
const UNREAD_CHARACTERS = 100;

export class Subscription {
  readonly #options: SubscribeOptions;
  readonly #line: SubscriptionLine;
  #events: unknown[] = [];
  #buffered = 0;
  #wake: (() => void) | undefined;
  #outcome: ReqOutcome | undefined;
  readonly #idleTimeout: IdleTimeout;
  #silence: ReturnType<typeof setInterval> | undefined;
  #isPastEose = false;
  /** Set while it stays open after EOSE for what comes late. */
  #lingering: ReturnType<typeof setTimeout> | undefined;
  #lingersUntil = 0;
  #late = 0;
  #hint: EoseHint | undefined;
  /** When the ping was sent (Unix ms) that was answered behind all that came; behind all that was taken. */
  #signAt: number | null = null;
  #aliveAt: number | null = null;
  #wasRepeated = false;
  #count = 0;
  #bytes = 0;
  #unread = 0;
  #sentAs = 0;

  constructor(options: SubscribeOptions, line: SubscriptionLine) {
    this.#options = options;
    this.#line = line;
    this.#idleTimeout = new IdleTimeout({
      ...options,
      isWithholding: line.isWithholding,
      lost: (detail) => this.end({ type: "timeout", detail }),
    });
    const silentMs = options.idleTimeoutMs * SILENCE_SHARE;
    this.#silence = setInterval(
      () => line.silent(),
      Math.min(MAX_SILENCE_MS, silentMs),
    );
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

  /** Messages that could not be read and may have been events. */
  get unread(): number {
    return this.#unread;
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

  /** The REQ has been sent, maybe once more. `identity` is {@linkcode Authenticator.identity} by now. */
  sent(identity: number): void {
    this.#sentAs = identity;
    this.#idleTimeout.heard();
  }

  /** The identity it was sent with last. */
  get sentAs(): number {
    return this.#sentAs;
  }

  /** An EVENT came. Gives the bytes of memory that are now held for it: none when it was one too many. */
  push(payload: unknown, characters: number, held = characters): number {
    if (this.hasEnded || !this.#spend(characters)) return 0;
    if (this.#lingering !== undefined && mayBeLate(payload)) this.#late += 1;
    this.#events.push(payload);
    this.#buffered += held;
    this.#wake?.();
    return held;
  }

  /** Something came that cannot be read and may have been an EVENT. As {@linkcode push}. */
  pushUnread(cause: UnreadCause, head: EventHead, characters: number): number {
    const unread = new Unread(cause, head, !this.#isPastEose);
    this.#unread += 1;
    return this.push(unread, characters, UNREAD_CHARACTERS);
  }

  /** EOSE came: the end, after it has lingered, unless the subscription is a live one. */
  eose(hint: EoseHint | undefined, isOutdated = false): void {
    const { live, lingerMs = 0 } = this.#options;
    if (this.hasEnded || this.#isPastEose) return;
    this.#isPastEose = true;
    this.#idleTimeout.stop();
    clearInterval(this.#silence);
    if (live !== undefined) return live.onEose(hint);
    this.#hint = hint;
    if (isOutdated) this.end({ type: "eose", isOutdated });
    else if (lingerMs === 0) this.#finish();
    else {
      this.#lingersUntil = performance.now() + MAX_LINGERS * lingerMs;
      this.#linger(lingerMs);
    }
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
    clearInterval(this.#silence);
    clearTimeout(this.#lingering);
    this.#options.signal.removeEventListener("abort", this.#abort);
    this.#line.ended(outcome, silently);
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
        const { bytes, unread } = this;
        return { events, outcome: taken, bytes, unread };
      }
      for (const payload of taken) {
        if (!(payload instanceof Unread)) events.push(payload);
      }
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
    const bytes = this.#buffered;
    this.#buffered = 0;
    if (bytes > 0) this.#line.taken(bytes);
  }

  #linger(lingerMs: number): void {
    const leftMs = this.#lingersUntil - performance.now();
    clearTimeout(this.#lingering);
    this.#lingering = setTimeout(
      () => this.#finish(),
      Math.max(0, Math.min(lingerMs, leftMs)),
    );
  }

  /** Ends by EOSE. What came after it takes the hint back. */
  #finish(): void {
    const hint = this.#hint;
    const late = this.#late;
    this.end({
      type: "eose",
      ...(hint !== undefined && late === 0 && { hint }),
      ...(late > 0 && { late }),
    });
  }

  #spend(characters: number): boolean {
    const { maxEvents, maxBytes, lingerMs = 0 } = this.#options;
    clearInterval(this.#silence);
    if (this.#lingering === undefined) this.#idleTimeout.heard();
    else this.#linger(lingerMs);
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

/** What is younger may have been published since EOSE, seconds. */
const SETTLING_SECONDS = 60;

/** Whether what came after EOSE should have come before it. */
export function mayBeLate(payload: unknown): boolean {
  const head = payload instanceof Unread ? payload.head : headOfValue(payload);
  return (head.createdAt ?? 0) < Date.now() / 1_000 - SETTLING_SECONDS;
}
