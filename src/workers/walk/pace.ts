/**
 * What is learned of a relay while it is walked: how much it gives at once, how much it can bear, and whether it keeps
 * the order of NIP-01. Shared by all walks of one session.
 *
 * @module
 */
import { isRestrictedKind, POPULAR_KINDS } from "./known_kinds.ts";
import type { FailureReason, Page } from "./page.ts";

/** Kinds named at most in one filter: relays refuse long lists. */
const MAX_KINDS_ASKED = 20;

/** Kinds remembered at most; a relay can invent 65,536. */
const MAX_KINDS_REMEMBERED = 500;

/** No relay is known to give fewer events than this at once, but only silence elsewhere makes us rely on it. */
const SMALLEST_CREDIBLE_CAP = 10;

/** The order of a relay: kept as NIP-01 has it, not kept, or not known yet. */
export type RelayOrder = "newest-first" | "unsorted" | "unknown";

export class Pace {
  /** Whether the page sizes of this relay were probed with the widest filter there is. */
  probed = false;
  order: RelayOrder;
  readonly #kinds = new Map<number, number>();
  #limit: number;
  #ceiling: number;
  #successes = 0;
  #largestPage = 0;
  #oldestSeen = Infinity;
  #newestSeen = -Infinity;

  /** `maxLimit` is asked for first; `order` is what earlier sessions have found. */
  constructor(maxLimit: number, order: RelayOrder) {
    this.#limit = maxLimit;
    this.#ceiling = maxLimit;
    this.order = order;
  }

  /** Events to ask for now. */
  get limit(): number {
    return this.#limit;
  }

  /** Most events it gave at once. */
  get largestPage(): number {
    return this.#largestPage;
  }

  /** Whether it is asked for less than it may be able to give. */
  get isReduced(): boolean {
    return this.#limit < this.#ceiling;
  }

  raise(): void {
    this.#limit = this.#ceiling;
  }

  /** A page ended as it should. */
  succeeded(page: Page): void {
    this.#largestPage = Math.max(this.#largestPage, page.size);
    for (const { createdAt, kind } of page.events) {
      if (createdAt < this.#oldestSeen) this.#oldestSeen = createdAt;
      if (createdAt > this.#newestSeen) this.#newestSeen = createdAt;
      this.#rememberKind(kind);
    }
    this.#successes += 1;
    if (this.#successes >= 2 && this.isReduced) {
      this.#limit = Math.min(this.#ceiling, this.#limit * 2);
      this.#successes = 0;
    }
  }

  /** A page failed after `size` events: asks for less next time where that may help. */
  failed(reason: FailureReason, size: number): void {
    this.#successes = 0;
    switch (reason) {
      case "timeout":
      case "disconnected":
      case "over-budget":
        this.#limit = Math.max(1, Math.floor(reducedLimit(this.#limit, size)));
        return;
      case "refused":
        this.#limit = Math.max(1, Math.floor(this.#limit / 2));
        this.#ceiling = this.#limit;
        return;
      case "rate-limited":
      case "auth-required":
      case "restricted":
        return;
    }
  }

  /**
   * Whether a page of one second is visibly smaller than what the relay gives at once, so that nothing of that second
   * can have been cut off. A page never seen surpassed counts only when tiny and all the relay has ever shown.
   */
  isShort(page: Page): boolean {
    if (page.size < Math.min(this.#largestPage, page.limit)) return true;
    return page.size < SMALLEST_CREDIBLE_CAP && page.size < page.limit &&
      this.#oldestSeen === this.#newestSeen;
  }

  /** Whether a page is so far from full that it holds all there is, even if its order tells nothing. */
  isFarFromFull(page: Page): boolean {
    return page.size * 2 <= Math.min(this.#largestPage, page.limit);
  }

  /** The kinds most likely to be here that no relay holds back, few enough for one filter. */
  likelyKinds(): number[] {
    const seen = [...this.#kinds].filter(([kind]) => !isRestrictedKind(kind))
      .sort(([, a], [, b]) => b - a).map(([kind]) => kind);
    return [...new Set([...seen.slice(0, 12), ...POPULAR_KINDS])]
      .slice(0, MAX_KINDS_ASKED);
  }

  #rememberKind(kind: number): void {
    const count = this.#kinds.get(kind);
    if (count === undefined && this.#kinds.size >= MAX_KINDS_REMEMBERED) return;
    this.#kinds.set(kind, (count ?? 0) + 1);
  }
}

/** A relay that broke off after so many events is asked for a little less than that. */
function reducedLimit(limit: number, size: number): number {
  return size > 0 ? Math.min(limit / 2, size * 0.8) : limit / 2;
}
