/**
 * The audit: a few cheap questions in time that is claimed, each of which the relay can only answer as it did before if
 * what it gave was all. Where two events are known with nothing between them, a question from one to the other has to
 * show both and nothing else.
 *
 * Asked over another connection than the claims were made on, as a relay may have several stores behind one name.
 *
 * @module
 */
import type { Window } from "../../models/window.ts";
import type {
  AuditReport,
  Contradiction,
  ContradictionKind,
} from "../protocol/evidence.ts";
import type { Page, Query } from "../walk/page.ts";
import { Judgement, type Missing } from "./judgement.ts";
import { Moments } from "./moments.ts";
import {
  type AuditQuestion,
  type Key,
  QuestionPlanner,
  toKeys,
} from "./question.ts";
import { type Shape, SHAPES, UNORDERED_SHAPES } from "./shape.ts";
import type { AuditDeps, AuditSubject } from "./subject.ts";

/** So many questions are asked over two connections. */
const FEWEST_FOR_TWO = 6;

/** Connections more over which known events are asked for that were not given: there may be as many stores, and one. */
const MORE_CONNECTIONS = 2;

/** Known events on either side of the moment that is asked about, where one question is asked and where many are. */
const NEIGHBOURS = 10;
const MANY_NEIGHBOURS = 20;

/** Asks up to so many questions. Never rejects for anything the relay does. */
export async function audit(
  subject: AuditSubject,
  questions: number,
  deps: AuditDeps,
): Promise<AuditReport> {
  const run = new Audit(subject, deps, {
    neighbours: questions < FEWEST_FOR_TWO ? NEIGHBOURS : MANY_NEIGHBOURS,
  });
  const shapes = deps.profile.order === "unsorted" ? UNORDERED_SHAPES : SHAPES;
  // A few questions without a silence to begin with begin anywhere, or they would always be of the same shape.
  const isAnywhere = questions < shapes.length &&
    subject.rhythm.silences.length === 0;
  const first = isAnywhere ? Math.floor(deps.random() * shapes.length) : 0;
  const half = questions >> 1;
  for (let n = 0; n < questions + run.more && !deps.signal.aborted; n++) {
    // Some relays are wrong on young connections only, some have several stores behind one name.
    if (n === half && questions >= FEWEST_FOR_TWO) {
      await deps.renew();
      await run.askForGone();
    }
    await run.ask(shapes[(first + n) % shapes.length]!);
    if (run.isDecided) break;
  }
  if (questions < FEWEST_FOR_TWO) return run.report;
  for (let n = 0; n < MORE_CONNECTIONS && run.mayBeApart; n++) {
    await deps.renew();
    await run.askForGone();
  }
  return run.report;
}

/** With news in so many answers it is known enough: what is claimed is out of date. */
const MAX_NEWS = 2;

/** Questions more that one answer with news is worth. */
const MORE_QUESTIONS = 6;

/** Questions about nothing: a relay that is empty is not asked for long. */
const MAX_EMPTY_HANDED = 4;

/** Tries to find a question that was not asked yet. */
const MAX_TRIES = 4;

/** So many events that a page lacked did not all come after it. */
const FEWEST_OMITTED = 2;

/** Events kept, and asked for, that were known and are given no more. */
const MAX_GONE = 50;

/** Event ids that a contradiction names at most. */
const MAX_NAMED_IDS = 10;

class Audit {
  readonly #subject: AuditSubject;
  readonly #deps: AuditDeps;
  readonly #neighbours: number;
  readonly #moments: Moments;
  readonly #planner: QuestionPlanner;
  readonly #judgement: Judgement;
  readonly #contradictions: Contradiction[] = [];
  readonly #news: Contradiction[] = [];
  /** Known events that the connection at hand does not give, by their ids. */
  readonly #gone = new Map<string, Key>();
  /** Questions about time in which nothing at all is known. */
  #emptyHanded = 0;
  #asked = 0;
  #confirmed = 0;
  #unanswered = 0;

  constructor(
    subject: AuditSubject,
    deps: AuditDeps,
    { neighbours }: { readonly neighbours: number },
  ) {
    this.#subject = subject;
    this.#deps = deps;
    this.#neighbours = neighbours;
    this.#moments = new Moments(subject, deps.random);
    this.#planner = new QuestionPlanner(subject, deps, { neighbours });
    this.#judgement = new Judgement(subject, {
      profile: deps.profile,
      archived: (events) => deps.archived(events),
      ask: (query) => this.#fetch(query),
    });
  }

  /** Questions more than were planned, to see whether something is a coincidence. */
  get more(): number {
    return this.#news.length * MORE_QUESTIONS;
  }

  /** Whether the relay was shown to be wrong, or to hold nothing: more questions would change nothing. */
  get isDecided(): boolean {
    return this.#contradictions.length > 0 || this.#news.length >= MAX_NEWS ||
      this.#emptyHanded >= MAX_EMPTY_HANDED;
  }

  get report(): AuditReport {
    return {
      asked: this.#asked,
      confirmed: this.#confirmed,
      unanswered: this.#unanswered,
      contradictions: this.#contradictions,
      late: this.#news,
    };
  }

  /** Whether known events were not given, so many that they may lie in another store, and nothing else is shown yet. */
  get mayBeApart(): boolean {
    return this.#contradictions.length === 0 && !this.#deps.signal.aborted &&
      this.#gone.size >= FEWEST_OMITTED;
  }

  /**
   * Asks a new connection for the known events that the one before did not give. What a relay has deleted nobody gets;
   * what one connection gets and the other does not lies in one of several stores, each of which lacks something.
   */
  async askForGone(): Promise<void> {
    if (!this.mayBeApart) return;
    const given = await this.#judgement.stillGiven([...this.#gone.values()]);
    if (given.length < FEWEST_OMITTED) return;
    const times = given.map(({ createdAt }) => createdAt);
    const interior = { since: Math.min(...times), until: Math.max(...times) };
    const question = { shape: "ids", interior } as const;
    const found = { kind: "omitted", keys: given } as const;
    this.#contradictions.push(contradiction(this.#subject, question, found));
  }

  /** Asks one question of a shape, and judges the answer. */
  async ask(shape: Shape): Promise<void> {
    const question = await this.#plan(shape);
    if (question === null) return;
    if (question.known.size === 0) this.#emptyHanded += 1;
    const page = await this.#fetch(question.query);
    if (page === null) {
      // That a relay wants kinds to be named says nothing of those that were.
      const isWidened = question.query.match !== undefined;
      if (isWidened) this.#deps.profile.broadFilters = "refused";
      else this.#unanswered += 1;
      return;
    }
    await this.#judge(question, page);
  }

  /** A question that was not asked yet; null where none comes to mind. */
  async #plan(shape: Shape): Promise<AuditQuestion | null> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const moment = this.#moments.draw(shape);
      if (moment === null) return null;
      const { at, silence } = moment;
      const keys = await this.#near(at);
      if (keys === null) continue;
      if (silence !== null && await this.#wasNone(silence, keys)) return null;
      const question = this.#planner.plan(shape, at, keys);
      if (question !== null) return question;
    }
    return null;
  }

  /** The known events next to a moment; null when the archive cannot tell. */
  async #near(at: number): Promise<readonly Key[] | null> {
    const { filter, filterHash } = this.#subject;
    const keys = await this.#deps.near({
      filter,
      filterHash,
      at,
      below: this.#neighbours,
      above: this.#neighbours,
    });
    return keys === null ? null : toKeys(keys);
  }

  /**
   * Whether events that are known lie in a silence, and the relay has them: the page lacked them, or they came to the
   * relay while it was walked.
   */
  async #wasNone(
    { since, until }: Window,
    keys: readonly Key[],
  ): Promise<boolean> {
    const inside = keys.filter(({ createdAt, isStable }) =>
      isStable && createdAt > since && createdAt < until
    );
    // What the questions before this one brought may be news.
    if (inside.length === 0 || this.#asked > 0) return false;
    const given = await this.#judgement.stillGiven(inside);
    // Fewer may have come to the relay after the page.
    if (given.length < FEWEST_OMITTED) return false;
    const question = { shape: "silence", interior: { since, until } } as const;
    const found = { kind: "omitted", keys: given } as const;
    const isNews = await this.#judgement.isNews(given);
    (isNews ? this.#news : this.#contradictions)
      .push(contradiction(this.#subject, question, found));
    return true;
  }

  /** The answer, which is counted; null where there is none. */
  async #fetch(query: Query): Promise<Page | null> {
    this.#asked += 1;
    const page = await this.#deps.fetch(query);
    return page.end.type === "eose" ? page : null;
  }

  /** Counts what an answer shows, for the relay or against it. */
  async #judge(question: AuditQuestion, page: Page): Promise<void> {
    const unseen = await this.#judgement.unseen(question, page);
    const missing = await this.#judgement.missing(question, page);
    const { given } = missing;
    for (const key of missing.gone) {
      if (this.#gone.size < MAX_GONE) this.#gone.set(key.id, key);
    }
    // That `until` is in the future is a reason to give nothing, too.
    const isSilent = given.length > 0 ||
      page.events.length === 0 && question.known.size > 0;
    if (question.shape === "future" && isSilent) {
      this.#unanswered += 1;
      return;
    }
    if (unseen.length > 0) {
      const isNews = await this.#judgement.isNews(unseen);
      const found = { kind: "hidden", keys: unseen } as const;
      (isNews && !missing.isMost ? this.#news : this.#contradictions)
        .push(contradiction(this.#subject, question, found));
    }
    if (given.length > 0) await this.#judgeMissing(question, page, missing);
    const isConfirmed = unseen.length === 0 && given.length === 0 &&
      !missing.isAll;
    if (isConfirmed) this.#confirmed += 1;
  }

  async #judgeMissing(
    question: AuditQuestion,
    page: Page,
    { given }: Missing,
  ): Promise<void> {
    const omission = await this.#judgement.omission(question, page, given);
    if (omission === "unanswered") {
      this.#unanswered += 1;
      return;
    }
    const found = { kind: "omitted", keys: given } as const;
    (omission === "late" ? this.#news : this.#contradictions)
      .push(contradiction(this.#subject, question, found));
  }
}

function contradiction(
  { filterHash }: AuditSubject,
  { shape, interior }: {
    readonly shape: Shape | "ids";
    readonly interior: Window;
  },
  { kind, keys }: {
    readonly kind: ContradictionKind;
    readonly keys: readonly { readonly id: string }[];
  },
): Contradiction {
  return {
    filterHash,
    since: interior.since,
    until: interior.until,
    kind,
    question: shape,
    eventIds: keys.slice(0, MAX_NAMED_IDS).map(({ id }) => id),
  };
}
