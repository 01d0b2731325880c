/**
 * The sync of one relay from plan to result: what is wanted, a session in a worker, everything stored, what is missing.
 *
 * @module
 */
import { databaseClock, isSkewed } from "../../archive/clock.ts";
import type { CandidateBudgets } from "../../archive/candidates.ts";
import {
  proofShares,
  type StrengthShares,
} from "../../archive/sync/sync_coverage.ts";
import { advanceWal, isCommitLoss } from "../../archive/sync/wal_position.ts";
import { errorText } from "../../base/error_text.ts";
import type { Database } from "../../core/database/connection/database.ts";
import type { Network } from "../../models/network.ts";
import { filterHash } from "../../models/filter.ts";
import type { RelayUrl } from "../../models/relay_url.ts";
import { fail, type Result } from "../../models/result.ts";
import type { RelayFailure } from "../../transport/failure.ts";
import type { SessionLoss } from "../../workers/host/session_handle.ts";
import type { SyncPool } from "../../workers/host/worker_pool.ts";
import type { LiveQuestion } from "../../workers/protocol/messages.ts";
import type {
  LiveEnd,
  RelayTraits,
  SyncReport,
} from "../../workers/protocol/report.ts";
import type {
  LiveJob,
  SyncBounds,
  SyncJob,
} from "../../workers/protocol/job.ts";

import {
  type LiveProven,
  liveProven,
  type LiveReview,
  reviewLive,
} from "./live/review.ts";
import {
  concludeNip77,
  type NegentropyPolicy,
  type Nip77Plan,
  planNip77,
} from "./negentropy_repair.ts";
import {
  type MissingWindow,
  missingWindows,
  planWalks,
  retractFuture,
  type SyncPlanContext,
  type Wanted,
} from "./plan.ts";
import {
  recallRelay,
  type RelayMemory,
  rememberRelay,
} from "./relay_memory.ts";
import { SessionAudit, type SyncAudit } from "./session_audit.ts";
import { type SyncCounts, SyncStore } from "./sync_store.ts";

/** The deps of a sync; those that differ by relay are `relayDeps`. */
export interface SyncDeps {
  readonly database: Database;
  readonly pool: SyncPool;
  readonly wanted: Wanted;
  readonly bounds: Omit<SyncBounds, "connectTimeoutMs">;
  readonly negentropy: NegentropyPolicy;
  /** Questions about what is proven already, in each sync on average. */
  readonly auditRequests: number;
  readonly connectTimeoutMs: Readonly<Record<Network, number>>;
  readonly budgets: CandidateBudgets;
  readonly allowPrivate: boolean;
}

export interface SyncTarget {
  readonly relayId: number;
  readonly relay: RelayUrl;
}

/** The clocks as a sync found them. */
export interface SyncClock {
  /** Our clock minus the database's, seconds. */
  readonly skewSeconds: number;
  /** Whether that is too much for anything to be proven: the gaps then have the reason `clock`. */
  readonly isWrong: boolean;
  /** Proven seconds that lay in the future and were taken back. */
  readonly retractedSeconds: number;
}

/** How the sync of a relay ended. */
export interface RelaySync extends SyncCounts {
  /** Why the relay could not be asked, or not to the end; null when it could. */
  readonly failure: RelayFailure | null;
  /** Whether everything wanted is proven complete. */
  readonly complete: boolean;
  readonly method: "negentropy" | "paging" | "split";
  /** Shares of the proven part of the wanted time, by strength. */
  readonly proof: StrengthShares;
  readonly audit: SyncAudit;
  readonly clock: SyncClock;
  readonly gaps: readonly MissingWindow[];
  readonly seconds: number;
  /** The end of the live part of the sync; null when it was not live. */
  readonly live: LiveEnd | null;
  /** The review of the live session before this sync; null when there was none. */
  readonly review: LiveReview | null;
}

export interface SyncOptions {
  /** Aborting ends the sync after what is in hand. */
  readonly signal: AbortSignal;
  readonly onProgress: (counts: SyncCounts) => void;
  /** Hears at once that so many proven seconds lay in the future and were taken back: a clock was wrong. */
  readonly onFutureRetracted?: (seconds: number) => void;
  /** Hears that the database server may lack commits, and the walks begin anew from coverage. */
  readonly onCommitLoss?: (detail: string) => void;
  /** Null or left out: the sync ends when everything wanted is done. */
  readonly live?: LiveOffer | null;
}

export type LivePolicy = Omit<LiveJob, "since">;

/** An offer to stay connected once everything wanted is done. */
export interface LiveOffer {
  readonly policy: LivePolicy;
  /** Decides whether the sync may go on as a live one, by its result so far. */
  readonly accepts: (soFar: RelaySync, address: string | null) => boolean;
}

/** Younger seconds are not proven: their events may still be on their way to the relay. */
const SETTLING_SECONDS = 60;

/**
 * Syncs one relay. A worker that is lost on the way costs only what it had not handed in.
 * Throws what the database throws.
 */
export async function syncRelay(
  deps: SyncDeps,
  target: SyncTarget,
  options: SyncOptions,
): Promise<RelaySync> {
  const { database, wanted } = deps;
  const { relayId } = target;
  const clock = await databaseClock(database);
  const { now } = clock;
  const retractedSeconds = await retractFuture(
    database,
    { relayId, now },
    wanted,
  );
  if (retractedSeconds > 0) options.onFutureRetracted?.(retractedSeconds);
  const hashes = wanted.filters.map(({ filter }) => filterHash(filter));
  const live = await liveProven(database, relayId, hashes);
  const run = new RelaySyncRun(deps, target, {
    options,
    live,
    clock: {
      skewSeconds: clock.skewSeconds,
      isWrong: isSkewed(clock),
      retractedSeconds,
    },
    context: {
      relayId,
      now,
      settledUntil: Math.min(now, now + Math.floor(clock.skewSeconds)) -
        SETTLING_SECONDS,
      isClockWrong: isSkewed(clock),
      provenLive: live.windows,
    },
  });
  return await run.run();
}

/** Filters that a live session may have: more subscriptions would leave the relay no room for anything else. */
const MAX_LIVE_FILTERS = 8;

/** Workers that one relay may cost in one sync, and those that may be lost to it without a fault of its own. */
const MAX_LOSSES = 3;
const MAX_RESTARTS = 20;

/** The end of a sync that was live when its session was lost: nobody counted its events. */
const LOST: LiveEnd = { reason: "lost", events: 0, seconds: 0 };

/** How a session ended, as far as the result of the sync depends on it. */
type End = Pick<
  SyncReport,
  "failure" | "traits" | "hasReconciled" | "retracted" | "audits" | "live"
>;

interface RunParts {
  readonly options: SyncOptions;
  /** The windows that were proven live before, and are walked again. */
  readonly live: LiveProven;
  readonly clock: SyncClock;
  readonly context: Omit<SyncPlanContext, "repair">;
}

class RelaySyncRun {
  readonly #deps: SyncDeps;
  readonly #target: SyncTarget;
  readonly #options: SyncOptions;
  readonly #provenLive: LiveProven;
  readonly #clock: SyncClock;
  readonly #context: Omit<SyncPlanContext, "repair">;
  readonly #store: SyncStore;
  readonly #audit: SessionAudit;
  readonly #startedAt = performance.now();
  #review: Promise<LiveReview | null> | null = null;
  /** Whether the session goes on as a live one. */
  #isLive = false;

  constructor(
    deps: SyncDeps,
    target: SyncTarget,
    { options, live, clock, context }: RunParts,
  ) {
    const { relayId } = target;
    this.#deps = deps;
    this.#target = target;
    this.#options = options;
    this.#provenLive = live;
    this.#clock = clock;
    this.#context = context;
    this.#audit = new SessionAudit(deps.database, relayId);
    const withheldSince = context.now - deps.negentropy.retestSeconds;
    this.#store = new SyncStore({ ...deps, relayId, withheldSince }, {
      onProgress: options.onProgress,
      onCaughtUp: (question) => this.#goLive(question),
    });
  }

  /** Begins a session, and again from coverage when it was lost; a loss by others is none of its own. */
  async run(): Promise<RelaySync> {
    const { database, negentropy: policy, wanted } = this.#deps;
    const { url } = this.#target.relay;
    const { now } = this.#context;
    const { retestSeconds } = policy;
    const before = await recallRelay(database, url, { now, retestSeconds });
    const plan = planNip77(before.negentropy, { policy, wanted, now });
    const nothing = {
      traits: before.profile,
      hasReconciled: false,
      retracted: [],
      audits: [],
      live: null,
    };
    let losses = 0;
    for (let restarts = 0;; restarts++) {
      const job = await this.#plan(before.profile, plan);
      if (job === null) {
        return await this.#result({ ...nothing, failure: null });
      }
      const outcome = await this.#session(job);
      if (outcome.ok) {
        await this.#remember(outcome.value, { before, plan });
        return await this.#result(outcome.value);
      }
      this.#store.beginAgain();
      this.#audit.beginAgain();
      const { detail, isSuspect } = outcome.failure;
      if (isSuspect) losses += 1;
      const failure = restarts < MAX_RESTARTS
        ? this.#afterLoss(losses, detail)
        : this.#afterLoss(MAX_LOSSES, detail);
      if (failure === "again") continue;
      const live = this.#isLive ? LOST : null;
      return await this.#result({ ...nothing, failure, live });
    }
  }

  /** One session. Commits that the database server lost are lost to it as a worker would be. */
  async #session(job: SyncJob): Promise<Result<SyncReport, SessionLoss>> {
    const { onCommitLoss, signal } = this.#options;
    try {
      return await this.#deps.pool.sync(job, this.#store, signal);
    } catch (error) {
      if (!isCommitLoss(error)) throw error;
      const detail = errorText(error);
      onCommitLoss?.(detail);
      return fail({ detail, isSuspect: false });
    }
  }

  /** The job of a session; null where nothing is left to do. */
  async #plan(
    traits: RelayTraits,
    { repair, job: negentropy }: Nip77Plan,
  ): Promise<SyncJob | null> {
    const { database, wanted, bounds, allowPrivate } = this.#deps;
    const { relay } = this.#target;
    // Before coverage is read: what comes after it is noticed when it is lost.
    const position = await advanceWal(database);
    const walks = await planWalks(database, {
      ...this.#context,
      repair: repair?.slice ?? null,
    }, wanted);
    if (walks.length === 0) return null;
    this.#store.planned({ walks, now: this.#context.now, position });
    return {
      relay,
      walks,
      now: this.#context.now,
      traits,
      auditQuestions: drawQuestions(this.#deps.auditRequests),
      allowPrivate,
      negentropy,
      live: this.#liveJob(),
      bounds: {
        ...bounds,
        connectTimeoutMs: this.#deps.connectTimeoutMs[relay.network],
      },
    };
  }

  /** Null where the relay is not to be live: what is to come is not wanted, or by too many filters. */
  #liveJob(): LiveJob | null {
    const { live } = this.#options;
    const { filters } = this.#deps.wanted;
    const isBounded = filters.some(({ until }) => until !== null);
    if (!live || isBounded || filters.length > MAX_LIVE_FILTERS) return null;
    const since = Math.min(...filters.map(({ since }) => since));
    return { ...live.policy, since };
  }

  /** Everything wanted is done and stored: whether the session goes on as a live one. */
  async #goLive({ report, address }: LiveQuestion): Promise<boolean> {
    const soFar = await this.#result(report);
    this.#isLive = this.#options.live?.accepts(soFar, address) ?? false;
    return this.#isLive;
  }

  /** Why the sync ends after its worker was lost so many times, or that it begins again. */
  #afterLoss(losses: number, detail: string): RelayFailure | null | "again" {
    if (this.#isLive) return null;
    if (this.#options.signal.aborted) return { code: "aborted" };
    if (losses < MAX_LOSSES) return "again";
    return {
      code: "protocol",
      detail: `${losses} workers were lost: ${detail}`,
    };
  }

  async #remember(
    report: SyncReport,
    { before, plan }: {
      readonly before: RelayMemory;
      readonly plan: Nip77Plan;
    },
  ): Promise<void> {
    this.#store.progress(report);
    // Before anything else is kept of the session: a proof that was contradicted must not outlive a crash.
    await this.#audit.record(report);
    const isDone = report.failure === null && !this.#options.signal.aborted;
    const { now } = this.#context;
    const negentropy = concludeNip77(plan, { report, isDone, now });
    await rememberRelay(this.#deps.database, this.#target.relay.url, {
      before,
      after: { profile: report.traits, negentropy },
    });
  }

  /** The result of the sync. */
  async #result(end: End): Promise<RelaySync> {
    const { database, wanted } = this.#deps;
    this.#review ??= this.#reviewLive(end);
    const review = await this.#review;
    await this.#audit.record(end);
    const isContradicted = end.retracted.length > 0;
    const gaps = await missingWindows(database, this.#context, {
      wanted,
      otherwise: end.failure?.code ??
        (isContradicted ? "contradicted" : "interrupted"),
    });
    const wasStopped = this.#options.signal.aborted && gaps.length > 0;
    const seconds = (performance.now() - this.#startedAt) / 1_000;
    return {
      ...this.#store.counts,
      failure: end.failure ?? (wasStopped ? { code: "aborted" } : null),
      complete: gaps.length === 0,
      method: methodOf(end),
      proof: await this.#proof(),
      audit: this.#audit.result,
      clock: this.#clock,
      gaps,
      seconds: Math.round(seconds * 1_000) / 1_000,
      live: end.live,
      review,
    };
  }

  #proof(): Promise<StrengthShares> {
    const { database, wanted } = this.#deps;
    const walks = wanted.filters.map(({ filter, since, until }) => ({
      filterHash: filterHash(filter),
      since,
      until,
    }));
    return proofShares(database, this.#target.relayId, walks);
  }

  /** Reviews the live session before, once: later there are live proofs that no walk can have confirmed yet. */
  #reviewLive({ failure }: End): Promise<LiveReview | null> {
    const { database, wanted } = this.#deps;
    const isWhole = failure === null && !this.#options.signal.aborted;
    const provenBefore = isWhole
      ? this.#context.now - wanted.lookbackSeconds
      : 0;
    return reviewLive(database, this.#provenLive, provenBefore);
  }
}

/** Draws the number of questions of one sync, so that it is right on average. */
function drawQuestions(average: number): number {
  const whole = Math.floor(average);
  return whole + (Math.random() < average - whole ? 1 : 0);
}

/** The method of a sync, in one word. */
function methodOf({ traits, hasReconciled }: End): RelaySync["method"] {
  if (hasReconciled) return "negentropy";
  return traits.order === "unsorted" ? "split" : "paging";
}
