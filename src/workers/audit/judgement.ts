/**
 * What the answer to a question of an audit shows: events that nobody knew, known events that it lacks, and whether
 * either means that the relay was wrong. A second question decides that, as events come to a relay at any time.
 *
 * @module
 */
import { OPEN_END } from "../../models/window.ts";
import { boundsOf } from "../walk/ask.ts";
import {
  hintOf,
  oldestOf,
  type Page,
  type PageEvent,
  type Query,
} from "../walk/page.ts";
import { comesBelow, lackingOf } from "./below.ts";
import type { AuditQuestion, Key } from "./question.ts";
import type { AuditDeps, AuditSubject } from "./subject.ts";

/** What a judgement works with. */
export interface JudgementDeps extends Pick<AuditDeps, "profile" | "archived"> {
  /** The answer of the relay; null where there is none. */
  readonly ask: (query: Query) => Promise<Page | null>;
}

/** Known events that an answer had to show and did not. */
export interface Missing {
  /** Those that the relay still gives by their ids. */
  readonly given: readonly PageEvent[];
  /** They, if it gives none of them by their ids over this connection. */
  readonly gone: readonly Key[];
  /** Whether at least half of what had to come above its oldest event is missing. */
  readonly isMost: boolean;
  /** Whether nothing came that could confirm anything. */
  readonly isAll: boolean;
}

/** What a second answer says of events that the first one lacked. */
export type Omission =
  /** They are left out again. */
  | "omitted"
  /** They are there now. */
  | "late"
  /** Nothing: there is no answer, or they lay below what the first one could show. */
  | "unanswered";

/** Judges the answers that one relay gives in an audit. */
export class Judgement {
  readonly #subject: AuditSubject;
  readonly #deps: JudgementDeps;

  constructor(subject: AuditSubject, deps: JudgementDeps) {
    this.#subject = subject;
    this.#deps = deps;
  }

  /** Settled events of claimed time that were not known, and whose signatures hold. */
  async unseen(
    { interior, known }: AuditQuestion,
    page: Page,
  ): Promise<readonly PageEvent[]> {
    const { settledBefore, claimed } = this.#subject;
    const unseen = page.accepted.filter(({ id, createdAt }) =>
      createdAt >= interior.since && createdAt <= interior.until &&
      createdAt < settledBefore && !known.has(id) &&
      claimed.some(({ since, until }) =>
        createdAt >= since && createdAt <= until
      )
    );
    return unseen.length === 0 ? [] : await this.#deps.archived(unseen);
  }

  /**
   * Whether events that nobody knew have come to the relay since the walk, or were there all along. A question as the
   * walk asked it shows which: it brings them now if they are news.
   */
  async isNews(unseen: readonly PageEvent[]): Promise<boolean> {
    const { filter, limit } = this.#subject;
    const newest = Math.max(...unseen.map(({ createdAt }) => createdAt));
    const window = { since: 0, until: newest };
    const page = await this.#deps.ask({
      filter: { ...filter, ...boundsOf(this.#deps, window), limit },
      window,
      limit,
      evidenceOnly: false,
    });
    const came = new Set(page?.events.map(({ id }) => id));
    // From the last second of a page that was cut off nothing can be said.
    const bottom = page === null ? OPEN_END : this.#bottomOf(page);
    return unseen.every(({ id, createdAt }) =>
      createdAt <= bottom || came.has(id)
    );
  }

  /** Known events that the answer had to show and did not: those that the relay still gives by their ids. */
  async missing({ expected }: AuditQuestion, page: Page): Promise<Missing> {
    const came = new Set(page.events.map(({ id }) => id));
    // Who says that there is more does not say that this is all.
    const bottom = hintOf(page) === "more"
      ? oldestOf(page.events)
      : this.#bottomOf(page);
    const due = expected.filter(({ createdAt }) => createdAt > bottom);
    const missing = due.filter(({ id }) => !came.has(id));
    if (missing.length === 0) {
      const isAll = due.length === 0 && page.events.length === 0;
      return { given: [], gone: [], isMost: false, isAll };
    }
    const given = await this.stillGiven(missing);
    // What lies below a page may have been cut off by its bytes.
    const oldest = oldestOf(page.events);
    const above = due.filter(({ createdAt }) => createdAt > oldest);
    const missingAbove = above.filter(({ id }) => !came.has(id));
    return {
      given,
      // An answer that gave some of them may have been cut off; a relay that is tired gives nothing of anything.
      gone: given.length === 0 && page.events.length > 0 ? missing : [],
      isMost: missingAbove.length > 0 &&
        missingAbove.length * 2 >= above.length,
      isAll: missing.length === due.length,
    };
  }

  /**
   * An answer that lacked known events is wrong; a second one that does is no accident. But where the rest of a page
   * may have been cut off, by its bytes or by what was dropped from it, the second goes on below what it showed, for
   * as much as there is.
   */
  async omission(
    { query }: AuditQuestion,
    page: Page,
    given: readonly PageEvent[],
  ): Promise<Omission> {
    const oldest = oldestOf(page.events);
    if (given.every(({ createdAt }) => createdAt <= oldest)) {
      const { limit } = this.#subject;
      const isBelow = await comesBelow(
        { query, page, lacking: given },
        { ...this.#deps, limit },
      );
      return isBelow ? "unanswered" : "omitted";
    }
    const again = await this.#deps.ask(query);
    if (again === null) return "unanswered";
    return lackingOf(again, given).length > 0 ? "omitted" : "late";
  }

  /** Those of them that the relay gives when it is asked for their ids. */
  async stillGiven(keys: readonly Key[]): Promise<readonly PageEvent[]> {
    const ids = keys.map(({ id }) => id);
    const page = await this.#deps.ask({
      filter: { ids, limit: ids.length },
      window: { since: 0, until: OPEN_END },
      limit: ids.length,
      evidenceOnly: true,
    });
    return page === null
      ? []
      : page.events.filter(({ id }) => ids.includes(id));
  }

  /** The second above which a page has to be whole; -1 where it was not cut off. */
  #bottomOf(page: Page): number {
    const { profile } = this.#deps;
    const isCut = page.size >= page.limit || page.size >= profile.largestPage;
    if (!isCut) return -1;
    return profile.order === "unsorted" ? OPEN_END : oldestOf(page.events);
  }
}
