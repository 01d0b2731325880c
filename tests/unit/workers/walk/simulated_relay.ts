/**
 * A relay in memory, as a walk sees one: its caps, its order and its faults, without any I/O.
 *
 * @module
 */
import { type Filter, matchesFilter } from "../../../../src/models/filter.ts";
import type { NostrEvent } from "../../../../src/models/event.ts";
import {
  mergeWindows,
  subtractWindows,
  type Window,
} from "../../../../src/models/window.ts";
import { HonestLedger } from "../../../../src/workers/walk/honest_ledger.ts";
import {
  type FailureReason,
  type GapReason,
  type RelayOrder,
  UNKNOWN_TRAITS,
  type WalkProof,
} from "../../../../src/workers/protocol/report.ts";
import { Pace } from "../../../../src/workers/walk/relay_profile.ts";
import type {
  Page,
  PageEnd,
  PageEvent,
  Query,
} from "../../../../src/workers/walk/page.ts";
import { RecentEvents } from "../../../../src/workers/ingest/recent_events.ts";
import {
  type Asked,
  ParallelRanges,
} from "../../../../src/workers/walk/parallel_ranges.ts";

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
  /** Longer than is read, and whether it can be seen which they are. */
  readonly oversized?: {
    readonly ids: ReadonlySet<string>;
    readonly isSeen: boolean;
  };
  /** Events that the connection breaks at, whenever it comes to them. */
  readonly poison?: ReadonlySet<string>;
  /** Messages in front of every page that are no events, and count as such. */
  readonly strangers?: number;
  /** Bears one subscription: a newer one ends the older so. */
  readonly displaces?: FailureReason;
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
  /** Events that a session would have taken for new ones again. */
  readonly repeated: readonly string[];
  readonly brokenBy: string | null;
  /** Claims that were not true when they were made. */
  readonly lies: readonly string[];
  readonly order: RelayOrder;
  /** Most requests under way at once. */
  readonly peak: number;
}

interface UnderWay {
  readonly asked: Asked;
  page: Page;
}

export interface Simulation {
  readonly filter?: Filter;
  readonly window: Window;
  readonly limit?: number;
  readonly order?: RelayOrder;
  readonly maxRequests?: number;
  /** Which of the requests under way is answered next, again and again; without them there is one at a time. */
  readonly picks?: readonly number[];
  /** From this answer on we are the slower side, and walks that have begun have to wait. */
  readonly heldFrom?: number;
}

/** Walks the window of the relay; throws when it takes more requests than allowed. */
export function simulate(
  relay: SimulatedRelay,
  simulation: Simulation,
): Outcome {
  const { filter = {}, window, limit = 500 } = simulation;
  const { order = "unknown", maxRequests = 5_000 } = simulation;
  const obtained = new Set<string>();
  const proven: (Window & { proof: WalkProof })[] = [];
  const gaps: (Window & { reason: GapReason })[] = [];
  const lies: string[] = [];
  const obtainable = relay.events.filter((event) =>
    matchesFilter(filter, event) && !relay.droppedKinds?.includes(event.kind)
  );
  const ledger = new HonestLedger({
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
  });
  const came = new Set<string>();
  const repeated: string[] = [];
  const recent = new RecentEvents(0);
  const { picks = [], heldFrom = Infinity } = simulation;
  const maxInFlight = picks.length > 0 ? 16 : 1;
  const pace = new Pace(limit, { ...UNKNOWN_TRAITS, order }, maxInFlight);
  const settledBefore = Number.MAX_SAFE_INTEGER;
  const ranges = new ParallelRanges({
    filter,
    window,
    settledBefore,
    pace,
    ledger,
  });
  const underWay: UnderWay[] = [];
  let requests = 0;
  let received = 0;
  let peak = 0;
  for (let turn = 0;; turn++) {
    for (let asked = ranges.next(); asked !== null; asked = ranges.next()) {
      if (requests >= maxRequests) throw new Error(`${requests} requests`);
      if (relay.displaces !== undefined) {
        for (const older of underWay) {
          older.page = displaced(older.page, relay.displaces);
        }
      }
      const page = answer(relay, asked.query, requests++);
      underWay.push({ asked, page });
      peak = Math.max(peak, underWay.length);
    }
    if (underWay.length === 0) break;
    const pick = (picks[turn % picks.length] ?? 0) % underWay.length;
    const { asked, page } = underWay.splice(pick, 1)[0]!;
    received += page.size;
    ledger.skipUnread(page);
    // As a session does.
    recent.capacity = 2 * limit * pace.inFlight;
    for (const event of page.accepted) {
      came.add(event.id);
      if (asked.range.repeats.has(event) || !recent.add(event)) continue;
      if (obtained.has(event.id)) repeated.push(event.id);
      obtained.add(event.id);
    }
    ranges.take(asked, { ...page, backpressured: turn >= heldFrom });
  }
  for (const id of came) {
    if (!obtained.has(id)) throw new Error(`${id} came, and was not taken`);
  }
  const brokenBy = ranges.brokenBy;
  return {
    obtained,
    proven,
    gaps,
    requests,
    received,
    repeated,
    brokenBy,
    lies,
    order: pace.order,
    peak,
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
  const { strangers = 0 } = relay;
  const limit = relay.ignores?.includes("limit")
    ? Infinity
    : Math.max(0, Math.min(query.limit, relay.cap) - strangers);
  const picked = matching.slice(0, limit);
  const sent = picked.filter(({ kind }) => !relay.droppedKinds?.includes(kind));
  if (relay.order === "oldest-first-sorted") sent.reverse();
  const failure = relay.fails?.(request, query) ??
    poisoned(sent, relay.poison);
  const hint = !relay.hints
    ? undefined
    : picked.length === matching.length
    ? "finish" as const
    : "more" as const;
  const end = failure?.end ?? { type: "eose" as const, hint };
  return toPage(relay, sent.slice(0, failure?.after ?? Infinity), {
    query,
    end,
  });
}

function displaced(page: Page, reason: FailureReason): Page {
  const end = { type: "failed", reason } as const;
  return { ...page, events: [], accepted: [], size: 0, end };
}

function poisoned(
  sent: readonly NostrEvent[],
  poison: ReadonlySet<string> | undefined,
): { end: PageEnd; after: number } | null {
  const after = poison === undefined
    ? -1
    : sent.findIndex(({ id }) => poison.has(id));
  const end = { type: "failed", reason: "disconnected" } as const;
  return after < 0 ? null : { end, after };
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

function toPage(
  relay: SimulatedRelay,
  sent: readonly NostrEvent[],
  { query, end }: { query: Query; end: PageEnd },
): Page {
  const { since, until } = query.window;
  const { ids, isSeen } = relay.oversized ?? { ids: new Set(), isSeen: true };
  const unread = sent.filter(({ id }) => ids.has(id));
  const read = sent.filter(({ id }) => !ids.has(id));
  const inWindow = read.filter(({ created_at }) =>
    created_at >= since && created_at <= until
  );
  const asked = query.match ?? query.filter;
  const wanted = inWindow.filter((event) => matchesFilter(asked, event));
  return {
    events: inWindow.map(toPageEvent),
    accepted: query.evidenceOnly ? [] : wanted.map(toPageEvent),
    size: sent.length + (relay.strangers ?? 0),
    newer: read.filter(({ created_at }) => created_at > until).length,
    older: read.filter(({ created_at }) => created_at < since).length,
    isShared: false,
    backpressured: false,
    unread: unread.map(({ created_at: at }) => {
      const stretch = isSeen ? { since: at, until: at } : query.window;
      return { ...stretch, reason: "too-large" };
    }),
    extra: [],
    limit: query.limit,
    end,
  };
}

function toPageEvent(event: NostrEvent): PageEvent {
  const { id, created_at: createdAt, kind, pubkey, sig } = event;
  return { id, createdAt, kind, pubkey, sig };
}
