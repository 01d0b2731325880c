/**
 * A second with more events than the relay gives at once: cut by kind, then by author, until no part fills a page.
 *
 * That is exact where the filter names its kinds or authors, because then the parts are the whole. Where it does not,
 * everything that can be told apart is obtained, and the second stays a gap.
 *
 * @module
 */
import type { Filter } from "../../models/filter.ts";
import { ask, type Asking, type NoPage, type Walk } from "./ask.ts";
import type { Page } from "./page.ts";

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
  const search: Search = { second, questions: 0, failure: null };
  const isAll = yield* tellApart(walk, search, { filter: walk.filter, page });
  const window = { since: second, until: second };
  if (isAll) walk.ledger.prove(window, "split");
  else if (search.failure === null) walk.ledger.gap(window, "saturated");
  return search.failure;
}

interface Search {
  readonly second: number;
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
  const { parts, areWhole } = partsOf(walk, crowd);
  let isAll = areWhole;
  for (const filter of parts) {
    if (search.questions++ >= MAX_QUESTIONS) return false;
    const window = { since: search.second, until: search.second };
    const answer = yield* ask(walk, { window, filter, isSpecial: true });
    if (!answer.ok) {
      isAll = false;
      if (answer.failure === "refused") continue;
      search.failure = answer.failure;
      return false;
    }
    const page = answer.value;
    if (walk.pace.isShort(page)) continue;
    isAll = (yield* tellApart(walk, search, { filter, page })) && isAll;
    if (search.failure !== null) return false;
  }
  return isAll;
}

interface Parts {
  readonly parts: readonly Filter[];
  /** Whether every event of the crowd is in one of the parts. */
  readonly areWhole: boolean;
}

function partsOf({ pace }: Walk, { filter, page }: Crowd): Parts {
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
    const likely = [...new Set([...seen.slice(0, 20), ...pace.likelyKinds()])];
    return { parts: [{ ...filter, kinds: likely }], areWhole: false };
  }
  if (authors === undefined) {
    const seen = new Set(page.events.map(({ pubkey }) => pubkey));
    const asked = [...seen].slice(0, MAX_AUTHORS_ASKED);
    return { parts: [{ ...filter, authors: asked }], areWhole: false };
  }
  return { parts: [], areWhole: false };
}

function halves<T>(list: readonly T[]): T[][] {
  const middle = list.length >> 1;
  return [list.slice(0, middle), list.slice(middle)];
}
