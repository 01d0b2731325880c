/**
 * The session with one relay: one connection, every filter taken through every stretch that is wanted, newest first,
 * by NIP-77 where the relay knows it, by paging where not.
 *
 * @module
 */
import type { NostrEvent } from "../models/event.ts";
import type { Window } from "../models/window.ts";
import type { Verifier } from "../nips/verify/verifier.ts";
import type { Dialer } from "../transport/dialer.ts";
import { CountCheck } from "./count_check.ts";
import type { Finding } from "./event_queue.ts";
import { type HostLink, Intake } from "./intake.ts";
import { keepLive, type LiveLink } from "./live.ts";
import type { LiveEnd } from "./live_job.ts";
import type { DoubtedStretch, NegentropySupport } from "./nip77_job.ts";
import type { SyncJob, SyncProgress, SyncReport, WalkJob } from "./protocol.ts";
import { RecentEvents } from "./recent_events.ts";
import { Forgeries } from "./reconcile/forgeries.ts";
import type { ListingLink } from "./reconcile/listing_link.ts";
import { Reconciler } from "./reconcile/reconciler.ts";
import { type PageTarget, RelayLine } from "./relay_line.ts";
import type { Ledger, NoPage } from "./walk/ask.ts";
import { HonestLedger } from "./walk/honest_ledger.ts";
import { SpotCheck } from "./spot_check.ts";
import { driveLanes } from "./drive_lanes.ts";
import { MAX_IN_FLIGHT } from "./walk/in_flight.ts";
import { Lanes } from "./walk/lanes.ts";
import { Pace } from "./walk/pace.ts";
import type { Page, Query } from "./walk/page.ts";

/** What a session works with. */
export interface SessionMeans {
  readonly dialer: Dialer;
  readonly verifier: Verifier;
  readonly authKey: Uint8Array | null;
  readonly link: HostLink & ListingLink & LiveLink;
  /** What the session may hold of each sort, bytes; it changes as others come and go. */
  readonly share: () => number;
  /** Hears how far the session is, after every page. */
  readonly onProgress: (progress: SyncProgress) => void;
  /** Aborts when no more is to be asked; what has come is still handed in. */
  readonly signal: AbortSignal;
}

/** Syncs one relay. Rejects only when it was abandoned. */
export async function runSession(
  job: SyncJob,
  means: SessionMeans,
): Promise<SyncReport> {
  await using line = new RelayLine({ ...means, ...job });
  const session = new Session(job, means, line);
  const connected = await line.connect();
  if (connected.ok && await session.walkAll()) await session.stayLive();
  await session.finish();
  return session.report();
}

/** What is younger than this when it is asked for may still be arriving. */
const SETTLING_SECONDS = 60;

class Session {
  readonly #job: SyncJob;
  readonly #means: SessionMeans;
  readonly #line: RelayLine;
  readonly #intake: Intake;
  readonly #pace: Pace;
  readonly #recent: RecentEvents;
  readonly #reconciler: Reconciler | null;
  readonly #forgeries: Forgeries;
  readonly #counts: CountCheck;
  readonly #spots: SpotCheck;
  readonly #doubted: DoubtedStretch[] = [];
  /** Of the filter in work. */
  #ledger = new HonestLedger({ prove: () => {}, gap: () => {} });
  #walk = 0;
  #until = 0;
  #live: LiveEnd | null = null;

  constructor(job: SyncJob, means: SessionMeans, line: RelayLine) {
    const { bounds, allowPrivate, traits, negentropy } = job;
    this.#job = job;
    this.#means = means;
    this.#line = line;
    this.#intake = new Intake({
      ...means,
      bounds: { ...bounds, allowPrivate },
      forged: (event) => this.#forgeries.add(event),
    });
    this.#forgeries = new Forgeries(job.walks);
    this.#pace = new Pace(bounds.limit, traits, MAX_IN_FLIGHT);
    this.#counts = new CountCheck({
      ...means,
      ...bounds,
      ...{ line, pace: this.#pace },
    });
    const judged = { pace: this.#pace, intake: this.#intake };
    this.#spots = new SpotCheck({ line, ...judged });
    this.#recent = new RecentEvents(2 * bounds.limit);
    this.#reconciler = negentropy && new Reconciler({
      ...means,
      ...{ job: negentropy, bounds, line, intake: this.#intake },
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
    return isWhole && this.#spots.doubted.length === 0;
  }

  /** Takes what comes from now on, if that is wanted. */
  async stayLive(): Promise<void> {
    const { live } = this.#job;
    if (live === null) return;
    await this.#intake.settle();
    const connected = await this.#line.connect();
    if (!connected.ok) return;
    const { address } = connected.value;
    const question = { report: this.report(), address };
    if (!await this.#means.link.askLive(question)) return;
    this.#live = await keepLive(live, {
      ...this.#means,
      ...this.#job,
      ...{ line: this.#line, intake: this.#intake, recent: this.#recent },
      walk: (walk) => this.#walkFilter(walk),
    });
  }

  async finish(): Promise<void> {
    await this.#intake.finish();
    if (!this.#reconciler?.standing.hasSettled) return;
    for (const note of this.#forgeries.notes()) this.#means.link.note(note);
  }

  report(): SyncReport {
    return {
      ...this.#progress(),
      failure: this.#line.failure,
      traits: this.#pace.traits,
      negentropy: this.#negentropySupport(),
      wholeList: this.#reconciler?.standing.wholeList ?? -1,
      hasReconciled: this.#reconciler?.standing.hasSettled ?? false,
      doubted: [...this.#doubted, ...this.#spots.doubted],
      live: this.#live,
    };
  }

  async #walkFilter(walk: WalkJob): Promise<NoPage | null> {
    this.#ledger = new HonestLedger(this.#ledgerOf(walk));
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
    const { filterHash, repairs } = walk;
    for (const window of repairs) {
      const left = await this.#reconciler.settle(walk, window, this.#ledger);
      for (const { since, until, isLacking } of left) {
        if (isLacking) this.#doubted.push({ filterHash, since, until });
      }
    }
  }

  /** A relay that answers nothing at all says nothing about what it knows. */
  #negentropySupport(): NegentropySupport {
    const support = this.#reconciler?.standing.support ?? "unknown";
    const isSilent = support === "unsupported" && !this.#line.hasAnswered;
    return isSilent ? "unknown" : support;
  }

  async #walkWindow(walk: WalkJob, window: Window): Promise<NoPage | null> {
    const tallied = {
      filter: walk.filter,
      window,
      settledBefore: walk.claimUntil - SETTLING_SECONDS,
      ledger: this.#ledger,
    };
    const ledger = this.#counts.begin(tallied);
    const lanes = new Lanes({ ...tallied, pace: this.#pace, ledger });
    const broken = await driveLanes(lanes, async (query, repeats) => {
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
    const target: PageTarget = {
      accept,
      reject: (...rejection) => {
        if (rejection[0] !== "filter") this.#counts.taint();
        this.#intake.reject(...rejection);
      },
      room: () => this.#intake.room(),
    };
    const page = await this.#line.fetch(query, target);
    this.#ledger.skipUnread(query, page);
    if (this.#intake.isMostlyForged) await this.#line.giveUp(FORGER);
    this.#means.onProgress(this.#progress());
    return page;
  }

  #accept(event: NostrEvent, { evidenceOnly }: Query): void {
    if (evidenceOnly || !this.#recent.add(event)) return;
    this.#counts.add(event);
    this.#intake.accept(event);
  }

  /** Claims nothing about the future, whatever proved it. */
  #ledgerOf({ filter, filterHash, claimUntil }: WalkJob): Ledger {
    const note = (window: Window, toFinding: (window: Window) => Finding) => {
      const until = Math.min(window.until, claimUntil);
      if (window.since > until) return;
      this.#intake.note(toFinding({ since: window.since, until }));
    };
    return {
      prove: (window, method) =>
        note(window, (clipped) => {
          const stretch = { ...clipped, filterHash, filter, method };
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
      rejected: this.#intake.rejected,
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
