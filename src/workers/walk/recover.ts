/**
 * What to do when an answer lacks the events that are known to be there: it proves nothing, and asking on below it
 * would leave a hole. The relay may take `until` for something else, may have dropped just these events, or may be
 * tired of this connection.
 *
 * @module
 */
import { ask, type Asking, type Walk } from "./ask.ts";
import { type Cursor, isGivenAway } from "./cursor.ts";
import { isNewestFirst, newestOf, type Page } from "./page.ts";

/** A page that overlaps with what is known, and from where it was asked. */
export interface Recovered {
  readonly cursor: Cursor;
  readonly page: Page;
}

/** How much later than meant `until` is asked for, seconds: an exclusive bound, an hour, a day. */
const OFFSETS = [1, 3_600, 86_400];

/** Finds an answer that overlaps with what is known; null when there is none, and nothing can be said about the rest. */
export function* recover(
  walk: Walk,
  cursor: Cursor,
  page: Page,
): Asking<Recovered | null> {
  const { profile, policy, remaining } = walk;
  remaining.doing = "recovering";
  const isBelow = newestOf(page.events) < cursor.until;
  let { connection } = policy;
  for (const offset of OFFSETS) {
    if (isGivenAway(walk, cursor)) return null;
    const until = cursor.until + offset;
    const answer = yield* ask(walk, {
      window: { since: remaining.reach, until },
    });
    // Another walk has a new connection opened: what comes over it says nothing of the offset.
    if (!answer.ok || policy.connection !== connection) break;
    if (!overlaps(walk, answer.value, { ...cursor, until })) continue;
    if (isBelow && shows(answer.value, cursor)) {
      profile.learnOffset(offset);
    }
    return { cursor: { ...cursor, until }, page: answer.value };
  }
  for (;;) {
    if (isGivenAway(walk, cursor)) return null;
    const isFresh = policy.connection === connection;
    if (isFresh && !policy.mayRenew()) break;
    ({ connection } = policy);
    const answer = yield* ask(walk, {
      window: { since: remaining.reach, until: cursor.until },
      ...(isFresh && { isFresh }),
    });
    if (!answer.ok) break;
    if (!overlaps(walk, answer.value, cursor)) continue;
    policy.onProgress();
    return { cursor, page: answer.value };
  }
  return null;
}

/** Whether the page is in order and shows a known event. */
function overlaps(walk: Walk, page: Page, cursor: Cursor): boolean {
  return isNewestFirst(page, walk.settledBefore) && shows(page, cursor);
}

function shows(page: Page, { until, above }: Cursor): boolean {
  const came = new Set(page.events.map(({ id }) => id));
  return above.some(({ id, createdAt }) => createdAt <= until && came.has(id));
}
