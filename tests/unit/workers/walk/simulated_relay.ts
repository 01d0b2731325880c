/**
 * A relay in memory, as a walk sees one: its caps, its order and its faults, without any I/O.
 *
 * @module
 */
import type { NostrEvent } from "../../../../src/models/event.ts";
import { type Filter, matchesFilter } from "../../../../src/models/filter.ts";
import {
  mergeWindows,
  OPEN_END,
  subtractWindows,
  type Window,
} from "../../../../src/models/window.ts";
import { RecentEvents } from "../../../../src/workers/ingest/recent_events.ts";
import type {
  ContradictionKind,
  WalkProof,
} from "../../../../src/workers/protocol/evidence.ts";
import type { WalkJob } from "../../../../src/workers/protocol/job.ts";
import {
  type FailureReason,
  type GapReason,
  type RelayOrder,
  UNKNOWN_TRAITS,
} from "../../../../src/workers/protocol/report.ts";
import type {
  Page,
  PageEnd,
  PageEvent,
  Query,
} from "../../../../src/workers/walk/page.ts";
import {
  type Asked,
  ParallelRanges,
} from "../../../../src/workers/walk/parallel_ranges.ts";
import { RelayProfile } from "../../../../src/workers/walk/relay_profile.ts";
import { RequestPolicy } from "../../../../src/workers/walk/request_policy.ts";
import { Witnesses } from "../../../../src/workers/walk/witnesses.ts";
import { Findings } from "../../../../src/workers/worker/findings.ts";
import { FIRST } from "./simulated_events.ts";

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
  /** Answers only the first filter of a REQ. */
  readonly isSingle?: boolean;
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
  readonly proven: readonly (Window & {
    readonly proof: WalkProof;
    readonly witness: string | null;
  })[];
  readonly gaps: readonly (Window & { readonly reason: GapReason })[];
  readonly contradicted: readonly ContradictionKind[];
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
  /** Unix seconds. */
  readonly now?: number;
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
  const { now = NOW } = simulation;
  const obtained = new Set<string>();
  const proven: (Window & { proof: WalkProof; witness: string | null })[] = [];
  const gaps: (Window & { reason: GapReason })[] = [];
  const contradicted: ContradictionKind[] = [];
  const lies: string[] = [];
  const obtainable = relay.events.filter((event) =>
    matchesFilter(filter, event) && !relay.droppedKinds?.includes(event.kind)
  );
  const job: WalkJob = {
    filter,
    filterHash: "00",
    wanted: window,
    windows: [window],
    repairs: [],
    provenUntil: Math.min(window.until, now),
    weak: [],
    covered: [],
  };
  const findings = new Findings(job, {
    caught: 0,
    sink(finding) {
      if (finding.type === "open") {
        const { since, until, reason } = finding.gap;
        gaps.push({ since, until, reason });
        return;
      }
      const { since, until, method: proof, support } = finding.proof;
      proven.push({ since, until, proof, witness: support.witness });
      for (const { id, created_at } of obtainable) {
        if (created_at < since || created_at > until) continue;
        if (!obtained.has(id)) {
          lies.push(`${proof} ${since}-${until}: ${created_at}`);
        }
      }
    },
  });
  const came = new Set<string>();
  const repeated: string[] = [];
  const recent = new RecentEvents(0);
  const { picks = [], heldFrom = Infinity } = simulation;
  const profile = new RelayProfile({ ...UNKNOWN_TRAITS, order });
  const policy = new RequestPolicy(limit, picks.length > 0 ? 16 : 1);
  const ranges = new ParallelRanges({
    filter,
    remaining: {
      ...window,
      floor: [],
      reach: window.since,
      ceiling: [],
      within: [],
      top: window.until,
      doing: "paging",
    },
    settledBefore: now + 1_000,
    profile,
    policy,
    witnesses: new Witnesses(),
    findings,
    authors: () => [],
    now,
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
    findings.skipUnread(asked.query, page);
    // As a session does.
    recent.capacity = 2 * limit * policy.concurrency.allowed;
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
  contradicted.push(...findings.contradictions.map(({ kind }) => kind));
  return {
    obtained,
    proven,
    gaps,
    contradicted,
    requests,
    received,
    repeated,
    brokenBy: ranges.brokenBy,
    lies,
    order: profile.order,
    peak,
  };
}

/** The moment of planning of a simulated walk; nothing above it is claimed. */
export const NOW = FIRST + 100_000_000;

/** The settled seconds of `window` that were neither proven nor recorded as a gap. */
export function forgotten(
  { since, until }: Window,
  outcome: Outcome,
): Window[] {
  return subtractWindows(
    { since, until: Math.min(until, NOW) },
    mergeWindows([...outcome.proven, ...outcome.gaps]),
  );
}

function answer(relay: SimulatedRelay, query: Query, request: number): Page {
  const sent = new Map<string, NostrEvent>();
  let isAll = true;
  for (const filter of [query.filter, ...query.extraFilters ?? []]) {
    const { strangers = 0 } = relay;
    const { limit: asked = Infinity } = filter;
    const matching = sorted(
      relay,
      relay.events.filter((event) =>
        matchesFilter(honoured(relay, filter), event)
      ),
    );
    const limit = relay.ignores?.includes("limit")
      ? Infinity
      : Math.max(0, Math.min(asked, relay.cap) - strangers);
    const picked = matching.slice(0, limit);
    isAll &&= picked.length === matching.length;
    const given = picked
      .filter(({ kind }) => !relay.droppedKinds?.includes(kind));
    if (relay.order === "oldest-first-sorted") given.reverse();
    for (const event of given) sent.set(event.id, event);
    if (relay.isSingle) break;
  }
  const all = [...sent.values()];
  const failure = relay.fails?.(request, query) ?? poisoned(all, relay.poison);
  const hint = !relay.hints
    ? undefined
    : isAll
    ? "finish" as const
    : "more" as const;
  const end = failure?.end ?? { type: "eose" as const, hint };
  return toPage(relay, all.slice(0, failure?.after ?? Infinity), {
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
  came: readonly NostrEvent[],
  { query, end }: { query: Query; end: PageEnd },
): Page {
  const { since, until } = query.window;
  const { ids, isSeen } = relay.oversized ?? { ids: new Set(), isSeen: true };
  const { since: _since, until: _until, limit: _limit, ...rest } = query.filter;
  const isExtra = (event: NostrEvent) =>
    (query.extraFilters ?? []).some((filter) => matchesFilter(filter, event)) &&
    !(event.created_at >= since && event.created_at <= until &&
      matchesFilter(rest, event));
  const sent = came.filter((event) => !isExtra(event));
  const read = sent.filter(({ id }) => !ids.has(id));
  const inWindow = read.filter(({ created_at }) =>
    created_at >= since && created_at <= until
  );
  const asked = query.match ?? query.filter;
  const wanted = inWindow.filter((event) => matchesFilter(asked, event));
  return {
    events: inWindow.map(toPageEvent),
    accepted: query.evidenceOnly ? [] : wanted.map(toPageEvent),
    extra: came.filter(isExtra).map(toPageEvent),
    size: sent.length + (relay.strangers ?? 0),
    newer: read.filter(({ created_at }) => created_at > until).length,
    older: read.filter(({ created_at }) => created_at < since).length,
    lowest: Math.min(
      OPEN_END,
      ...read.map(({ created_at }) => created_at).filter((at) => at < since),
    ),
    isShared: false,
    backpressured: false,
    unread: sent.flatMap(({ id, created_at: at }, i) => {
      if (!ids.has(id)) return [];
      const reason = "too-large" as const;
      if (isSeen) return { since: at, until: at, reason };
      const before = sent.slice(0, i).findLast((one) => !ids.has(one.id));
      const after = sent.slice(i + 1).find((one) => !ids.has(one.id));
      return {
        since: after?.created_at ?? since,
        until: before?.created_at ?? until,
        reason,
      };
    }),
    limit: query.limit,
    end,
  };
}

function toPageEvent(event: NostrEvent): PageEvent {
  const { id, created_at: createdAt, kind, pubkey, sig } = event;
  return { id, createdAt, kind, pubkey, sig };
}
