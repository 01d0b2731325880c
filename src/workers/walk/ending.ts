/**
 * How a walk ends: nothing more came, and that has to be believed.
 *
 * An empty answer is what a tired, crowded or slow relay gives, too. So the end is believed when one answer shows
 * nothing new at the cursor, nothing lower in time, nothing of the kinds that relays do not hold back, and shows an
 * event that has to be there: a witness.
 *
 * @module
 */
import type { Filter } from "../../models/filter.ts";
import { BEGINNING, OPEN_END, type Window } from "../../models/window.ts";
import type { Support, WalkProof } from "../protocol/evidence.ts";

import { ask, type Asking, boundsOf, type NoPage, type Walk } from "./ask.ts";
import {
  boundaryIds,
  breakOff,
  type Cursor,
  DONE,
  type Done,
  goBelow,
  isGivenAway,
  refute,
  unseenOf,
} from "./cursor.ts";
import { hintOf, newestOf, type Page, type PageEvent } from "./page.ts";
import type { Witness } from "./witnesses.ts";

const DAY = 86_400;

/** How far below the cursor something is looked for, seconds. The last look goes half of the way. */
const DEPTHS = [1, 3_600, DAY, 30 * DAY, 365 * DAY, 730 * DAY];

/** So often the end is looked at, where connections end meanwhile. */
const MAX_LOOKS = 3;

/** Events asked for by each look: to see one is enough. */
const LOOK_LIMIT = 20;

/** What looking below the cursor has shown. */
type Below =
  | { readonly type: "nothing"; readonly support: Support }
  | { readonly type: "something"; readonly unseen: readonly PageEvent[] }
  /** The answers are worth nothing. */
  | { readonly type: "no-answer"; readonly failure: NoPage | "hidden" };

/** Believes that nothing lies from the cursor down, or says what is in the way, or goes on below it. */
export function* confirmEnd(
  walk: Walk,
  cursor: Cursor,
  method: WalkProof = "empty-page",
): Asking<Cursor | Done> {
  if (isGivenAway(walk, cursor)) return DONE;
  const rest = { since: walk.remaining.since, until: cursor.until };
  const found = yield* lookBelow(walk, cursor);
  switch (found.type) {
    case "nothing":
      walk.findings.prove(rest, method, found.support);
      return DONE;
    case "no-answer":
      if (isGivenAway(walk, cursor)) return DONE;
      if (found.failure !== "hidden") {
        return breakOff(walk, rest, found.failure);
      }
      walk.findings.gap(rest, "hidden");
      return DONE;
    case "something":
      refute(walk, cursor, found.unseen);
      return skipTo(walk, cursor, found.unseen);
  }
}

/**
 * Ends below a page that had room for more, when nothing lies there. When something does, or nothing can be said, the
 * walk goes on as if it had not been asked.
 */
export function* endEarly(
  walk: Walk,
  cursor: Cursor,
  method: WalkProof = "empty-page",
): Asking<Cursor | Done> {
  const { profile, findings, remaining: { since } } = walk;
  if (isGivenAway(walk, cursor)) return DONE;
  const found = yield* lookBelow(walk, cursor);
  if (found.type === "something") {
    profile.hasHidden = true;
    refute(walk, cursor, found.unseen);
  }
  if (found.type !== "nothing") return cursor;
  findings.prove({ since, until: cursor.until }, method, found.support);
  return DONE;
}

/** Looks whether anything lies from the cursor down, by one REQ where the relay answers all filters of one. */
function* lookBelow(walk: Walk, cursor: Cursor): Asking<Below> {
  const { profile, remaining } = walk;
  remaining.doing = "confirming-end";
  const witnesses = witnessesOf(walk, cursor);
  if (profile.manyFilters !== "no") {
    const found = yield* lookAtOnce(walk, cursor, witnesses);
    if (found !== null) return found;
  }
  for (let n = 0; n < MAX_LOOKS && !isGivenAway(walk, cursor); n++) {
    const found = yield* lookOneByOne(walk, cursor, witnesses);
    if (found !== null) return found;
  }
  return { type: "no-answer", failure: "unconfirmed" };
}

/** All looks by one REQ. Null when the relay does not answer all its filters, as far as can be seen. */
function* lookAtOnce(
  walk: Walk,
  cursor: Cursor,
  witnesses: readonly Witness[],
): Asking<Below | null> {
  const { profile, remaining: { since } } = walk;
  const looks = looksBelow(walk, cursor);
  const ids = witnesses.map(({ id }) => id);
  const extraFilters = [
    ...looks,
    // Last, so that a relay that shows it has read all the filters before.
    ...(ids.length > 0 ? [{ ids, limit: ids.length }] : []),
  ];
  const window = { since, until: cursor.until };
  const purpose = "narrower" as const;
  const answer = yield* ask(walk, { window, extraFilters, purpose });
  if (!answer.ok) {
    if (answer.failure === "refused") return null;
    return { type: "no-answer", failure: answer.failure };
  }
  const judged = judge(walk, cursor, answer.value);
  if (judged !== null) return judged;
  if (!isRest(walk, cursor, answer.value)) return null;
  // One that the first filter shows says nothing of the others.
  const witness = witnessIn(answer.value.extra, witnesses);
  if (witness === null && witnesses.length > 0) return null;
  if (witness !== null) profile.manyFilters = "yes";
  return nothing(1 + looks.length, witness);
}

/**
 * One look after the other, and a witness behind them; null where the witness came over another connection, and so says
 * nothing of the looks.
 */
function* lookOneByOne(
  walk: Walk,
  cursor: Cursor,
  witnesses: readonly Witness[],
): Asking<Below | null> {
  const { profile, policy, remaining: { since } } = walk;
  const { connection } = policy;
  const half = looksBelow(walk, cursor).at(-1);
  const questions: { window: Window; filter?: Filter }[] = [
    { window: { since, until: cursor.until } },
  ];
  const open = profile.withoutRestricted(walk.filter);
  if (open !== null) {
    const looks = topsOf(walk, cursor)
      .map((until) => ({ window: { since, until }, filter: open }));
    questions.push(...looks);
  }
  const authors = someAuthors(cursor);
  if (authors.length > 0) {
    questions.push({
      window: { since, until: cursor.until },
      filter: { ...walk.filter, authors },
    });
  }
  // What gives a part for the whole shows the events at the cursor in place of what lies below.
  if (cursor.until > since) {
    questions.push({ window: { since, until: cursor.until - 1 } });
  }
  if (half?.until !== undefined) {
    const until = half.until - profile.untilOffset;
    if (until >= since) questions.push({ window: { since, until } });
  }
  let answers = 0;
  let shown: string | null = null;
  for (const [n, question] of questions.entries()) {
    const answer = yield* ask(walk, { ...question, purpose: "narrower" });
    if (!answer.ok && answer.failure === "refused") continue;
    if (!answer.ok) return { type: "no-answer", failure: answer.failure };
    const judged = judge(walk, cursor, answer.value);
    if (judged !== null) return judged;
    const isWhole = n === 0
      ? isRest(walk, cursor, answer.value)
      : question.window.until < cursor.until ||
        !lacksKnown(cursor, { ...question, page: answer.value });
    if (!isWhole) return { type: "no-answer", failure: "hidden" };
    answers += 1;
    shown ??= witnessIn(answer.value.events, witnesses);
  }
  if (answers === 0) return { type: "no-answer", failure: "refused" };
  if (witnesses.length === 0) return nothing(answers, null);
  const asked = yield* askWitness(walk, cursor, witnesses);
  // Some relays find nothing by ids; each answer by itself shows what lies at the cursor.
  const isUnconfirmed = typeof asked !== "string" &&
    asked.failure === "unconfirmed";
  const witness = isUnconfirmed ? shown ?? asked : asked;
  if (typeof witness !== "string") return witness;
  if (shown === null && policy.connection !== connection) return null;
  if (profile.manyFilters === "unknown") profile.manyFilters = "no";
  return nothing(answers, witness);
}

/** Whether the relay still shows an event that it has given: the id of one, or why nothing can be said. */
function* askWitness(
  walk: Walk,
  cursor: Cursor,
  witnesses: readonly Witness[],
): Asking<string | Extract<Below, { type: "no-answer" }>> {
  const ids = witnesses.map(({ id }) => id);
  const answer = yield* ask(walk, {
    window: { since: 0, until: OPEN_END },
    filter: { ids },
    purpose: "evidence",
  });
  if (!answer.ok) return { type: "no-answer", failure: answer.failure };
  const { events } = answer.value;
  const { since } = walk.remaining;
  const isBelow = unseenOf(walk, events, cursor)
    .some(({ id, createdAt }) => createdAt >= since && ids.includes(id));
  if (isBelow) return { type: "no-answer", failure: "hidden" };
  return witnessIn(events, witnesses) ??
    { type: "no-answer", failure: "unconfirmed" };
}

/** What an answer shows by itself; null when it shows nothing. */
function judge(walk: Walk, cursor: Cursor, page: Page): Below | null {
  const unseen = unseenOf(walk, page.events, cursor);
  if (unseen.length > 0) return { type: "something", unseen };
  // Something came that is no event or was not asked for, and may stand in the place of one. A look may be full by itself.
  const isForeign = page.unread.length > 0 ||
    hintOf(page) === "more" && page.size < LOOK_LIMIT;
  return isForeign ? { type: "no-answer", failure: "hidden" } : null;
}

/**
 * Whether an answer may be all that is left: it had room for more, and shows all that is known of the cursor's second.
 * One that lacks some of that lacks others, too.
 */
function isRest({ profile }: Walk, cursor: Cursor, page: Page): boolean {
  const came = new Set(page.events.map(({ id }) => id));
  // Whose word is to be believed has to give less than it could, with all filters taken together.
  const isFull = cursor.isFinished === true &&
    page.size + page.extra.length >= profile.largestPage;
  return (page.size === 0 || profile.isShort(page)) && !isFull &&
    [...boundaryIds(cursor)].every((id) => came.has(id));
}

/**
 * Whether a relay that says that it has sent all gives less to a narrower question than it has shown of it at the cursor:
 * what gives a part for the whole gives a part of each part.
 */
function lacksKnown(
  cursor: Cursor,
  { filter = {}, page }: { readonly filter?: Filter; readonly page: Page },
): boolean {
  if (cursor.isFinished !== true || page.size >= page.limit) return false;
  const { kinds, authors } = filter;
  const came = new Set(page.events.map(({ id }) => id));
  return cursor.above.some(({ id, createdAt, kind, pubkey }) =>
    createdAt <= cursor.until && !came.has(id) &&
    (kinds === undefined || kind !== undefined && kinds.includes(kind)) &&
    (authors === undefined || pubkey !== undefined && authors.includes(pubkey))
  );
}

/** Authors of about half of the events at a cursor below which the relay says that nothing follows. */
function someAuthors({ until, above, isFinished }: Cursor): string[] {
  if (isFinished !== true) return [];
  const here = above.filter(({ createdAt }) => createdAt <= until);
  const authors = new Set(
    here.slice(here.length >> 1).flatMap(({ pubkey }) => pubkey ?? []),
  );
  return [...authors].slice(0, LOOK_LIMIT);
}

function nothing(questions: number, witness: string | null): Below {
  return { type: "nothing", support: { questions, witness, counts: null } };
}

function witnessIn(
  events: readonly PageEvent[],
  witnesses: readonly Witness[],
): string | null {
  const came = new Set(events.map(({ id }) => id));
  return witnesses.find(({ id }) => came.has(id))?.id ?? null;
}

/**
 * Events that an answer has to show. Those that are known from below the cursor come first: who gives one of them by its
 * id, and says that nothing is there, contradicts itself. The events at the cursor are witnesses, too, where no better
 * ones are known.
 */
function witnessesOf({ witnesses, remaining }: Walk, cursor: Cursor) {
  const { since, within, ceiling } = remaining;
  const below = within.filter(({ createdAt }) =>
    createdAt >= since && createdAt <= cursor.until
  );
  const known = [...below, ...witnesses.pick(), ...ceiling, ...cursor.above];
  return [...new Map(known.map((one) => [one.id, one])).values()]
    .slice(0, MAX_WITNESSES);
}

/** Witnesses named in one question. */
const MAX_WITNESSES = 6;

/** Filters that look lower in time, and one that leaves out the kinds that relays hold back. */
function looksBelow(walk: Walk, cursor: Cursor): Filter[] {
  const { filter, remaining: { since }, now } = walk;
  const top = Math.min(cursor.until, now);
  const floor = Math.max(since, Math.min(BEGINNING, top));
  const half = floor + Math.floor((top - floor) / 2);
  const untils = [...DEPTHS.map((depth) => top - depth), half]
    .filter((until) => until > since && until < cursor.until);
  const open = walk.profile.withoutRestricted(filter);
  return [
    ...(open === null ? [] : topsOf(walk, cursor).map((until) => ({
      ...open,
      ...boundsOf(walk, { since, until }),
      limit: LOOK_LIMIT,
    }))),
    ...[...new Set(untils)].map((until) => ({
      ...filter,
      ...boundsOf(walk, { since, until }),
      limit: LOOK_LIMIT,
    })),
  ];
}

/** Where a look by kinds begins: at the cursor, and below its second, too, where that may fill the look by itself. */
function topsOf(
  { profile, remaining }: Walk,
  cursor: Cursor,
): readonly number[] {
  const { until } = cursor;
  const room = Math.min(LOOK_LIMIT, profile.largestPage);
  const isCrowded = boundaryIds(cursor).size >= room;
  return isCrowded && until > remaining.since ? [until, until - 1] : [until];
}

/** Something lies there after all: two answers contradict each other, and what lies above it is a gap. */
function skipTo(
  walk: Walk,
  cursor: Cursor,
  unseen: readonly PageEvent[],
): Cursor | Done {
  const newest = newestOf(unseen);
  if (newest < cursor.until) {
    walk.findings.gap({ since: newest + 1, until: cursor.until }, "hidden");
    return { until: newest, above: unseen };
  }
  walk.findings.gap({ since: newest, until: newest }, "hidden");
  return goBelow(walk, newest);
}
