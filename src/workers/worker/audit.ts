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
import { OPEN_END, type Window } from "../../models/window.ts";
import type {
  AuditReport,
  Contradiction,
  ContradictionKind,
} from "../protocol/evidence.ts";
import type { NearKeys, NearQuery } from "../protocol/messages.ts";
import { boundsOf } from "../walk/ask.ts";
import {
  oldestOf,
  type Page,
  type PageEvent,
  type Query,
} from "../walk/page.ts";
import type { RelayProfile } from "../walk/relay_profile.ts";

/** What the audit of one filter works with. */
export interface AuditDeps {
  /** The sightings of the relay next to a moment, ascending; null when the archive cannot tell. */
  near(query: NearQuery): Promise<NearKeys | null>;
  /** Asks the relay; what comes is archived. */
  fetch(query: Query): Promise<Page>;
  /** Those of these events, which came just now, that are archived: the others are not their authors'. */
  archived(events: readonly PageEvent[]): Promise<readonly PageEvent[]>;
  readonly profile: RelayProfile;
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
  /** The longest silences between two events of one page, longest first: each is worth a question. */
  readonly silences: readonly Window[];
  /** Moments of events that came in the session, Unix seconds; none where nothing was walked. */
  readonly moments: readonly number[];
  /** Unix seconds: what is younger may still be arriving. */
  readonly settledBefore: number;
  /** Events asked for at once at most. */
  readonly limit: number;
}

/** Known events on either side of the moment that is asked about. */
const NEIGHBOURS = 10;

/** Room in an answer for what is not known. */
const ROOM = 20;

/** Shapes of question, in the order in which they are asked. */
const SHAPES = ["silence", "page", "sample", "deep", "kinds"] as const;

/** Those that are bounded from both sides by known events. */
const BOUNDED_SHAPES = ["silence", "sample", "kinds"] as const;

type Shape = (typeof SHAPES)[number];

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
  /** Nothing but `known` lies strictly between. */
  readonly interior: Window;
  readonly known: ReadonlySet<string>;
}

/** Asks up to so many questions. Never rejects for anything the relay does. */
export async function audit(
  subject: AuditSubject,
  questions: number,
  deps: AuditDeps,
): Promise<AuditReport> {
  const run = new Audit(subject, deps);
  // Of a relay without order a page that is cut off says nothing of its top.
  const shapes = deps.profile.order === "unsorted" ? BOUNDED_SHAPES : SHAPES;
  // A few questions without a silence to begin with begin anywhere, or they would always be of the same shape.
  const first = questions >= shapes.length || subject.silences.length > 0
    ? 0
    : Math.floor(deps.random() * shapes.length);
  for (let n = 0; n < questions && !deps.signal.aborted; n++) {
    const shape = shapes[(first + n) % shapes.length]!;
    await run.ask(shape, subject.silences[Math.floor(n / shapes.length)]);
    if (run.isDecided) break;
  }
  return run.report;
}

/** Events that came only now, in so many answers, are no coincidence. */
const MAX_NEWS = 2;

class Audit {
  readonly #subject: AuditSubject;
  readonly #deps: AuditDeps;
  readonly #contradictions: Contradiction[] = [];
  readonly #news: Contradiction[] = [];
  #asked = 0;
  #confirmed = 0;

  constructor(subject: AuditSubject, deps: AuditDeps) {
    this.#subject = subject;
    this.#deps = deps;
  }

  /** Whether the relay was shown to be wrong: more questions would change nothing. */
  get isDecided(): boolean {
    return this.#contradictions.length > 0 || this.#news.length >= MAX_NEWS;
  }

  get report(): AuditReport {
    const isMuch = this.#news.length >= MAX_NEWS;
    return {
      asked: this.#asked,
      confirmed: this.#confirmed,
      contradictions: [...this.#contradictions, ...(isMuch ? this.#news : [])],
      late: isMuch ? [] : this.#news,
    };
  }

  /** Asks one question, at a moment or wherever it falls, and judges the answer. */
  async ask(shape: Shape, silence: Window | undefined): Promise<void> {
    const question = await this.#plan(shape, silence);
    if (question === null) return;
    const page = await this.#fetch(question.query);
    if (page === null) return;
    const unseen = await this.#unseen(question, page);
    const missing = await this.#missing(question, page);
    const isOther = unseen.length > 0 && missing.isMost;
    if (unseen.length > 0) await this.#judgeUnseen(question, unseen, isOther);
    if (missing.given.length > 0) {
      await this.#judgeMissing(question, missing.given);
    }
    const isConfirmed = unseen.length === 0 && missing.given.length === 0 &&
      !missing.isAll;
    if (isConfirmed) this.#confirmed += 1;
  }

  async #plan(
    shape: Shape,
    silence: Window | undefined,
  ): Promise<AuditQuestion | null> {
    const { filter, filterHash } = this.#subject;
    const isAbout = shape === "silence" && silence !== undefined;
    const at = isAbout ? middleOf(silence) : this.#drawMoment(shape);
    if (at === null) return null;
    const keys = await this.#deps.near({
      filter,
      filterHash,
      at,
      below: NEIGHBOURS,
      above: NEIGHBOURS,
    });
    if (keys === null) return null;
    const near = toKeys(keys);
    if (isAbout && await this.#wasNone(silence, near)) return null;
    return this.#toQuestion(shape, near, at);
  }

  /** Whether events that are known lie in a silence: the page lacked them, if the relay still has them. */
  async #wasNone(
    { since, until }: Window,
    keys: readonly Key[],
  ): Promise<boolean> {
    const inside = keys.filter(({ createdAt, isStable }) =>
      isStable && createdAt > since && createdAt < until
    );
    if (inside.length === 0) return false;
    const given = await this.#stillGiven(inside);
    // Fewer may have come to the relay after the page.
    if (given.length < MAX_NEWS) return false;
    const question = { shape: "silence", interior: { since, until } } as const;
    const found = { kind: "omitted", keys: given } as const;
    this.#contradictions.push(contradiction(this.#subject, question, found));
    return true;
  }

  /** A moment of claimed time: any, so that long silences are found; or one where events lie close. */
  #drawMoment(shape: Shape): number | null {
    const { claimed, moments } = this.#subject;
    const { random } = this.#deps;
    if (moments.length > 0 && (shape === "sample" || shape === "kinds")) {
      return moments[Math.floor(random() * moments.length)]!;
    }
    const top = claimed.at(-1)?.until;
    if (top === undefined) return null;
    if (shape !== "silence" && shape !== "deep") {
      const age = Math.floor(60 ** (random() * MAX_AGE_EXPONENT));
      return Math.max(0, top - age);
    }
    const spans = claimed.map(({ since, until }) =>
      until - Math.min(until, Math.max(since, FLOOR))
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
    const below = keys.filter(({ createdAt }) => createdAt <= at);
    const above = keys.filter(({ createdAt }) => createdAt > at);
    if (claimed === null || keys.length === 0) return null;
    const isDown = shape === "page" || shape === "deep";
    const ends = shape === "silence"
      ? [...below.slice(-1), ...above.slice(0, 1)]
      : isDown
      ? below
      : keys;
    // Where fewer are known than were asked for, nothing is known beyond, as far as the claim reaches.
    const isFloor = below.length < NEIGHBOURS && ends[0] === keys[0];
    const isTop = above.length < NEIGHBOURS && ends.at(-1) === keys.at(-1);
    const since = isFloor ? claimed.since : ends[0]?.createdAt ?? claimed.since;
    const until = shape === "deep"
      ? at
      : isTop
      ? Math.max(claimed.until, at)
      : ends.at(-1)?.createdAt ?? at;
    return this.#question(shape, {
      window: { since: isDown ? 0 : since, until },
      interior: { since, until },
      expected: shape === "kinds"
        ? []
        : ends.filter((key) =>
          key.isStable && key.createdAt >= since && key.createdAt <= until
        ),
      known: new Set(keys.map(({ id }) => id)),
    });
  }

  #question(
    shape: Shape,
    rest: Pick<AuditQuestion, "expected" | "interior" | "known"> & {
      readonly window: Window;
    },
  ): AuditQuestion {
    const { filter, limit: most } = this.#subject;
    const { profile } = this.#deps;
    const { window, known } = rest;
    const limit = Math.min(most, known.size + ROOM);
    const kinds = shape === "kinds" ? profile.withoutRestricted(filter) : null;
    return {
      shape,
      ...rest,
      query: {
        filter: { ...kinds ?? filter, ...boundsOf({ profile }, window), limit },
        window,
        limit,
        evidenceOnly: false,
      },
    };
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
      createdAt > interior.since && createdAt < interior.until &&
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
  ): Promise<{ given: Key[]; isMost: boolean; isAll: boolean }> {
    const came = new Set(page.events.map(({ id }) => id));
    const isCut = page.size >= page.limit ||
      page.size >= this.#deps.profile.largestPage;
    const bottom = !isCut
      ? -1
      : this.#deps.profile.order === "unsorted"
      ? OPEN_END
      : oldestOf(page.events);
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

  /** Those of them that the relay gives when it is asked for their ids. */
  async #stillGiven(keys: readonly Key[]): Promise<Key[]> {
    const ids = keys.map(({ id }) => id);
    const page = await this.#fetch({
      filter: { ids, limit: ids.length },
      window: { since: 0, until: OPEN_END },
      limit: ids.length,
      evidenceOnly: true,
    });
    const came = new Set(page?.events.map(({ id }) => id));
    return keys.filter(({ id }) => came.has(id));
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
    const bottom = page === null ? OPEN_END : oldestOf(page.events);
    const isNews = unseen.every(({ id, createdAt }) =>
      createdAt < bottom || came.has(id)
    );
    const found = contradiction(this.#subject, question, {
      kind: "hidden",
      keys: unseen,
    });
    (isNews && !isOther ? this.#news : this.#contradictions).push(found);
  }

  /** An answer that lacked known events is wrong; a second one that does is no accident. */
  async #judgeMissing(
    question: AuditQuestion,
    given: readonly Key[],
  ): Promise<void> {
    const again = await this.#fetch(question.query);
    const came = new Set(again?.events.map(({ id }) => id));
    const lacking = given.filter(({ id }) => !came.has(id));
    const found = contradiction(this.#subject, question, {
      kind: "omitted",
      keys: given,
    });
    (lacking.length > 0 ? this.#contradictions : this.#news).push(found);
  }
}

/** 60 to this power is some twenty years, seconds. */
const MAX_AGE_EXPONENT = 5;

/** Moments are drawn from here on: 2020-09-13, Unix seconds. */
const FLOOR = 1_600_000_000;

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
