/**
 * The session with one relay: one connection, every filter taken through every stretch that is wanted, newest first,
 * by NIP-77 where the relay knows it, by paging where not.
 *
 * @module
 */
import { NO_AUDIT } from "../protocol/evidence.ts";
import type { NostrEvent } from "../../models/event.ts";
import type { Window } from "../../models/window.ts";
import type { Verifier } from "../../nips/verify/verifier.ts";
import type { Dialer } from "../../transport/dialer.ts";
import { CountCheck } from "./count_check.ts";
import type { Finding } from "../ingest/event_queue.ts";
import type { HostLink } from "./host_link.ts";
import type { LiveEnd, SyncProgress, SyncReport } from "../protocol/report.ts";
import type { NegentropySupport, SyncJob, WalkJob } from "../protocol/job.ts";
import { Ingest } from "../ingest/ingest.ts";
import { keepLive } from "../live/live_tail.ts";

import { RecentEvents } from "../ingest/recent_events.ts";
import { Forgeries } from "../negentropy/forgeries.ts";

import { Reconciler } from "../negentropy/reconciler.ts";
import { type PageTarget, RelayRequests } from "./relay_requests.ts";
import type { Ledger, NoPage } from "../walk/ask.ts";
import { HonestLedger } from "../walk/honest_ledger.ts";
import { SpotCheck } from "./spot_check.ts";
import { driveRanges } from "./drive_ranges.ts";
import { MAX_IN_FLIGHT } from "../walk/concurrency.ts";
import { ParallelRanges } from "../walk/parallel_ranges.ts";
import { Pace } from "../walk/relay_profile.ts";
import type { Page, Query } from "../walk/page.ts";

/** What a session works with. */
export interface SessionDeps {
  readonly dialer: Dialer;
  readonly verifier: Verifier;
  readonly authKey: Uint8Array | null;
  readonly link: HostLink;
  /** What the session may hold of each sort, bytes; it changes as others come and go. */
  readonly budget: () => number;
  /** Hears how far the session is, after every page. */
  readonly onProgress: (progress: SyncProgress) => void;
  /** Aborts when no more is to be asked; what has come is still handed in. */
  readonly signal: AbortSignal;
}

/** Syncs one relay. Rejects only when it was abandoned. */
export async function runSession(
  job: SyncJob,
  deps: SessionDeps,
): Promise<SyncReport> {
  await using line = new RelayRequests({ ...deps, ...job });
  const session = new Session(job, deps, line);
  const connected = await line.connect();
  if (connected.ok && await session.walkAll()) await session.stayLive();
  await session.finish();
  return session.report();
}

/** What is younger than this when it is asked for may still be arriving. */
const SETTLING_SECONDS = 60;

/** How long pages stay open after EOSE: the first one of a relay that is not known, and all of one that sent late, ms. */
const LINGER_MS = 200;

class Session {
  readonly #job: SyncJob;
  readonly #deps: SessionDeps;
  readonly #line: RelayRequests;
  readonly #ingest: Ingest;
  readonly #pace: Pace;
  readonly #recent: RecentEvents;
  readonly #reconciler: Reconciler | null;
  readonly #forgeries: Forgeries;
  readonly #counts: CountCheck;
  readonly #spots: SpotCheck;
  readonly #retracted: Window[] = [];
  /** Of the filter in work. */
  #ledger = new HonestLedger({ prove: () => {}, gap: () => {} });
  #walk = 0;
  #until = 0;
  #settledBefore = 0;
  #live: LiveEnd | null = null;

  constructor(job: SyncJob, deps: SessionDeps, line: RelayRequests) {
    const { bounds, allowPrivate, traits, negentropy } = job;
    this.#job = job;
    this.#deps = deps;
    this.#line = line;
    this.#ingest = new Ingest({
      ...deps,
      bounds: { ...bounds, allowPrivate },
      forged: (event) => this.#forgeries.add(event),
    });
    this.#forgeries = new Forgeries(job.walks);
    this.#pace = new Pace(bounds.limit, traits, MAX_IN_FLIGHT);
    this.#counts = new CountCheck({
      ...deps,
      ...bounds,
      line,
      pace: this.#pace,
    });
    const judged = { pace: this.#pace, ingest: this.#ingest };
    this.#spots = new SpotCheck({ line, ...judged });
    this.#recent = new RecentEvents(2 * bounds.limit);
    if (traits.order === "unknown") line.lingerMs = LINGER_MS;
    this.#reconciler = negentropy && new Reconciler({
      ...deps,
      job: negentropy,
      bounds,
      line,
      ingest: this.#ingest,
      fetch: (query, accepted) =>
        this.#fetch(query, (event) => {
          accepted?.(event);
          this.#accept(event, query);
        }),
    });
  }

  /** Whether every walk came to its end. */
  async walkAll(): Promise<boolean> {
    let isWhole = true;
    for (const [number, walk] of this.#job.walks.entries()) {
      this.#walk = number;
      const broken = await this.#walkFilter(walk);
      if (broken !== null) isWhole = false;
      if (broken !== null && endsSession(broken)) return false;
    }
    await this.#spots.run();
    return isWhole && this.#spots.retracted.length === 0;
  }

  /** Takes what comes from now on, if that is wanted. */
  async stayLive(): Promise<void> {
    const { live } = this.#job;
    if (live === null) return;
    await this.#ingest.settle();
    const connected = await this.#line.connect();
    if (!connected.ok) return;
    const { address } = connected.value;
    const question = { report: this.report(), address };
    if (!await this.#deps.link.askLive(question)) return;
    this.#live = await keepLive(live, {
      ...this.#deps,
      ...this.#job,
      line: this.#line,
      ingest: this.#ingest,
      recent: this.#recent,
      walk: (walk) => this.#walkFilter(walk),
    });
  }

  async finish(): Promise<void> {
    await this.#ingest.finish();
    if (!this.#reconciler?.trust.hasSettled) return;
    for (const note of this.#forgeries.notes()) this.#deps.link.note(note);
  }

  report(): SyncReport {
    return {
      ...this.#progress(),
      failure: this.#line.failure,
      traits: this.#pace.traits,
      negentropy: this.#negentropySupport(),
      wholeList: this.#reconciler?.trust.wholeList ?? -1,
      hasReconciled: this.#reconciler?.trust.hasSettled ?? false,
      audit: NO_AUDIT,
      retracted: [],
      live: this.#live,
    };
  }

  async #walkFilter(walk: WalkJob): Promise<NoPage | null> {
    this.#ledger = new HonestLedger(this.#ledgerOf(walk));
    this.#settledBefore = walk.provenUntil - SETTLING_SECONDS;
    const broken = await this.#walkWindows(walk);
    if (broken === null || !endsSession(broken)) await this.#repair(walk);
    return broken;
  }

  async #walkWindows(walk: WalkJob): Promise<NoPage | null> {
    for (const window of walk.windows) {
      const left = await this.#reconciler
        ?.settle(walk, window, this.#ledger) ?? [window];
      for (const part of left) {
        const broken = await this.#walkWindow(walk, part);
        if (broken !== null) return broken;
      }
    }
    return null;
  }

  /** Looks at what is proven once more. Where it turns out to be wrong, it is for the next sync to mend. */
  async #repair(walk: WalkJob): Promise<void> {
    if (this.#reconciler === null) return;
    const { repairs } = walk;
    for (const window of repairs) {
      const left = await this.#reconciler.settle(walk, window, this.#ledger);
      for (const { since, until, isLacking } of left) {
        if (isLacking) this.#retracted.push({ since, until });
      }
    }
  }

  /** A relay that answers nothing at all says nothing about what it knows. */
  #negentropySupport(): NegentropySupport {
    const support = this.#reconciler?.trust.support ?? "unknown";
    const isSilent = support === "unsupported" && !this.#line.hasAnswered;
    return isSilent ? "unknown" : support;
  }

  async #walkWindow(walk: WalkJob, window: Window): Promise<NoPage | null> {
    const tallied = {
      filter: walk.filter,
      window,
      settledBefore: walk.provenUntil - SETTLING_SECONDS,
      ledger: this.#ledger,
    };
    const ledger = this.#counts.begin(tallied);
    const ranges = new ParallelRanges({ ...tallied, pace: this.#pace, ledger });
    const broken = await driveRanges(ranges, async (query, repeats) => {
      // Pages that lie side by side share no events, but each shares some with the one before it.
      this.#recent.capacity = 2 * this.#job.bounds.limit * this.#pace.inFlight;
      const page = await this.#fetch(query, (event) => {
        if (!repeats.has(event)) this.#accept(event, query);
      });
      this.#spots.sample.see({ ...walk, ...tallied }, query, page);
      return page;
    });
    if (broken === null) await this.#counts.finish(tallied);
    return broken;
  }

  async #fetch(
    query: Query,
    accept: (event: NostrEvent) => void,
  ): Promise<Page> {
    this.#until = query.window.until;
    const ledger = this.#ledger;
    const target: PageTarget = {
      accept,
      reject: (...rejection) => {
        if (rejection[0] !== "filter") this.#counts.taint();
        this.#ingest.reject(...rejection);
      },
      late: ({ window }, { created_at: at }) => {
        if (at >= this.#settledBefore) return;
        this.#counts.taint();
        ledger.hide(window, "late");
      },
      lateUnread: (_query, { reason, ...hole }) => ledger.hide(hole, reason),
      room: () => this.#ingest.room(),
    };
    const page = await this.#line.fetch(query, target);
    this.#line.lingerMs = this.#line.late > 0 ? LINGER_MS : 0;
    ledger.skipUnread(page);
    if (this.#ingest.isMostlyForged) await this.#line.giveUp(FORGER);
    this.#deps.onProgress(this.#progress());
    return page;
  }

  #accept(event: NostrEvent, { evidenceOnly }: Query): void {
    if (evidenceOnly || !this.#recent.add(event)) return;
    this.#counts.add(event);
    this.#ingest.accept(event);
  }

  /** Claims nothing about the future, whatever proved it. */
  #ledgerOf({ filter, filterHash, provenUntil }: WalkJob): Ledger {
    const note = (window: Window, toFinding: (window: Window) => Finding) => {
      const until = Math.min(window.until, provenUntil);
      if (window.since > until) return;
      this.#ingest.note(toFinding({ since: window.since, until }));
    };
    return {
      prove: (window, method) =>
        note(window, (clipped) => {
          const support = { questions: 1, witness: null, counts: null };
          const strength = "weak" as const;
          const stretch = {
            ...clipped,
            filterHash,
            filter,
            method,
            strength,
            support,
          };
          this.#spots.sample.proved(stretch);
          return { type: "proven", stretch };
        }),
      gap: (window, reason) =>
        note(window, (clipped) => ({
          type: "open",
          stretch: { ...clipped, filterHash, reason },
        })),
    };
  }

  #progress(): SyncProgress {
    return {
      received: this.#line.received,
      requests: this.#line.requests,
      rejected: this.#ingest.rejected,
      walk: this.#walk,
      until: this.#until,
    };
  }
}

/** What is proven until then stays, so that a next session goes on below it. */
const FORGER = {
  code: "protocol",
  detail: "most of what it sends has forged signatures",
} as const;

/** Some refusals concern one filter; after the others there is nobody left to ask. */
function endsSession(broken: NoPage): boolean {
  switch (broken) {
    case "timeout":
    case "disconnected":
    case "aborted":
    case "rate-limited":
      return true;
    case "auth-required":
    case "restricted":
    case "refused":
    case "over-budget":
      return false;
  }
}
