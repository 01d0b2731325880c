/**
 * Whether a relay lists all it holds. Some list no more events than they give at once, the newest, and say nothing of
 * the rest; some leave out whatever an index lacks. Then both sides agree on a list that proves nothing.
 *
 * The oldest second listed and what lies below it are asked for: of a whole list, that is what was listed of this second.
 * What is listed no more is asked for by its ids: who gives it has left it out.
 *
 * @module
 */
import type { EventKeys } from "../../models/encoded_events.ts";
import type { Window } from "../../models/window.ts";
import type { Reconciled } from "../../nips/nip77/reconcile.ts";
import type { WalkJob } from "../protocol/job.ts";

import type { FetchEnd, FetchPage } from "./id_fetch.ts";
import { isStable } from "../walk/witnesses.ts";
import { hexIds, keysIn, sortedKeys } from "./key_list.ts";
import { boundedFilter } from "./part.ts";
import type { NegentropyTrust } from "./trust.ts";

/** A comparison that the relay has confirmed. */
export interface ConfirmedList {
  readonly walk: WalkJob;
  readonly window: Window;
  /** Ours. */
  readonly keys: EventKeys;
  readonly outcome: Reconciled;
  readonly fetched: FetchEnd;
}

/** What is known of a list. */
export type ListCheck =
  /** It is whole; of the `open` second more may be held than the relay gives at once. */
  | { readonly type: "whole"; readonly open: Window | null }
  /** It lacks something that the relay gives. */
  | { readonly type: "false" }
  /** The relay does not tell. */
  | { readonly type: "unknown" };

/** What a list is checked with. */
export interface ListCheckDeps {
  readonly trust: NegentropyTrust;
  readonly fetch: FetchPage;
  /** Events asked for at once at most. */
  readonly limit: number;
  /** Unix seconds: what is younger may have come after it was listed. */
  readonly settledBefore: number;
}

const WHOLE: ListCheck = { type: "whole", open: null };

/** Events asked for beyond those that are listed: a few may have come in just now. */
const ROOM = 20;

/** So many events of one second may hide the end of a list. */
const CROWD = 10;

/** Ids listed no more that are asked for: most of them were deleted, or replaced. */
const MAX_GONE_ASKED = 20;

/** Asks the relay only where there is a doubt. */
export async function checkList(
  list: ConfirmedList,
  deps: ListCheckDeps,
): Promise<ListCheck> {
  const { keys, outcome } = list;
  const gone = outcome.have.createdAt.length;
  const added = outcome.need.length / 32;
  const listed = keys.createdAt.length - gone + added;
  if (gone > 0 && await givesGone(list, deps)) return { type: "false" };
  const isChanged = gone + added > 0;
  if (!deps.trust.isDoubtful(listed, { isChanged })) return WHOLE;
  const check = await checkEnd(list, deps);
  if (check.type === "whole") deps.trust.shownWhole(listed);
  return check;
}

/** Whether the relay gives some of what it lists no more. */
async function givesGone(
  { window, outcome: { have } }: ConfirmedList,
  { fetch, settledBefore }: ListCheckDeps,
): Promise<boolean> {
  const ids = hexIds(have).filter((_, i) => have.createdAt[i]! < settledBefore);
  const step = Math.max(1, Math.ceil(ids.length / MAX_GONE_ASKED));
  const asked = ids.filter((_, i) => i % step === 0);
  if (asked.length === 0) return false;
  const limit = asked.length;
  const filter = { ids: asked, limit };
  let isGiven = false;
  await fetch(
    { filter, window, limit, evidenceOnly: false },
    ({ kind }) => isGiven ||= isStable(kind),
  );
  return isGiven;
}

/** Whether the list ends where the relay does. */
async function checkEnd(
  list: ConfirmedList,
  deps: ListCheckDeps,
): Promise<ListCheck> {
  const { since, until } = list.window;
  const oldest = oldestListed(list);
  if (oldest === null) {
    return checkOf(await showsMore(list, list.window, deps));
  }
  const second = { since: oldest, until: oldest };
  const crowd = listedIds(list, second).size;
  const down = { since, until: Math.min(oldest, until) };
  const shown = await showsMore(list, down, { ...deps, crowd });
  const check = checkOf(shown);
  if (check.type !== "whole" || shown.listed >= crowd) return check;
  // The page had no room for the crowd, or the relay holds some of it back. More than can be asked for is not checked.
  const below = oldest > since
    ? checkOf(await showsMore(list, { since, until: oldest - 1 }, deps))
    : WHOLE;
  const isCut = crowd + ROOM <= deps.limit &&
    (shown.listed > 0 || crowd >= CROWD);
  return below.type === "whole" && isCut
    ? { type: "whole", open: second }
    : below;
}

/** What an answer shows: events that are listed, and whether others; null where there is none. */
interface Shown {
  readonly listed: number;
  readonly hasMore: boolean | null;
}

function checkOf({ hasMore }: Shown): ListCheck {
  if (hasMore === null) return { type: "unknown" };
  return hasMore ? { type: "false" } : WHOLE;
}

/** Asks for what a window shows beyond the `crowd` that is listed at its top. */
async function showsMore(
  list: ConfirmedList,
  window: Window,
  { fetch, limit: most, settledBefore, crowd = 0 }: ListCheckDeps & {
    readonly crowd?: number;
  },
): Promise<Shown> {
  const ids = listedIds(list, window);
  const limit = Math.min(most, crowd + ROOM);
  let listed = 0;
  let hasMore = false;
  const page = await fetch({
    filter: { ...boundedFilter(list.walk, window), limit },
    window,
    limit,
    evidenceOnly: false,
  }, ({ id, created_at: at }) => {
    if (ids.has(id)) listed += 1;
    else hasMore ||= at < settledBefore;
  });
  const hasFailed = page.end.type === "failed" || page.end.type === "aborted";
  return { listed, hasMore: hasFailed && !hasMore ? null : hasMore };
}

/** The oldest second of which an event is listed; null where nothing is. */
function oldestListed(
  { keys, outcome, fetched }: ConfirmedList,
): number | null {
  const gone = new Set(hexIds(outcome.have));
  const first = hexIds(keys).findIndex((id) => !gone.has(id));
  const oldest = fetched.obtained.createdAt.reduce(
    (a, b) => Math.min(a, b),
    keys.createdAt[first] ?? Infinity,
  );
  return oldest === Infinity ? null : oldest;
}

function listedIds(
  { keys, outcome, fetched }: ConfirmedList,
  window: Window,
): Set<string> {
  const listed = new Set(hexIds(keysIn(keys, window)));
  const obtained = sortedKeys(fetched.obtained);
  for (const id of hexIds(keysIn(obtained, window))) listed.add(id);
  for (const id of hexIds(outcome.have)) listed.delete(id);
  return listed;
}
