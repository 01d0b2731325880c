/**
 * Whether a relay lists all it holds. Some list no more events than they give at once, the newest, and say nothing of
 * the rest; then both sides agree on a list that proves nothing.
 *
 * What lies below the oldest event listed is asked for: of a whole list, that is nothing.
 *
 * @module
 */
import type { EventKeys } from "../../models/encoded_events.ts";
import type { NostrEvent } from "../../models/event.ts";
import type { Window } from "../../models/window.ts";
import type { Reconciled } from "../../nips/nip77/reconcile.ts";
import type { WalkJob } from "../protocol/job.ts";

import type { FetchEnd, FetchPage } from "./id_fetch.ts";
import { hexIds, keysIn } from "./key_list.ts";
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

/** Events asked for beyond those that are listed: a few may have come in just now. */
const LIMIT = 20;

/** Events of one second that may hide the end of a list, and most of them that are asked for again to see. */
const CROWD = 10;
const MAX_CROWD = 480;

/** Asks for it only where there is a doubt; null when the relay does not tell. */
export async function isWholeList(
  list: ConfirmedList,
  { trust, fetch, settledBefore }: {
    readonly trust: NegentropyTrust;
    readonly fetch: FetchPage;
    /** Unix seconds: what is younger may have come after it was listed. */
    readonly settledBefore: number;
  },
): Promise<boolean | null> {
  const { keys, outcome } = list;
  const gone = outcome.have.createdAt.length;
  const added = outcome.need.length / 32;
  const listed = keys.createdAt.length - gone + added;
  const isChanged = gone + added > 0;
  if (!trust.isDoubtful(listed, { isChanged })) return true;
  const below = belowOf(list);
  const deps = { fetch, settledBefore };
  const isWhole = await showsNoMore(list, { ...below, limit: LIMIT }, deps);
  if (isWhole !== true) return isWhole;
  // The second of the oldest event may hold more than are listed of it.
  const second = { since: below.until + 1, until: below.until + 1 };
  const crowd = listedAt(list, second.since);
  if (crowd >= CROWD && crowd <= MAX_CROWD) {
    const limit = crowd + LIMIT;
    if (await showsNoMore(list, { ...second, limit }, deps) === false) {
      return false;
    }
  }
  trust.shownWhole(listed);
  return true;
}

/** Whether a window shows nothing but what is listed; null when the relay does not tell. */
async function showsNoMore(
  list: ConfirmedList,
  { limit, ...window }: Window & { readonly limit: number },
  { fetch, settledBefore }: {
    readonly fetch: FetchPage;
    readonly settledBefore: number;
  },
): Promise<boolean | null> {
  const ids = listedIds(list, window);
  const unlisted: NostrEvent[] = [];
  const page = await fetch({
    filter: { ...boundedFilter(list.walk, window), limit },
    window,
    limit,
    evidenceOnly: false,
  }, (event) => {
    if (!ids.has(event.id)) unlisted.push(event);
  });
  if (unlisted.some((event) => event.created_at < settledBefore)) return false;
  const hasFailed = page.end.type === "failed" || page.end.type === "aborted";
  return hasFailed ? null : true;
}

/** How many events of a second are listed. */
function listedAt({ keys, fetched }: ConfirmedList, second: number): number {
  const ours = keysIn(keys, { since: second, until: second });
  return ours.createdAt.length +
    fetched.obtained.createdAt.filter((at) => at === second).length;
}

/** All below the oldest event that is listed; its own second where there is nothing below. */
function belowOf({ keys, outcome, fetched, window }: ConfirmedList): Window {
  const { since, until } = window;
  const gone = new Set(hexIds(outcome.have));
  const first = hexIds(keys).findIndex((id) => !gone.has(id));
  const oldest = fetched.obtained.createdAt.reduce(
    (a, b) => Math.min(a, b),
    keys.createdAt[first] ?? until + 1,
  );
  return { since, until: Math.max(since, Math.min(until, oldest - 1)) };
}

function listedIds(
  { keys, outcome, fetched }: ConfirmedList,
  window: Window,
): Set<string> {
  const listed = new Set(hexIds(keysIn(keys, window)));
  for (const id of hexIds(fetched.obtained)) listed.add(id);
  for (const id of hexIds(outcome.have)) listed.delete(id);
  return listed;
}
