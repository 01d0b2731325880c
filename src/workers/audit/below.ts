/**
 * What comes below a page that may have been cut off: a page ends by its bytes, or by what the relay drops from it,
 * before it has shown everything that was asked for.
 *
 * @module
 */
import {
  oldestOf,
  type Page,
  type PageEvent,
  type Query,
} from "../walk/page.ts";
import type { RelayProfile } from "../walk/relay_profile.ts";

/** A page, the query that it answers, and the known events that it lacks. */
export interface ShortPage {
  readonly query: Query;
  readonly page: Page;
  readonly lacking: readonly PageEvent[];
}

/** What looking below a page needs. */
export interface BelowDeps {
  /** The answer of the relay; null where there is none. */
  readonly ask: (query: Query) => Promise<Page | null>;
  readonly profile: Pick<RelayProfile, "hasHidden">;
  /** Events asked for at once. */
  readonly limit: number;
}

/** Pages below an answer that are asked for, until they have passed what it lacks. */
const MAX_PAGES_BELOW = 5;

/** Whether what a page lacks comes with the pages below it, or may: a relay that gives no answer is not judged. */
export async function comesBelow(
  { query, page, lacking }: ShortPage,
  { ask, profile, limit }: BelowDeps,
): Promise<boolean> {
  const { filter } = query;
  let left = lacking;
  let last = page;
  for (let n = 0; n < MAX_PAGES_BELOW; n++) {
    const oldest = oldestOf(last.events);
    const isShared = left.some(({ createdAt }) => createdAt === oldest);
    const until = isShared ? oldest : oldest - 1;
    const below = await ask(downFrom(until, query, limit));
    if (below === null) return true;
    left = lackingOf(below, left);
    if (left.length === 0) return true;
    const bottom = oldestOf(below.events);
    if (left.some(({ createdAt }) => createdAt > bottom)) break;
    // Nothing at all comes below, although something is there.
    if (below.size === 0) break;
    last = below;
    if (n === MAX_PAGES_BELOW - 1) return true;
  }
  // Pages of relays that drop kinds may hold nothing of them.
  if (!profile.hasHidden || filter.kinds !== undefined) return false;
  const kinds = [...new Set(left.map(({ kind }) => kind))];
  const until = Math.min(query.window.until, oldestOf(last.events));
  const named = { ...query, filter: { ...filter, kinds } };
  const answer = await ask(downFrom(until, named, limit));
  return answer === null || lackingOf(answer, left).length === 0;
}

/** Those of the events that a page does not show. */
export function lackingOf(
  page: Page,
  events: readonly PageEvent[],
): PageEvent[] {
  const came = new Set(page.events.map(({ id }) => id));
  return events.filter(({ id }) => !came.has(id));
}

/** The same question down from `until`, for as much as there is. */
function downFrom(
  until: number,
  { filter, window, ...query }: Query,
  limit: number,
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
