/**
 * A relay in memory, as a walk sees one: its caps, its order and its faults, without any I/O.
 *
 * @module
 */
import { type Filter, matchesFilter } from "../../../src/models/filter.ts";
import type { NostrEvent } from "../../../src/models/event.ts";
import {
  mergeWindows,
  subtractWindows,
  type Window,
} from "../../../src/models/window.ts";
import type { Ledger } from "../../../src/workers/walk/ask.ts";
import { Pace, type RelayOrder } from "../../../src/workers/walk/pace.ts";
import type {
  GapReason,
  Page,
  PageEnd,
  Query,
  WalkProof,
} from "../../../src/workers/walk/page.ts";
import { walkWindow } from "../../../src/workers/walk/walk.ts";

export interface SimulatedRelay {
  readonly events: readonly NostrEvent[];
  readonly cap: number;
  readonly order?:
    | "newest-first"
    | "oldest-first"
    | "random"
    | "oldest-first-sorted";
  /** Dropped from what is answered, after the limit was counted. */
  readonly droppedKinds?: readonly number[];
  readonly ignores?: readonly ("since" | "until" | "limit" | "kinds")[];
  readonly exclusiveUntil?: boolean;
  readonly hints?: boolean;
  /** Overrides how the nth request (from 0) ends, after so many of its events. */
  readonly fails?: (
    request: number,
    query: Query,
  ) => { end: PageEnd; after?: number } | null;
}

export interface Outcome {
  readonly obtained: ReadonlySet<string>;
  readonly proven: readonly (Window & { readonly proof: WalkProof })[];
  readonly gaps: readonly (Window & { readonly reason: GapReason })[];
  readonly requests: number;
  readonly received: number;
  readonly brokenBy: string | null;
  /** Claims that were not true when they were made. */
  readonly lies: readonly string[];
  readonly order: RelayOrder;
}

export interface Simulation {
  readonly filter?: Filter;
  readonly window: Window;
  readonly limit?: number;
  readonly order?: RelayOrder;
  readonly maxRequests?: number;
}

/** Walks the window of the relay; throws when it takes more requests than allowed. */
export function simulate(
  relay: SimulatedRelay,
  { filter = {}, window, limit = 500, order = "unknown", maxRequests = 5_000 }:
    Simulation,
): Outcome {
  const obtained = new Set<string>();
  const proven: (Window & { proof: WalkProof })[] = [];
  const gaps: (Window & { reason: GapReason })[] = [];
  const lies: string[] = [];
  const obtainable = relay.events.filter((event) =>
    matchesFilter(filter, event) && !relay.droppedKinds?.includes(event.kind)
  );
  const ledger: Ledger = {
    prove(claim, proof) {
      proven.push({ ...claim, proof });
      for (const { id, created_at } of obtainable) {
        if (created_at < claim.since || created_at > claim.until) continue;
        if (!obtained.has(id)) {
          lies.push(`${proof} ${claim.since}-${claim.until}: ${created_at}`);
        }
      }
    },
    gap: (gap, reason) => void gaps.push({ ...gap, reason }),
  };
  const pace = new Pace(limit, order);
  const settledBefore = Number.MAX_SAFE_INTEGER;
  const walk = walkWindow({ filter, window, settledBefore, pace, ledger });
  let requests = 0;
  let received = 0;
  let next = walk.next();
  while (!next.done) {
    if (requests >= maxRequests) throw new Error(`${requests} requests`);
    const page = answer(relay, next.value, requests++);
    received += page.size;
    if (!next.value.evidenceOnly) {
      for (const { id } of page.events) obtained.add(id);
    }
    next = walk.next(page);
  }
  const brokenBy = next.value;
  return {
    obtained,
    proven,
    gaps,
    requests,
    received,
    brokenBy,
    lies,
    order: pace.order,
  };
}

/** The seconds of `window` that were neither proven nor recorded as a gap. */
export function forgotten(window: Window, outcome: Outcome): Window[] {
  return subtractWindows(
    window,
    mergeWindows([...outcome.proven, ...outcome.gaps]),
  );
}

function answer(relay: SimulatedRelay, query: Query, request: number): Page {
  const asked = honoured(relay, query.filter);
  const matching = sorted(
    relay,
    relay.events.filter((event) => matchesFilter(asked, event)),
  );
  const limit = relay.ignores?.includes("limit")
    ? Infinity
    : Math.min(query.limit, relay.cap);
  const picked = matching.slice(0, limit);
  const sent = picked.filter(({ kind }) => !relay.droppedKinds?.includes(kind));
  if (relay.order === "oldest-first-sorted") sent.reverse();
  const failure = relay.fails?.(request, query) ?? null;
  const hint = !relay.hints
    ? undefined
    : picked.length === matching.length
    ? "finish" as const
    : "more" as const;
  const end = failure?.end ?? { type: "eose" as const, hint };
  return toPage(sent.slice(0, failure?.after ?? Infinity), query, end);
}

function honoured(relay: SimulatedRelay, filter: Filter): Filter {
  const { since, until, limit: _, kinds, ...rest } = filter;
  const ignores = relay.ignores ?? [];
  return {
    ...rest,
    ...(since !== undefined && !ignores.includes("since") && { since }),
    ...(until !== undefined && !ignores.includes("until") &&
      { until: relay.exclusiveUntil ? until - 1 : until }),
    ...(kinds !== undefined && !ignores.includes("kinds") && { kinds }),
  };
}

function sorted(relay: SimulatedRelay, events: NostrEvent[]): NostrEvent[] {
  const newestFirst = (a: NostrEvent, b: NostrEvent) =>
    b.created_at - a.created_at || (a.id < b.id ? -1 : 1);
  switch (relay.order ?? "newest-first") {
    case "newest-first":
      return events.sort(newestFirst);
    case "oldest-first":
    case "oldest-first-sorted":
      return events.sort((a, b) => -newestFirst(a, b));
    case "random":
      // Any order that has nothing to do with time.
      return events.sort((a, b) => a.sig < b.sig ? -1 : 1);
  }
}

function toPage(sent: NostrEvent[], query: Query, end: PageEnd): Page {
  const { since, until } = query.window;
  return {
    events: sent.filter(({ created_at }) =>
      created_at >= since && created_at <= until
    ).map(({ id, created_at, kind, pubkey }) => ({
      id,
      createdAt: created_at,
      kind,
      pubkey,
    })),
    size: sent.length,
    newer: sent.filter(({ created_at }) => created_at > until).length,
    older: sent.filter(({ created_at }) => created_at < since).length,
    limit: query.limit,
    end,
  };
}
