/**
 * The audit: a few cheap questions in time that is claimed, each of which the relay can only answer as it did before if
 * what it gave was all. Where two events are known with nothing between them, a question from one to the other has to
 * show both and nothing else.
 *
 * Asked over another connection than the claims were made on, as a relay may have several stores behind one name.
 *
 * @module
 */
import type { Filter } from "../../models/filter.ts";
import {
  BEGINNING,
  intersectWindows,
  OPEN_END,
  type Window,
} from "../../models/window.ts";
import type {
  AuditReport,
  Contradiction,
  ContradictionKind,
} from "../protocol/evidence.ts";
import type { NearKeys, NearQuery } from "../protocol/messages.ts";
import { boundsOf } from "../walk/ask.ts";
import {
  hintOf,
  newestOf,
  oldestOf,
  type Page,
  type PageEvent,
  type Query,
} from "../walk/page.ts";
import type { Rhythm } from "../walk/rhythm.ts";
import type { RelayProfile } from "../walk/relay_profile.ts";

/** What the audit of one filter works with. */
export interface AuditDeps {
  /** The sightings of the relay next to a moment, ascending; null when the archive cannot tell. */
  near(query: NearQuery): Promise<NearKeys | null>;
  /** Asks the relay; what comes is archived. */
  fetch(query: Query): Promise<Page>;
  /** Some authors whose events the relay gives. */
  authors(): readonly string[];
  /** Those of these events, which came just now, that are archived: the others are not their authors'. */
  archived(events: readonly PageEvent[]): Promise<readonly PageEvent[]>;
  readonly profile: RelayProfile;
  /** Goes on over a new connection. */
  renew(): Promise<unknown>;
  /** Draws from [0, 1). */
  readonly random: () => number;
  readonly signal: AbortSignal;
}

/** What is to be audited. */
export interface AuditSubject {
  readonly filter: Filter;
  readonly filterHash: string;
  /** What is claimed, ascending. */
  readonly claimed: readonly Window[];
  /** Moments worth a question first. */
  readonly rhythm: Pick<Rhythm, "silences" | "dense" | "moments">;
  /** Unix seconds: what is younger may still be arriving. */
  readonly settledBefore: number;
  /** Events asked for at once at most. */
  readonly limit: number;
}

/** Known events on either side of the moment that is asked about, where one question is asked and where many are. */
const NEIGHBOURS = 10;
const MANY_NEIGHBOURS = 20;

/** Room in an answer for what is not known. */
const ROOM = 20;

/** Shapes of question, in the order in which they are asked. */
const SHAPES = [
  "silence",
  "narrow",
  "kinds",
  "deep",
  "sample",
  "narrow",
  "kinds",
  "page",
  "authors",
  "rare-kinds",
  "narrow",
  "future",
] as const;

/** Those that are bounded from both sides. */
const BOUNDED_SHAPES = [
  "silence",
  "narrow",
  "kinds",
  "sample",
  "authors",
  "future",
] as const;

type Shape =
  /** From one known event to the next. */
  | "silence"
  /** Little time around a known event. */
  | "narrow"
  /** Downwards from anywhere, without `since`. */
  | "deep"
  /** Downwards from a known event, without `since`. */
  | "page"
  /** Over some known events. */
  | "sample"
  /** The same, by the likely kinds. */
  | "kinds"
  /** The same, by some authors. */
  | "authors"
  /** For kinds that were not seen, wherever they are. */
  | "rare-kinds"
  /** Downwards from years ahead: a relay that looks back a while from `until`, and no further, shows nothing. */
  | "future";

/** Shapes that leave out some of the known events. */
const NARROWED: ReadonlySet<Shape> = new Set([
  "kinds",
  "authors",
  "rare-kinds",
]);

/** Shapes without `since`. */
const DOWNWARDS: ReadonlySet<Shape> = new Set([
  "deep",
  "page",
  "rare-kinds",
  "future",
]);

/** How far ahead the future is, seconds: three years, as relays look back up to one. */
const AHEAD_SECONDS = 3 * 365 * 86_400;

/** How much time a narrow question is about, one after the other, seconds. */
const WIDTHS = [3_600, 0, 60, 86_400];

/** An event by its key. */
interface Key {
  readonly id: string;
  readonly createdAt: number;
  /** Whether an honest relay keeps it: others are replaced or dropped by and by. */
  readonly isStable: boolean;
}

/** One question, and what its answer has to show. */
interface AuditQuestion {
  readonly shape: Shape;
  readonly query: Query;
  /** Has to come. */
  readonly expected: readonly Key[];
  /** Nothing but `known` lies there. */
  readonly interior: Window;
  readonly known: ReadonlySet<string>;
}

/** Asks up to so many questions. Never rejects for anything the relay does. */
export async function audit(
  subject: AuditSubject,
  questions: number,
  deps: AuditDeps,
): Promise<AuditReport> {
  const run = new Audit(subject, deps, {
    neighbours: questions < FEWEST_FOR_TWO ? NEIGHBOURS : MANY_NEIGHBOURS,
  });
  // Of a relay without order a page that is cut off says nothing of its top.
  const shapes = deps.profile.order === "unsorted" ? BOUNDED_SHAPES : SHAPES;
  // A few questions without a silence to begin with begin anywhere, or they would always be of the same shape.
  const isAnywhere = questions < shapes.length &&
    subject.rhythm.silences.length === 0;
  const first = isAnywhere ? Math.floor(deps.random() * shapes.length) : 0;
  const half = questions >> 1;
  for (let n = 0; n < questions + run.more && !deps.signal.aborted; n++) {
    // Some relays are wrong on young connections only, some have several stores behind one name.
    if (n === half && questions >= FEWEST_FOR_TWO) await deps.renew();
    await run.ask(shapes[(first + n) % shapes.length]!);
    if (run.isDecided) break;
  }
  return run.report;
}

/** So many questions are asked over two connections. */
const FEWEST_FOR_TWO = 6;

/** With news in so many answers it is known enough: what is claimed is out of date. */
const MAX_NEWS = 2;

/** Tries to find a question that was not asked yet. */
const MAX_TRIES = 4;

/** Questions more that one such answer is worth. */
const MORE_QUESTIONS = 6;

class Audit {
  readonly #subject: AuditSubject;
  readonly #deps: AuditDeps;
  readonly #neighbours: number;
  readonly #contradictions: Contradiction[] = [];
  readonly #news: Contradiction[] = [];
  readonly #askedSoFar = new Set<string>();
  #asked = 0;
  #confirmed = 0;
  #unanswered = 0;
  /** Moments of the rhythm and widths that were used. */
  #silences = 0;
  #dense = 0;
  #widths = 0;

  constructor(
    subject: AuditSubject,
    deps: AuditDeps,
    { neighbours }: { readonly neighbours: number },
  ) {
    this.#subject = subject;
    this.#deps = deps;
    this.#neighbours = neighbours;
  }

  /** Questions more than were planned, to see whether something is a coincidence. */
  get more(): number {
    return this.#news.length * MORE_QUESTIONS;
  }

  /** Whether the relay was shown to be wrong: more questions would change nothing. */
  get isDecided(): boolean {
    return this.#contradictions.length > 0 || this.#news.length >= MAX_NEWS;
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

  /** Asks one question of a shape, and judges the answer. */
  async ask(shape: Shape): Promise<void> {
    const question = await this.#plan(shape);
    if (question === null) return;
    const page = await this.#fetch(question.query);
    if (page === null) {
      this.#unanswered += 1;
      return;
    }
    const unseen = await this.#unseen(question, page);
    const missing = await this.#missing(question, page);
    // That `until` is in the future is a reason to give nothing, too.
    const isSilent = missing.given.length > 0 ||
      page.events.length === 0 && question.known.size > 0;
    if (shape === "future" && isSilent) {
      this.#unanswered += 1;
      return;
    }
    const isOther = unseen.length > 0 && missing.isMost;
    if (unseen.length > 0) await this.#judgeUnseen(question, unseen, isOther);
    if (missing.given.length > 0) {
      await this.#judgeMissing(question, page, missing.given);
    }
    const isConfirmed = unseen.length === 0 && missing.given.length === 0 &&
      !missing.isAll;
    if (isConfirmed) this.#confirmed += 1;
  }

  /** A question that was not asked yet; null where none comes to mind. */
  async #plan(shape: Shape): Promise<AuditQuestion | null> {
    const { filter, filterHash } = this.#subject;
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const silence = this.#silenceFor(shape);
      const at = silence === null ? this.#drawMoment(shape) : middleOf(silence);
      if (at === null) return null;
      const keys = await this.#deps.near({
        filter,
        filterHash,
        at,
        below: this.#neighbours,
        above: this.#neighbours,
      });
      if (keys === null) continue;
      const near = toKeys(keys);
      if (silence !== null && await this.#wasNone(silence, near)) return null;
      const question = this.#toQuestion(shape, near, at);
      if (question === null) continue;
      const text = JSON.stringify(question.query.filter);
      if (this.#askedSoFar.has(text)) continue;
      this.#askedSoFar.add(text);
      return question;
    }
    return null;
  }

  /** One of the longest silences that were seen, for questions that are about them. */
  #silenceFor(shape: Shape): Window | null {
    if (shape !== "silence" && shape !== "deep") return null;
    return this.#subject.rhythm.silences[this.#silences++ >> 1] ?? null;
  }

  /** Whether events that are known lie in a silence: the page lacked them, if the relay still has them. */
  async #wasNone(
    { since, until }: Window,
    keys: readonly Key[],
  ): Promise<boolean> {
    const inside = keys.filter(({ createdAt, isStable }) =>
      isStable && createdAt > since && createdAt < until
    );
    // What the questions before this one brought may be news.
    if (inside.length === 0 || this.#asked > 0) return false;
    const given = await this.#stillGiven(inside);
    // Fewer may have come to the relay after the page.
    if (given.length < FEWEST_OMITTED) return false;
    const question = { shape: "silence", interior: { since, until } } as const;
    const found = { kind: "omitted", keys: given } as const;
    this.#contradictions.push(contradiction(this.#subject, question, found));
    return true;
  }

  /**
   * A moment of claimed time: first those that stood out, then any, so that long silences are found; or one of recent
   * ages, where events lie close.
   */
  #drawMoment(shape: Shape): number | null {
    const { claimed, rhythm } = this.#subject;
    const { random } = this.#deps;
    const top = claimed.at(-1)?.until;
    if (top === undefined) return null;
    if (shape === "future") return top;
    const isSilence = shape === "silence" || shape === "deep";
    const { moments } = rhythm;
    const known = shape === "narrow"
      ? rhythm.dense[this.#dense++]
      : shape === "sample" || shape === "kinds"
      ? moments[Math.floor(random() * moments.length)]
      : undefined;
    if (known !== undefined) return known;
    if (!isSilence && random() < 1 / 2) {
      const age = Math.floor(60 ** (random() * MAX_AGE_EXPONENT));
      return Math.max(0, top - age);
    }
    const spans = claimed.map(({ since, until }) =>
      until - Math.min(until, Math.max(since, BEGINNING))
    );
    let left = random() * spans.reduce((sum, span) => sum + span, 0);
    for (const [i, span] of spans.entries()) {
      if (left <= span) return claimed[i]!.until - Math.floor(left);
      left -= span;
    }
    return top;
  }

  /** The question of this shape about a moment; null where nothing is known next to it. */
  #toQuestion(
    shape: Shape,
    keys: readonly Key[],
    at: number,
  ): AuditQuestion | null {
    const claimed = this.#claimedAround(at);
    if (claimed === null || keys.length === 0) return null;
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
    const window = this.#windowOf(shape, { at, below, above, complete });
    const interior = intersectWindows(window, complete);
    if (interior === null) return null;
    const inside = keys.filter(({ createdAt }) =>
      createdAt >= window.since && createdAt <= window.until
    );
    return {
      shape,
      query: this.#query(shape, window, inside.length),
      interior,
      known: new Set(keys.map(({ id }) => id)),
      expected: NARROWED.has(shape)
        ? []
        : inside.filter(({ isStable }) => isStable),
    };
  }

  #windowOf(
    shape: Shape,
    { at, below, above, complete }: {
      readonly at: number;
      readonly below: readonly Key[];
      readonly above: readonly Key[];
      readonly complete: Window;
    },
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
    return {
      filter: {
        ...filter,
        ...this.#narrowing(shape),
        ...boundsOf({ profile }, asked),
        limit,
      },
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

  /** The claimed window that holds this moment, or reaches nearest to it from below. */
  #claimedAround(at: number): Window | null {
    const { claimed } = this.#subject;
    return claimed.findLast(({ since }) => since <= at) ?? null;
  }

  /** The answer; null where there is none. */
  async #fetch(query: Query): Promise<Page | null> {
    this.#asked += 1;
    const page = await this.#deps.fetch(query);
    return page.end.type === "eose" ? page : null;
  }

  /** Settled events of claimed time that were not known, and whose signatures hold. */
  async #unseen(
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

  /** Known events that the answer had to show and did not: those that the relay still gives by their ids. */
  async #missing(
    { expected }: AuditQuestion,
    page: Page,
  ): Promise<{ given: PageEvent[]; isMost: boolean; isAll: boolean }> {
    const came = new Set(page.events.map(({ id }) => id));
    // Who says that there is more does not say that this is all.
    const bottom = hintOf(page) === "more"
      ? oldestOf(page.events)
      : this.#bottomOf(page);
    const due = expected.filter(({ createdAt }) => createdAt > bottom);
    const missing = due.filter(({ id }) => !came.has(id));
    if (missing.length === 0) {
      const isAll = due.length === 0 && page.events.length === 0;
      return { given: [], isMost: false, isAll };
    }
    const given = await this.#stillGiven(missing);
    return {
      given,
      isMost: missing.length * 2 >= due.length,
      isAll: missing.length === due.length,
    };
  }

  /** The second above which a page has to be whole; -1 where it was not cut off. */
  #bottomOf(page: Page): number {
    const { profile } = this.#deps;
    const isCut = page.size >= page.limit || page.size >= profile.largestPage;
    if (!isCut) return -1;
    return profile.order === "unsorted" ? OPEN_END : oldestOf(page.events);
  }

  /** Those of them that the relay gives when it is asked for their ids. */
  async #stillGiven(keys: readonly Key[]): Promise<PageEvent[]> {
    const ids = keys.map(({ id }) => id);
    const page = await this.#fetch({
      filter: { ids, limit: ids.length },
      window: { since: 0, until: OPEN_END },
      limit: ids.length,
      evidenceOnly: true,
    });
    return page === null
      ? []
      : page.events.filter(({ id }) => ids.includes(id));
  }

  /**
   * Events that nobody knew: the relay has had them all along, or they have come to it since. A question as the walk
   * asked it shows which: it brings them now if they are news.
   */
  async #judgeUnseen(
    question: AuditQuestion,
    unseen: readonly PageEvent[],
    isOther: boolean,
  ): Promise<void> {
    const { filter, limit } = this.#subject;
    const newest = Math.max(...unseen.map(({ createdAt }) => createdAt));
    const page = await this.#fetch({
      filter: {
        ...filter,
        ...boundsOf(this.#deps, { since: 0, until: newest }),
        limit,
      },
      window: { since: 0, until: newest },
      limit,
      evidenceOnly: false,
    });
    const came = new Set(page?.events.map(({ id }) => id));
    // From the last second of a page that was cut off nothing can be said.
    const bottom = page === null ? OPEN_END : this.#bottomOf(page);
    const isNews = unseen.every(({ id, createdAt }) =>
      createdAt <= bottom || came.has(id)
    );
    const found = contradiction(this.#subject, question, {
      kind: "hidden",
      keys: unseen,
    });
    (isNews && !isOther ? this.#news : this.#contradictions).push(found);
  }

  /**
   * An answer that lacked known events is wrong; a second one that does is no accident. But where the rest of a page
   * may have been cut off, by its bytes or by what was dropped from it, the second goes on below what it showed, for
   * as much as there is.
   */
  async #judgeMissing(
    question: AuditQuestion,
    page: Page,
    given: readonly PageEvent[],
  ): Promise<void> {
    const { query } = question;
    const isBelow = given
      .every(({ createdAt }) => createdAt <= oldestOf(page.events));
    if (isBelow && await this.#comesBelow(query, page, given)) {
      this.#unanswered += 1;
      return;
    }
    const lacking = isBelow ? given : await this.#lacking(query, given);
    if (lacking === null) {
      this.#unanswered += 1;
      return;
    }
    const found = contradiction(this.#subject, question, {
      kind: "omitted",
      keys: given,
    });
    (lacking.length > 0 ? this.#contradictions : this.#news).push(found);
  }

  /** Whether what a page lacks comes with the pages below it. */
  async #comesBelow(
    query: Query,
    page: Page,
    given: readonly PageEvent[],
  ): Promise<boolean> {
    const { filter } = query;
    let left = given;
    let last = page;
    for (let n = 0; n < MAX_PAGES_BELOW; n++) {
      const oldest = oldestOf(last.events);
      const isShared = left.some(({ createdAt }) => createdAt === oldest);
      const until = isShared ? oldest : oldest - 1;
      const below = await this.#fetch(rest(this.#subject, query, until));
      if (below === null) return true;
      const lacking = lackingOf(below, left);
      if (lacking.length === 0) return true;
      if (lacking.length === left.length) {
        if (isOneSecond(below, lacking)) return true;
        break;
      }
      left = lacking;
      last = below;
    }
    // Pages of relays that drop kinds may hold nothing of them.
    if (!this.#deps.profile.hasHidden || filter.kinds !== undefined) {
      return false;
    }
    const kinds = [...new Set(left.map(({ kind }) => kind))];
    const until = Math.min(query.window.until, oldestOf(last.events));
    const named = { ...query, filter: { ...filter, kinds } };
    const lacking = await this.#lacking(
      rest(this.#subject, named, until),
      left,
    );
    return lacking === null || lacking.length === 0;
  }

  /** Those of the events that the answer lacks; null where there is none. */
  async #lacking(
    query: Query,
    events: readonly PageEvent[],
  ): Promise<PageEvent[] | null> {
    const page = await this.#fetch(query);
    return page === null ? null : lackingOf(page, events);
  }
}

/** Pages below an answer that are asked for, as long as they bring something of what it lacks. */
const MAX_PAGES_BELOW = 5;

/** Whether a page shows nothing but the second in which all that it lacks lies: that may hold more than a page. */
function isOneSecond({ events }: Page, lacking: readonly PageEvent[]): boolean {
  const second = newestOf(events);
  return oldestOf(events) === second &&
    lacking.every(({ createdAt }) => createdAt === second);
}

function lackingOf(page: Page, events: readonly PageEvent[]): PageEvent[] {
  const came = new Set(page.events.map(({ id }) => id));
  return events.filter(({ id }) => !came.has(id));
}

/** The same question down from `until`, for as much as there is. */
function rest(
  { limit }: AuditSubject,
  { filter, window, ...query }: Query,
  until: number,
): Query {
  const lower = Math.min(window.until, until);
  return {
    ...query,
    filter: {
      ...filter,
      ...(filter.until !== undefined &&
        { until: Math.min(filter.until, until) }),
      limit,
    },
    window: { ...window, until: lower },
    limit,
  };
}

/** So many events that a page lacked did not all come after it. */
const FEWEST_OMITTED = 2;

/** 60 to this power is some twenty years, seconds. */
const MAX_AGE_EXPONENT = 5;

function contradiction(
  { filterHash }: AuditSubject,
  { shape, interior }: Pick<AuditQuestion, "shape" | "interior">,
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
    eventIds: keys.slice(0, 10).map(({ id }) => id),
  };
}

function middleOf({ since, until }: Window): number {
  return since + ((until - since) >> 1);
}

function toKeys({ ids, createdAt, stable }: NearKeys): Key[] {
  const hex = ids.toHex();
  return Array.from(createdAt, (at, i) => ({
    id: hex.slice(64 * i, 64 * i + 64),
    createdAt: at,
    isStable: stable[i] === 1,
  }));
}
