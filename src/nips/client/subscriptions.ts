/**
 * The subscriptions of one connection, by their ids: those that are open, and for a while those that EOSE has ended.
 *
 * @module
 */
import { payloadBytes } from "./message_bounds.ts";
import type { ClientStats } from "./relay_client.ts";
import type { RelayMessage } from "./relay_message.ts";
import type { ReqOutcome } from "./req_outcome.ts";
import type { Subscription } from "./subscription.ts";
import { headOfValue, mayBeEvent, Unread } from "./unread.ts";

/** Subscriptions that are known after their EOSE, and what of each is handed on that comes after it. */
const MAX_ENDED = 64;
const MAX_LATE_EVENTS = 200;

/** A payload that takes so many times the memory of its text is next to nothing but brackets. */
const HEAVY = 8;

/** What subscriptions need of their connection. */
export interface SubscriptionsLine {
  readonly stats: ClientStats;
  /** About so many bytes of memory are held for a subscription until it is taken. */
  readonly held: (bytes: number) => void;
  /** Whether the id was given to anything on this connection. */
  readonly isOurs: (subId: string) => boolean;
}

/** A subscription that EOSE has ended. */
interface Ended {
  readonly onLate: (payload: unknown) => void;
  left: number;
}

export class Subscriptions {
  readonly #line: SubscriptionsLine;
  readonly #open = new Map<string, Subscription>();
  readonly #ended = new Map<string, Ended>();

  constructor(line: SubscriptionsLine) {
    this.#line = line;
  }

  get size(): number {
    return this.#open.size;
  }

  get(subId: string): Subscription | undefined {
    return this.#open.get(subId);
  }

  add(subId: string, subscription: Subscription): void {
    this.#open.set(subId, subscription);
  }

  /** The subscription has ended. When that was by an EOSE which counts, `onLate` hears of what comes after it. */
  end(
    subId: string,
    outcome: ReqOutcome,
    onLate: ((payload: unknown) => void) | undefined,
  ): void {
    this.#open.delete(subId);
    const isBelieved = outcome.type === "eose" && !outcome.isOutdated;
    if (!isBelieved || onLate === undefined) return;
    this.#ended.set(subId, { onLate, left: MAX_LATE_EVENTS });
    if (this.#ended.size <= MAX_ENDED) return;
    for (const oldest of this.#ended.keys()) {
      this.#ended.delete(oldest);
      break;
    }
  }

  /** An EVENT came; `characters` is the length of the message. */
  take(
    { subId, event }: Extract<RelayMessage, { type: "EVENT" }>,
    characters: number,
  ): void {
    const { stats, held, isOurs } = this.#line;
    const open = this.#open.get(subId);
    if (open !== undefined) {
      stats.events += 1;
      const bytes = payloadBytes(event, characters);
      if (bytes > HEAVY * characters) stats.heavyBytes += characters;
      held(open.push(event, characters, bytes));
    } else if (isOurs(subId) || !mayBeEvent(event)) {
      stats.late += 1;
      this.#late(subId, event);
    } else {
      const head = headOfValue(event);
      const stray = { type: "unread", cause: "misaddressed" } as const;
      this.takeUnread({ ...stray, subId, head }, characters);
    }
  }

  /** Something came that may have been an EVENT: for the subscription it names, or else for all that are open. */
  takeUnread(
    { subId, cause, head }: Extract<RelayMessage, { type: "unread" }>,
    characters: number,
  ): void {
    const { stats, held, isOurs } = this.#line;
    stats.unread += 1;
    if (cause === "garbled") stats.garbage += 1;
    else if (cause === "misaddressed") stats.late += 1;
    // Some relays write ids their own way.
    const named = subId === null || isOurs(subId) ? subId : subId.toLowerCase();
    const open = named === null ? undefined : this.#open.get(named);
    if (open !== undefined) held(open.pushUnread(cause, head, characters));
    else if (named !== null && isOurs(named)) {
      if (cause === "too-large") stats.late += 1;
      this.#late(named, new Unread(cause, head, true));
    } else {
      for (const each of this.all()) {
        held(each.pushUnread(cause, head, characters));
      }
    }
  }

  /** Whether an event for it is of use to anybody, be it as one that came late or for whoever it is. */
  awaits(subId: string): boolean {
    return this.#open.has(subId) || (this.#ended.get(subId)?.left ?? 0) > 0 ||
      !this.#line.isOurs(subId);
  }

  /** Those that are open, as a list of its own: some may end while it is gone through. */
  all(): Subscription[] {
    return [...this.#open.values()];
  }

  #late(subId: string, payload: unknown): void {
    const ended = this.#ended.get(subId);
    if (ended === undefined || ended.left === 0) return;
    ended.left -= 1;
    ended.onLate(payload);
  }
}
