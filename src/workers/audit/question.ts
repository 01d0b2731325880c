/**
 * A question of an audit: what the relay is asked about a moment, and what its answer has to show.
 *
 * @module
 */
import type { Filter } from "../../models/filter.ts";
import { intersectWindows, type Window } from "../../models/window.ts";
import type { NearKeys } from "../protocol/messages.ts";
import { boundsOf } from "../walk/ask.ts";
import type { Query } from "../walk/page.ts";
import { DOWNWARDS, NARROWED, type Shape } from "./shape.ts";
import type { AuditDeps, AuditSubject } from "./subject.ts";

/** One question, and what its answer has to show. */
export interface AuditQuestion {
  readonly shape: Shape;
  readonly query: Query;
  /** Has to come. */
  readonly expected: readonly Key[];
  /** Nothing but `known` lies there. */
  readonly interior: Window;
  readonly known: ReadonlySet<string>;
}

/** An event by its key. */
export interface Key {
  readonly id: string;
  readonly createdAt: number;
  /** Whether an honest relay keeps it: others are replaced or dropped by and by. */
  readonly isStable: boolean;
}

/** The keys as they come from the archive, one by one. */
export function toKeys({ ids, createdAt, stable }: NearKeys): Key[] {
  const hex = ids.toHex();
  return Array.from(createdAt, (at, i) => ({
    id: hex.slice(64 * i, 64 * i + 64),
    createdAt: at,
    isStable: stable[i] === 1,
  }));
}

/** How a planner makes its questions. */
export interface PlannerOptions {
  /** Known events that were asked for on either side of a moment. */
  readonly neighbours: number;
}

/** How much time a narrow question is about, one after the other, seconds. */
const WIDTHS = [86_400, 0, 3_600, 60];

/** How far ahead the future is, seconds: three years, as relays look back up to one. */
const AHEAD_SECONDS = 3 * 365 * 86_400;

/** What has to come of the events that are known there: those that are replaced by and by only where there are no others. */
function expectedOf(inside: readonly Key[]): readonly Key[] {
  const stable = inside.filter(({ isStable }) => isStable);
  return stable.length > 0 ? stable : inside;
}

/** Room in an answer for what is not known. */
const ROOM = 20;

/** A moment, the known events on either side of it, and the window in which no others are known. */
interface Surroundings {
  readonly at: number;
  readonly below: readonly Key[];
  readonly above: readonly Key[];
  readonly complete: Window;
}

/** Makes the questions of one audit, each of them once: a question that is repeated shows nothing new. */
export class QuestionPlanner {
  readonly #subject: AuditSubject;
  readonly #deps: Pick<AuditDeps, "profile" | "authors" | "random">;
  readonly #neighbours: number;
  readonly #plannedSoFar = new Set<string>();
  /** Widths that were used. */
  #widths = 0;

  constructor(
    subject: AuditSubject,
    deps: Pick<AuditDeps, "profile" | "authors" | "random">,
    { neighbours }: PlannerOptions,
  ) {
    this.#subject = subject;
    this.#deps = deps;
    this.#neighbours = neighbours;
  }

  /**
   * The question of this shape about a moment, with the events next to it; null where nothing is claimed, and for a
   * question that was planned before.
   */
  plan(shape: Shape, at: number, keys: readonly Key[]): AuditQuestion | null {
    const surroundings = this.#surroundingsOf(at, keys);
    if (surroundings === null) return null;
    const window = this.#windowOf(shape, surroundings);
    const interior = intersectWindows(window, surroundings.complete);
    if (interior === null) return null;
    const inside = keys.filter(({ createdAt }) =>
      createdAt >= window.since && createdAt <= window.until
    );
    const query = this.#query(shape, window, inside.length);
    const text = JSON.stringify(query.filter);
    if (this.#plannedSoFar.has(text)) return null;
    this.#plannedSoFar.add(text);
    return {
      shape,
      query,
      interior,
      known: new Set(keys.map(({ id }) => id)),
      expected: NARROWED.has(shape) ? [] : expectedOf(inside),
    };
  }

  /** What is known around a moment, or that nothing is; null where nothing is claimed. */
  #surroundingsOf(at: number, keys: readonly Key[]): Surroundings | null {
    const claimed = this.#claimedAround(at);
    if (claimed === null) return null;
    const below = keys.filter(({ createdAt }) => createdAt <= at);
    const above = keys.filter(({ createdAt }) => createdAt > at);
    // Where fewer are known than were asked for, nothing is known beyond, as far as the claim reaches.
    const complete = {
      since: below.length < this.#neighbours
        ? claimed.since
        : keys[0]!.createdAt + 1,
      until: above.length < this.#neighbours
        ? Math.max(claimed.until, at)
        : keys.at(-1)!.createdAt - 1,
    };
    return { at, below, above, complete };
  }

  /** The claimed window that holds this moment, or reaches nearest to it from below. */
  #claimedAround(at: number): Window | null {
    const { claimed } = this.#subject;
    return claimed.findLast(({ since }) => since <= at) ?? null;
  }

  #windowOf(
    shape: Shape,
    { at, below, above, complete }: Surroundings,
  ): Window {
    const last = below.at(-1)?.createdAt;
    const next = above[0]?.createdAt;
    switch (shape) {
      case "silence":
        return { since: last ?? complete.since, until: next ?? complete.until };
      case "narrow": {
        const middle = last ?? next ?? at;
        const width = WIDTHS[this.#widths++ % WIDTHS.length]!;
        const since = Math.max(0, middle - (width >> 1));
        return { since, until: middle + (width >> 1) };
      }
      case "deep":
      case "rare-kinds":
        return { since: 0, until: at };
      case "future":
        return { since: 0, until: at + AHEAD_SECONDS };
      case "page":
        return { since: 0, until: last ?? at };
      case "sample":
      case "kinds":
      case "authors":
        return {
          since: below.length < this.#neighbours
            ? complete.since
            : below[0]!.createdAt,
          until: above.length < this.#neighbours
            ? complete.until
            : above.at(-1)!.createdAt,
        };
    }
  }

  #query(shape: Shape, window: Window, known: number): Query {
    const { filter, limit: most } = this.#subject;
    const { profile } = this.#deps;
    const limit = Math.min(most, known + ROOM);
    const asked = DOWNWARDS.has(shape)
      ? { since: 0, until: window.until }
      : window;
    const { kinds: _kinds, ...ofAnyKind } = filter;
    const isWidened = shape === "kinds" && filter.kinds !== undefined &&
      profile.broadFilters !== "refused";
    return {
      filter: {
        ...(isWidened ? ofAnyKind : filter),
        ...this.#narrowing(shape),
        ...boundsOf({ profile }, asked),
        limit,
      },
      ...(isWidened && { match: filter }),
      window,
      limit,
      evidenceOnly: false,
    };
  }

  /** What a question of this shape names that the filter leaves open. */
  #narrowing(shape: Shape): Pick<Filter, "kinds" | "authors"> {
    const { filter } = this.#subject;
    const { profile } = this.#deps;
    if (shape === "authors" && filter.authors === undefined) {
      const authors = this.#deps.authors();
      return authors.length > 0 ? { authors: [...authors] } : {};
    }
    if (filter.kinds !== undefined) {
      // Some relays read the beginning of a list only.
      const { kinds } = filter;
      const kind = kinds[Math.floor(this.#deps.random() * kinds.length)];
      return shape === "rare-kinds" && kind !== undefined
        ? { kinds: [kind] }
        : {};
    }
    if (shape === "kinds") return { kinds: profile.likelyKinds() };
    return shape === "rare-kinds" ? { kinds: profile.unseenKinds() } : {};
  }
}
