/**
 * What is learned of a relay while it is walked: how much it gives at once, how much it can bear, and whether it keeps
 * the order of NIP-01. Shared by all walks of one session.
 *
 * @module
 */
import type {
  FailureReason,
  RelayOrder,
  RelayTraits,
} from "../protocol/report.ts";
import { ConcurrencyControl } from "./concurrency.ts";
import { isRestrictedKind, POPULAR_KINDS } from "./known_kinds.ts";
import type { Page } from "./page.ts";

/** Kinds named at most in one filter: relays refuse long lists. */
const MAX_KINDS_ASKED = 20;

/** Kinds remembered at most; a relay can invent 65,536. */
const MAX_KINDS_REMEMBERED = 500;

/** No relay that gave as many as this once is expected to give fewer at once some day. */
const SMALLEST_CREDIBLE_CAP = 10;

export class Pace {
  /** Whether the page sizes of this relay were probed with the widest filter there is. */
  probed = false;
  order: RelayOrder;
  /** Whether a page with room for more was not the last. */
  hasHidden = false;
  /** Places that were stepped over because the relay fails there. */
  stepsOver = 0;
  /** Whether it answers filters that name no kinds. */
  broadFilters: "borne" | "refused" | "unknown" = "unknown";
  readonly #kinds = new Map<number, number>();
  readonly #maxLimit: number;
  #limit: number;
  #ceiling: number;
  #successes = 0;
  #largestPage = 0;
  #likelyOrder: RelayOrder = "unknown";
  #hasSucceeded = false;
  #lastFailure: FailureReason | null = null;
  readonly #rememberedPage: number;
  readonly #inFlight: ConcurrencyControl;

  /** `maxLimit` is asked for first, at most `maxInFlight` times at once. */
  constructor(maxLimit: number, traits: RelayTraits, maxInFlight: number) {
    this.#inFlight = new ConcurrencyControl(maxInFlight);
    this.#maxLimit = maxLimit;
    this.#limit = maxLimit;
    this.#ceiling = maxLimit;
    this.order = traits.order;
    this.#rememberedPage = traits.largestPage;
  }

  /** What later sessions should know. */
  get traits(): RelayTraits {
    const largestPage = Math.max(this.#largestPage, this.#rememberedPage);
    const order = this.order === "unknown" ? this.#likelyOrder : this.order;
    return { order, largestPage };
  }

  /** Takes what a look at the order has shown; what only a few events showed is left to be looked at again. */
  judgeOrder(
    order: Exclude<RelayOrder, "unknown">,
    isTelling: boolean,
  ): RelayOrder {
    this.#likelyOrder = order;
    if (isTelling || order === "unsorted") this.order = order;
    return this.order;
  }

  /** Whether any page ended as it should. */
  get hasSucceeded(): boolean {
    return this.#hasSucceeded;
  }

  /** Requests that may be under way at once. */
  get inFlight(): number {
    return this.#inFlight.allowed;
  }

  get epoch(): number {
    return this.#inFlight.epoch;
  }

  /** A request went well beside others. */
  bore(request: { backpressured: boolean; epoch: number }): void {
    this.#inFlight.succeeded(request);
  }

  /** A request failed, maybe because others were under way. */
  crowded({ isShared, epoch }: { isShared: boolean; epoch: number }): void {
    if (isShared) this.#inFlight.failed(epoch);
  }

  /** What went wrong last. */
  get lastFailure(): FailureReason | null {
    return this.#lastFailure;
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

  /** It was not the limit that the relay refused, but a filter without kinds. */
  refuseBroad(): void {
    this.broadFilters = "refused";
    this.#ceiling = this.#maxLimit;
    this.#limit = this.#maxLimit;
  }

  /** A page ended as it should. */
  succeeded(page: Page): void {
    this.#largestPage = Math.max(this.#largestPage, page.size);
    this.#hasSucceeded = true;
    for (const { kind } of page.events) this.#rememberKind(kind);
    this.#successes += 1;
    if (this.#successes >= 2 && this.isReduced) {
      this.#limit = Math.min(this.#ceiling, this.#limit * 2);
      this.#successes = 0;
    }
  }

  /** A page failed after `size` events: asks for less next time where that may help. */
  failed(reason: FailureReason, size: number): void {
    this.#successes = 0;
    this.#lastFailure = reason;
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
   * can have been cut off. What earlier sessions have seen counts for tiny pages only: relays change.
   */
  isShort(page: Page): boolean {
    if (page.size < Math.min(this.#largestPage, page.limit)) return true;
    return page.size < Math.min(SMALLEST_CREDIBLE_CAP, page.limit) &&
      this.#rememberedPage >= SMALLEST_CREDIBLE_CAP;
  }

  /** Whether a page seems to have had room for more, also by what earlier sessions have seen. It is worth a question. */
  mayBeLast(page: Page): boolean {
    if (this.order !== "newest-first" && this.#likelyOrder !== "newest-first") {
      return false;
    }
    const largest = Math.max(this.#largestPage, this.#rememberedPage);
    const room = Math.min(largest, page.limit);
    return this.hasHidden ? page.size * 2 <= room : page.size < room;
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
