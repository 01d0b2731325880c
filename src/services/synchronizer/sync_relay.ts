/**
 * One relay from plan to result: what is wanted, a session in a worker, everything stored, what is still missing.
 *
 * @module
 */
import type { CandidateBudgets } from "../../archive/candidates.ts";
import {
  proofShares,
  type StrengthShares,
} from "../../archive/sync_coverage.ts";
import type { Database } from "../../core/database/connection/database.ts";
import type { Network } from "../../models/network.ts";
import { filterHash } from "../../models/filter.ts";
import type { RelayUrl } from "../../models/relay_url.ts";
import type { RelayFailure } from "../../transport/failure.ts";
import type { SyncPool } from "../../workers/host/worker_pool.ts";
import type { LiveEnd, SyncReport } from "../../workers/protocol/report.ts";
import { NO_AUDIT } from "../../workers/protocol/evidence.ts";
import type { LiveJob, SyncBounds } from "../../workers/protocol/job.ts";

import {
  type LiveProven,
  liveProven,
  type LiveReview,
  reviewLive,
} from "./live/audit.ts";
import {
  concludeNip77,
  type NegentropyPolicy,
  planNip77,
} from "./negentropy_repair.ts";
import {
  type MissingWindow,
  missingWindows,
  planWalks,
  type SyncPlanContext,
  type Wanted,
} from "./plan.ts";
import { recallRelay, rememberRelay } from "./relay_memory.ts";
import { SessionAudit, type SyncAudit } from "./session_audit.ts";
import { type SyncCounts, SyncStore } from "./tally.ts";

/** What syncing relays takes. */
export interface SyncDeps {
  readonly database: Database;
  readonly pool: SyncPool;
  readonly wanted: Wanted;
  readonly bounds: Omit<SyncBounds, "connectTimeoutMs">;
  readonly negentropy: NegentropyPolicy;
  readonly connectTimeoutMs: Readonly<Record<Network, number>>;
  readonly budgets: CandidateBudgets;
  readonly allowPrivate: boolean;
}

export interface SyncTarget {
  readonly relayId: number;
  readonly relay: RelayUrl;
}

/** How the sync of a relay ended. */
export interface RelaySync extends SyncCounts {
  /** Why the relay could not be asked, or not to the end; null when it could. */
  readonly failure: RelayFailure | null;
  /** Whether everything wanted is proven complete. */
  readonly complete: boolean;
  readonly method: "negentropy" | "paging" | "split";
  /** How strongly what is proven of the wanted time is proven. */
  readonly proof: StrengthShares;
  readonly audit: SyncAudit;
  readonly gaps: readonly MissingWindow[];
  readonly seconds: number;
  /** How it was to be live; null when it was not. */
  readonly live: LiveEnd | null;
  /** What the live session before this sync was worth; null when there was none. */
  readonly review: LiveReview | null;
}

export interface SyncOptions {
  /** Aborting ends the sync after what is in hand. */
  readonly signal: AbortSignal;
  readonly onProgress: (counts: SyncCounts) => void;
  /** Null or left out: the sync ends when everything wanted is done. */
  readonly live?: LiveOffer | null;
}

export type LivePolicy = Omit<LiveJob, "since">;

/** To stay with the relay once everything wanted is done. */
export interface LiveOffer {
  readonly policy: LivePolicy;
  /** Whether the sync may go on as a live one; what it came to so far. */
  readonly accepts: (soFar: RelaySync, address: string | null) => boolean;
}

/**
 * Syncs one relay. A worker that is lost on the way costs only what it had not handed in.
 * Throws what the database throws.
 */
export async function syncRelay(
  deps: SyncDeps,
  target: SyncTarget,
  options: SyncOptions,
): Promise<RelaySync> {
  const startedAt = performance.now();
  const { relayId } = target;
  const { signal, live, onProgress } = options;
  const claims = await claimsOf(deps, relayId);
  const now = Math.floor(Date.now() / 1_000);
  const context = { relayId, now, provenLive: claims.windows };
  const withheldSince = context.now - deps.negentropy.retestSeconds;
  const store: SyncStore = new SyncStore({ ...deps, relayId, withheldSince }, {
    onProgress,
    onCaughtUp: async ({ report, address }) => {
      const soFar = await resultOf(deps, run, report);
      run.isLive = live?.accepts(soFar, address) ?? false;
      return run.isLive;
    },
  });
  const run: Run = {
    ...{ target, context, store, signal, startedAt },
    ...{
      liveJob: live ? liveJob(live.policy, deps.wanted) : null,
      claims,
      audit: new SessionAudit(deps.database, {
        relayId,
        filterHash: filterHash(deps.wanted.filters[0]?.filter ?? {}),
      }),
      review: null,
      isLive: false,
    },
  };
  return await resultOf(deps, run, await runSessions(deps, run));
}

/** More subscriptions than this would leave the relay no room for anything else. */
const MAX_LIVE_FILTERS = 8;

/** Null where the relay is not to be live: what is to come is not wanted, or by too many filters. */
function liveJob(policy: LivePolicy, { filters }: Wanted): LiveJob | null {
  const isBounded = filters.some(({ until }) => until !== null);
  if (isBounded || filters.length > MAX_LIVE_FILTERS) return null;
  return { ...policy, since: Math.min(...filters.map(({ since }) => since)) };
}

function claimsOf(
  { database, wanted: { filters } }: SyncDeps,
  relayId: number,
): Promise<LiveProven> {
  const hashes = filters.map(({ filter }) => filterHash(filter));
  return liveProven(database, relayId, hashes);
}

/** What a sync has come to. */
async function resultOf(
  deps: SyncDeps,
  run: Run,
  end: End,
): Promise<RelaySync> {
  const { context, store, signal, startedAt } = run;
  const review = await (run.review ??= reviewOf(deps, run, end));
  await run.audit.record(end);
  const gaps = await missingWindows(deps.database, context, {
    wanted: deps.wanted,
    otherwise: end.failure?.code ??
      (end.retracted.length > 0 ? "hidden" : "interrupted"),
  });
  const wasStopped = signal.aborted && gaps.length > 0;
  return {
    ...store.counts,
    failure: end.failure ?? (wasStopped ? { code: "aborted" } : null),
    complete: gaps.length === 0,
    method: methodOf(end),
    proof: await proofOf(deps, context.relayId),
    audit: run.audit.result,
    gaps,
    seconds: Math.round(performance.now() - startedAt) / 1_000,
    live: end.live,
    review,
  };
}

function proofOf(
  { database, wanted }: SyncDeps,
  relayId: number,
): Promise<StrengthShares> {
  const walks = wanted.filters.map(({ filter, since, until }) => ({
    filterHash: filterHash(filter),
    since,
    until,
  }));
  return proofShares(database, relayId, walks);
}

/** The first look counts: later there are claims that no walk can have proven yet. */
function reviewOf(
  { database, wanted }: SyncDeps,
  { claims, context, signal }: Run,
  { failure }: End,
): Promise<LiveReview | null> {
  const isWhole = failure === null && !signal.aborted;
  const provenBefore = isWhole ? context.now - wanted.lookbackSeconds : 0;
  return reviewLive(database, claims, provenBefore);
}

/** It had been live, and nobody counted. */
const LOST: LiveEnd = { reason: "lost", events: 0, seconds: 0 };

/** Workers that one relay may cost in one sync. */
const MAX_LOSSES = 3;

interface Run {
  readonly target: SyncTarget;
  readonly context: Omit<SyncPlanContext, "repair">;
  readonly store: SyncStore;
  readonly signal: AbortSignal;
  readonly startedAt: number;
  readonly liveJob: LiveJob | null;
  readonly claims: LiveProven;
  readonly audit: SessionAudit;
  review: Promise<LiveReview | null> | null;
  /** Whether the session goes on as a live one. */
  isLive: boolean;
}

type End = Pick<
  SyncReport,
  "failure" | "traits" | "hasReconciled" | "retracted" | "audit" | "live"
>;

/** Begins a session, and again from coverage when its worker was lost. */
async function runSessions(deps: SyncDeps, run: Run): Promise<End> {
  const { database, pool, bounds, allowPrivate } = deps;
  const { target: { relay }, context, store, signal } = run;
  const { now } = context;
  const { negentropy: policy, wanted } = deps;
  const { retestSeconds } = policy;
  const before = await recallRelay(database, relay.url, { now, retestSeconds });
  const traits = before.profile;
  const plan = planNip77(before.negentropy, { policy, wanted, now });
  const nothing = {
    traits,
    hasReconciled: false,
    retracted: [],
    audit: NO_AUDIT,
    live: null,
  };
  const connectTimeoutMs = deps.connectTimeoutMs[relay.network];
  for (let losses = 0;;) {
    const repair = plan.repair?.slice ?? null;
    const walks = await planWalks(database, { ...context, repair }, wanted);
    if (walks.length === 0) return { ...nothing, failure: null };
    const job = {
      ...{ relay, walks, traits, allowPrivate },
      negentropy: plan.job,
      live: run.liveJob,
      bounds: { ...bounds, connectTimeoutMs },
    };
    const outcome = await pool.sync(job, store, signal);
    if (outcome.ok) {
      const report = outcome.value;
      store.progress(report);
      // Before anything else is kept of the session: a crash must not save a claim that was contradicted.
      await run.audit.record(report);
      const isDone = report.failure === null && !signal.aborted;
      const negentropy = concludeNip77(plan, { report, isDone, now });
      const after = { profile: report.traits, negentropy };
      await rememberRelay(database, relay.url, { before, after });
      return report;
    }
    store.beginAgain();
    run.audit.beginAgain();
    if (run.isLive) return { ...nothing, failure: null, live: LOST };
    if (signal.aborted) return { ...nothing, failure: { code: "aborted" } };
    losses += 1;
    if (losses === MAX_LOSSES) {
      const detail = `${losses} workers were lost: ${outcome.failure.detail}`;
      return { ...nothing, failure: { code: "protocol", detail } };
    }
  }
}

/** By what a sync went, in one word. */
function methodOf({ traits, hasReconciled }: End): RelaySync["method"] {
  if (hasReconciled) return "negentropy";
  return traits.order === "unsorted" ? "split" : "paging";
}
