/**
 * What is learned of a relay: its order, how much it gives at once, which filters it answers, and how it misleads.
 * Shared by all walks of one session; what is worth it is remembered for the next.
 *
 * @module
 */
import type { Filter } from "../../models/filter.ts";
import type { ContradictionKind } from "../protocol/evidence.ts";
import type { RelayOrder, RelayTraits } from "../protocol/report.ts";
import { isRestrictedKind, POPULAR_KINDS } from "./kinds.ts";
import type { Page } from "./page.ts";

/** Kinds named at most in one filter: relays refuse long lists. */
const MAX_KINDS_ASKED = 20;

/** Kinds remembered at most; a relay can invent 65,536. */
const MAX_KINDS_REMEMBERED = 500;

/** A relay that gave as many events as this at once is not expected to give fewer some day. */
const SMALLEST_CREDIBLE_CAP = 10;

export class RelayProfile {
  /** Whether its page sizes were probed with the widest filter there is. */
  probed = false;
  /** How often its order was looked at in this session. */
  orderLooks = 0;
  /** Whether something was claimed because pages come newest first. */
  hasPaged = false;
  /** Whether a page with room for more was not the last. */
  hasHidden = false;
  /** Whether it answers filters that name no kinds. */
  broadFilters: "answered" | "refused" | "unknown" = "unknown";
  /** Whether it answers all filters of a REQ, or only the first. */
  manyFilters: RelayTraits["manyFilters"];
  /** How long to wait for events after EOSE, ms; 0 where none come. */
  lingerMs: number;
  #untilOffset: number;
  #isOffsetRefuted = false;
  #order: RelayOrder;
  #likelyOrder: RelayOrder = "unknown";
  #largestPage = 0;
  #mostDistinct = 0;
  #smallestCut = Infinity;
  #caught: RelayTraits["caught"];
  readonly #kinds = new Map<number, number>();
  readonly #remembered: RelayTraits;

  constructor(remembered: RelayTraits) {
    this.#remembered = remembered;
    this.#order = remembered.order;
    this.#untilOffset = remembered.untilOffset;
    this.manyFilters = remembered.manyFilters;
    this.lingerMs = remembered.lingerMs;
    this.#caught = remembered.caught;
  }

  /** Its answers were shown to be wrong in these ways. It is walked with more care, and after that not believed. */
  caught(kinds: readonly ContradictionKind[], now: number): void {
    this.#caught = { times: this.#caught.times + 1, at: now };
    if (kinds.some((kind) => kind === "hidden" || kind === "omitted")) {
      this.#order = "unsorted";
    }
  }

  /** What later sessions should know. */
  get traits(): RelayTraits {
    return {
      ...this.#remembered,
      order: this.#order === "unknown" ? this.#likelyOrder : this.#order,
      largestPage: this.mostAtOnce,
      untilOffset: this.#untilOffset,
      manyFilters: this.manyFilters,
      lingerMs: this.lingerMs,
      caught: this.#caught,
    };
  }

  /** Whether it keeps the order of NIP-01, as far as is known. */
  get order(): RelayOrder {
    return this.#order;
  }

  /** Takes what a look at the order has shown; what only a few events showed is looked at again. */
  judgeOrder(order: "newest-first" | "unsorted", isTelling: boolean): void {
    this.#likelyOrder = order;
    if (isTelling || order === "unsorted") this.#order = order;
  }

  /** Seconds to be added to `until` so that the second meant is included; 0 as NIP-01 has it. */
  get untilOffset(): number {
    return this.#untilOffset;
  }

  /** Whether it was seen to take `until` for something else, whether or not an offset makes up for it. */
  get shiftsUntil(): boolean {
    return this.#untilOffset > 0 || this.#isOffsetRefuted;
  }

  /** What was meant came when so much was added. */
  learnOffset(offset: number): void {
    if (this.#isOffsetRefuted) return;
    this.#untilOffset = Math.max(this.#untilOffset, offset);
  }

  /** Whether a page shows events above the second meant, so that nothing must be added any more. */
  refutesOffset({ newer }: Page): boolean {
    if (this.#untilOffset === 0 || newer === 0) return false;
    this.#untilOffset = 0;
    this.#isOffsetRefuted = true;
    return true;
  }

  /** Most events it gave at once in this session. */
  get largestPage(): number {
    return this.#largestPage;
  }

  /** Most events it gave at once, in earlier sessions or this one. */
  get mostAtOnce(): number {
    return Math.max(this.#largestPage, this.#remembered.largestPage);
  }

  /**
   * A page ended as it should; one that several filters asked for says nothing of how much comes at once. Nor do a few
   * events that were not asked for: some relays add one to whatever they give.
   */
  learn(page: Page, { isPlain }: { readonly isPlain: boolean }): void {
    if (isPlain) {
      const others = page.newer + page.older;
      const size = others * 2 < page.size ? page.size - others : page.size;
      this.#largestPage = Math.max(this.#largestPage, size);
      this.#mostDistinct = Math.max(this.#mostDistinct, distinctOf(page));
    }
    for (const { kind } of page.events) this.#rememberKind(kind);
  }

  /** More events turned out to lie where a page of so many ended: it had been cut off there. */
  learnCut(size: number): void {
    if (size > 0) this.#smallestCut = Math.min(this.#smallestCut, size);
  }

  /**
   * Whether a page of one second is visibly smaller than what the relay gives at once, so that nothing of that second
   * can have been cut off. What earlier sessions have seen counts for tiny pages only: relays change.
   */
  isShort(page: Page): boolean {
    const room = Math.min(this.#largestPage, this.#smallestCut, page.limit);
    if (page.size < room && !this.#isFullOfRepeats(page)) return true;
    return page.size < Math.min(SMALLEST_CREDIBLE_CAP, page.limit) &&
      this.#smallestCut === Infinity &&
      this.#remembered.largestPage >= SMALLEST_CREDIBLE_CAP;
  }

  /** Whether a page seems to have had room for more, also by what earlier sessions have seen. It is worth a question. */
  mayBeLast(page: Page): boolean {
    if (
      this.#order !== "newest-first" && this.#likelyOrder !== "newest-first"
    ) {
      return false;
    }
    const room = Math.min(this.mostAtOnce, page.limit);
    return this.hasHidden ? page.size * 2 <= room : page.size < room;
  }

  /** Whether a page is so far from full that it holds all there is, even if its order tells nothing. */
  isFarFromFull(page: Page): boolean {
    const room = Math.min(this.#largestPage, this.#smallestCut, page.limit);
    // Some relays have one limit for all filters of a REQ.
    return (page.size + page.extra.length) * 2 <= room;
  }

  /** Whether nothing came of what was asked for, and witnesses asked for beside it left room for more. */
  isEmpty({ size, extra }: Page): boolean {
    return size === 0 &&
      (extra.length === 0 || extra.length * 2 <= this.mostAtOnce);
  }

  /** The kinds most likely to be here that no relay holds back, few enough for one filter. */
  likelyKinds(): number[] {
    const seen = [...this.#kinds].filter(([kind]) => !isRestrictedKind(kind))
      .sort(([, a], [, b]) => b - a).map(([kind]) => kind);
    return [...new Set([...seen.slice(0, 12), ...POPULAR_KINDS])]
      .slice(0, MAX_KINDS_ASKED);
  }

  /** Kinds that most relays have and that were not seen of this one, few enough for one filter. */
  unseenKinds(): number[] {
    const seen = this.#kinds;
    return POPULAR_KINDS.filter((kind) => !seen.has(kind));
  }

  /** The same filter without the kinds that relays hold back; null where that is no other question. */
  withoutRestricted(filter: Filter): Filter | null {
    const kinds = filter.kinds?.filter((kind) => !isRestrictedKind(kind)) ??
      this.likelyKinds();
    return kinds.length > 0 && kinds.length !== filter.kinds?.length
      ? { ...filter, kinds }
      : null;
  }

  /** Whether a page is smaller than others only because it repeats fewer of its events. */
  #isFullOfRepeats(page: Page): boolean {
    const distinct = distinctOf(page);
    return distinct > 0 && page.size > distinct &&
      distinct >= this.#mostDistinct;
  }

  #rememberKind(kind: number): void {
    const count = this.#kinds.get(kind);
    if (count === undefined && this.#kinds.size >= MAX_KINDS_REMEMBERED) return;
    this.#kinds.set(kind, (count ?? 0) + 1);
  }
}

function distinctOf({ events, newer, older }: Page): number {
  return events.length + newer + older;
}
