/**
 * A saturated second, with more events than the relay gives at once: cut by kind, then by author, until no part fills
 * a page.
 *
 * That is exact where the filter names its kinds or authors, because then the parts are the whole. Where it does not,
 * everything that can be told apart is obtained, and the second stays a gap. Each part has to show the events of the
 * second that are known to belong to it.
 *
 * @module
 */
import type { Filter } from "../../models/filter.ts";
import {
  ask,
  type Asking,
  type NoPage,
  type Question,
  type Walk,
} from "./ask.ts";
import type { Page, PageEvent } from "./page.ts";

/** Questions that one second may cost. */
const MAX_QUESTIONS = 64;

/** Authors named at most in one filter: relays refuse long lists. */
const MAX_AUTHORS_ASKED = 100;

/** Obtains what can be had of a second that fills `page`, and records whether it is all. Returns what broke it off. */
export function* walkSecond(
  walk: Walk,
  second: number,
  page: Page,
): Asking<NoPage | null> {
  const search: Search = {
    second,
    questions: 0,
    failure: null,
    known: new Map(page.events.map((event) => [event.id, event])),
  };
  const isAll = yield* tellApart(walk, search, { filter: walk.filter, page });
  const window = { since: second, until: second };
  if (isAll) {
    const { questions } = search;
    const witness = page.events[0]?.id ?? null;
    walk.findings.prove(window, "split", { questions, witness, counts: null });
  } else walk.findings.gap(window, "saturated");
  return search.failure;
}

interface Search {
  readonly second: number;
  /** Events of the second that the relay has given. */
  readonly known: Map<string, PageEvent>;
  questions: number;
  failure: NoPage | null;
}

/** A filter and the full page it gave. */
interface Crowd {
  readonly filter: Filter;
  readonly page: Page;
}

/** Whether the parts of the crowd are the whole of it and none of them is cut off. */
function* tellApart(
  walk: Walk,
  search: Search,
  crowd: Crowd,
): Asking<boolean> {
  const { parts, areWhole } = partsOf(walk, search, crowd);
  let isAll = areWhole;
  for (const filter of parts) {
    if (search.questions++ >= MAX_QUESTIONS) return false;
    const answer = yield* ask(walk, {
      window: { since: search.second, until: search.second },
      filter,
      ...beside(crowd.page),
      purpose: "narrower",
    });
    if (!answer.ok) {
      isAll = false;
      if (answer.failure === "refused") continue;
      search.failure = answer.failure;
      return false;
    }
    const page = answer.value;
    // Of a relay that ignores kinds, the witness would have come in the part itself.
    const whole = { ...page, size: page.size + page.extra.length };
    const isShort = walk.profile.isShort(whole) &&
      !isMixed(filter, walk.filter);
    if (isShort && !showsAll(search, { filter, page })) isAll = false;
    for (const event of page.accepted) search.known.set(event.id, event);
    if (isShort) continue;
    isAll = (yield* tellApart(walk, search, { filter, page })) && isAll;
    if (search.failure !== null) return false;
  }
  return isAll;
}

/**
 * Whether a part may hold less than there is although it is short: relays that drop kinds after they have counted
 * their limit drop all events of a kind or none.
 */
function isMixed({ kinds }: Filter, { kinds: asked }: Filter): boolean {
  return asked !== undefined && kinds !== undefined && kinds.length > 1;
}

/** A witness of the second, to be asked for beside a part in which nothing is known. */
function beside({ events: [first] }: Page): Pick<Question, "extraFilters"> {
  return first === undefined
    ? {}
    : { extraFilters: [{ ids: [first.id], limit: 1 }] };
}

/** Whether an answer shows each event that is known to match its filter; where none does, the one asked for beside it. */
function showsAll({ known }: Search, { filter, page }: Crowd): boolean {
  const came = new Set(page.events.map(({ id }) => id));
  const expected = [...known.values()].filter(({ kind, pubkey }) =>
    (filter.kinds?.includes(kind) ?? true) &&
    (filter.authors?.includes(pubkey) ?? true)
  );
  return expected.every(({ id }) => came.has(id)) &&
    page.events.length + page.extra.length > 0;
}

interface Parts {
  readonly parts: readonly Filter[];
  /** Whether every event of the crowd is in one of the parts. */
  readonly areWhole: boolean;
}

function partsOf(walk: Walk, search: Search, crowd: Crowd): Parts {
  const { profile } = walk;
  const { filter, page } = crowd;
  const { kinds, authors } = filter;
  if (kinds !== undefined && kinds.length > 1) {
    const parts = halves(kinds).map((half) => ({ ...filter, kinds: half }));
    return { parts, areWhole: true };
  }
  if (authors !== undefined && authors.length > 1) {
    const parts = halves(authors).map((half) => ({ ...filter, authors: half }));
    return { parts, areWhole: true };
  }
  if (kinds === undefined) {
    const seen = page.events.map(({ kind }) => kind);
    const likely = [
      ...new Set([...seen.slice(0, 20), ...profile.likelyKinds()]),
    ];
    return { parts: [{ ...filter, kinds: likely }], areWhole: false };
  }
  if (authors === undefined) {
    const seen = [...search.known.values()].map(({ pubkey }) => pubkey);
    const all = [...new Set([...seen, ...walk.authors()])];
    const parts = chunks(all, MAX_AUTHORS_ASKED)
      .map((some) => ({ ...filter, authors: some }));
    return { parts, areWhole: false };
  }
  return { parts: [], areWhole: false };
}

function halves<T>(list: readonly T[]): T[][] {
  const middle = list.length >> 1;
  return [list.slice(0, middle), list.slice(middle)];
}

function chunks<T>(list: readonly T[], size: number): T[][] {
  return Array.from(
    { length: Math.ceil(list.length / size) },
    (_, i) => list.slice(i * size, (i + 1) * size),
  );
}
