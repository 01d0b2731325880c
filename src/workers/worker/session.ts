/**
 * The session with one relay: connect, sync every filter, ask a few questions about what is claimed, go live if that is
 * wanted, hand in what is left, report.
 *
 * @module
 */
import { encodeKeys } from "../../models/encoded_events.ts";
import type { NostrEvent } from "../../models/event.ts";
import type { Verifier } from "../../nips/verify/verifier.ts";
import type { Dialer } from "../../transport/dialer.ts";
import { Ingest } from "../ingest/ingest.ts";
import { RecentEvents } from "../ingest/recent_events.ts";
import { keepLive } from "../live/live_tail.ts";
import { Forgeries } from "../negentropy/forgeries.ts";
import type { Retraction } from "../protocol/evidence.ts";
import type { SyncJob, WalkJob } from "../protocol/job.ts";
import type {
  FilterAudit,
  LiveEnd,
  SyncProgress,
  SyncReport,
  WalkState,
} from "../protocol/report.ts";
import type { NoPage } from "../walk/ask.ts";
import { MAX_IN_FLIGHT } from "../walk/concurrency.ts";
import type { Page, Query } from "../walk/page.ts";
import { RelayProfile } from "../walk/relay_profile.ts";
import type { Repeats } from "../walk/repeats.ts";
import { RequestPolicy } from "../walk/request_policy.ts";
import { Witnesses } from "../walk/witnesses.ts";
import { CountCheck } from "./count_check.ts";
import { FilterSync } from "./filter_sync.ts";
import { Findings } from "./findings.ts";
import type { HostLink } from "./host_link.ts";
import { NegentropyUse } from "./negentropy_use.ts";
import { type PageTarget, RelayRequests } from "./relay_requests.ts";

/** What a session works with. */
export interface SessionDeps {
  readonly dialer: Dialer;
  readonly verifier: Verifier;
  readonly authKey: Uint8Array | null;
  readonly link: HostLink;
  /** What the session may buffer of each sort, bytes; it changes as others come and go. */
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
  const onWork = deps.link.isRunning;
  await using line = new RelayRequests({ ...deps, ...job, onWork });
  const session = new Session(job, deps, line);
  const connected = await line.connect();
  if (connected.ok) {
    const isWhole = await session.walkAll();
    await session.auditAll();
    if (isWhole) await session.stayLive();
  }
  await session.finish();
  return session.report();
}

/** What is younger than this when it is asked for may still be arriving, seconds. */
const SETTLING_SECONDS = 60;

/** How long pages stay open after EOSE: the first one of a relay that is not known, and all of one that sends late, ms. */
const LINGER_MS = 200;

class Session {
  readonly #job: SyncJob;
  readonly #deps: SessionDeps;
  readonly #line: RelayRequests;
  readonly #ingest: Ingest;
  readonly #profile: RelayProfile;
  readonly #policy: RequestPolicy;
  readonly #witnesses = new Witnesses();
  readonly #recent: RecentEvents;
  readonly #negentropy: NegentropyUse | null;
  readonly #counts: CountCheck;
  readonly #forgeries: Forgeries;
  readonly #syncs: FilterSync[] = [];
  readonly #audits: FilterAudit[] = [];
  readonly #retracted: Retraction[] = [];
  readonly #startedAt = performance.now();
  #authors: readonly string[] | null = null;
  #walk = 0;
  #until = 0;
  #doing: readonly WalkState[] = [];
  #live: LiveEnd | null = null;

  constructor(job: SyncJob, deps: SessionDeps, line: RelayRequests) {
    const { bounds, allowPrivate, traits, negentropy, now } = job;
    this.#job = job;
    this.#deps = deps;
    this.#line = line;
    line.lingerMs = traits.order === "unknown" ? LINGER_MS : traits.lingerMs;
    this.#forgeries = new Forgeries(job.walks);
    this.#ingest = new Ingest({
      ...deps,
      bounds: { ...bounds, allowPrivate },
      forged: (event) => this.#forgeries.add(event),
    });
    this.#profile = new RelayProfile(traits);
    this.#policy = new RequestPolicy(bounds.limit, MAX_IN_FLIGHT);
    this.#counts = new CountCheck({
      line,
      profile: this.#profile,
      idleTimeoutMs: bounds.idleTimeoutMs,
      signal: deps.signal,
    });
    this.#recent = new RecentEvents(2 * bounds.limit);
    this.#negentropy = negentropy && new NegentropyUse({
      job: negentropy,
      now,
      bounds,
      line,
      link: deps.link,
      ingest: this.#ingest,
      fetch: (query, accepted) =>
        this.#fetch(query, null, {
          accept: (event) => {
            accepted?.(event);
            this.#accept(event, query);
          },
        }),
      signal: deps.signal,
    });
  }

  /** Syncs every filter. Whether each came to its end. */
  async walkAll(): Promise<boolean> {
    let isWhole = true;
    for (const [number, walk] of this.#job.walks.entries()) {
      this.#walk = number;
      const sync = this.#open(walk);
      this.#syncs.push(sync);
      const broken = await sync.walk();
      if (broken !== null) isWhole = false;
      if (broken !== null && endsSession(broken)) return false;
      this.#retracted.push(...await sync.repair());
    }
    return isWhole;
  }

  /** Asks about what is claimed. A relay that turns out to mislead is remembered as such. */
  async auditAll(): Promise<void> {
    const questions = this.#job.auditQuestions;
    // What is asked of a relay is asked of one of its filters, where it is not much that was claimed newly.
    const drawn = Math.floor(Math.random() * this.#syncs.length);
    for (const [i, sync] of this.#syncs.entries()) {
      const { report, retractions } = await sync
        .audit(i === drawn ? questions : 0);
      const { filterHash } = this.#job.walks[i]!;
      if (report.asked + report.contradictions.length > 0) {
        this.#audits.push({ ...report, filterHash });
      }
      this.#retracted.push(...retractions);
      const kinds = report.contradictions.map(({ kind }) => kind);
      if (kinds.length === 0) continue;
      this.#profile.caught(kinds, this.#job.now);
      if (kinds.includes("unlisted")) this.#negentropy?.distrust();
    }
  }

  /** Takes what comes from now on, if that is wanted. */
  async stayLive(): Promise<void> {
    const { live } = this.#job;
    if (live === null || this.#job.walks.some(isUnclaimable)) return;
    if (this.#retracted.length > 0) return;
    await this.#ingest.flush();
    const connected = await this.#line.connect();
    if (!connected.ok) return;
    const { address } = connected.value;
    const question = { report: this.report(), address };
    if (!await this.#deps.link.askLive(question)) return;
    this.#doing = ["live"];
    this.#live = await keepLive(live, {
      ...this.#deps,
      ...this.#job,
      line: this.#line,
      ingest: this.#ingest,
      recent: this.#recent,
      clock: () => this.#clock(),
      walk: (walk) => this.#open(walk).walk(),
    });
  }

  /** Hands in what is left. */
  async finish(): Promise<void> {
    await this.#ingest.finish();
    if (!this.#negentropy?.hasReconciled) return;
    for (const note of this.#forgeries.notes()) this.#deps.link.note(note);
  }

  report(): SyncReport {
    return {
      ...this.#progress(),
      failure: this.#line.failure,
      traits: { ...this.#profile.traits, lingerMs: this.#lingerMs },
      negentropy: this.#negentropy?.support(this.#line.hasAnswered) ??
        "unknown",
      wholeList: this.#negentropy?.wholeList ?? -1,
      hasReconciled: this.#negentropy?.hasReconciled ?? false,
      audits: this.#audits,
      retracted: this.#retracted,
      live: this.#live,
    };
  }

  #open(walk: WalkJob): FilterSync {
    const findings = new Findings(walk, {
      sink: (finding) => this.#ingest.add(finding),
      caught: this.#job.traits.caught.times,
    });
    const { link, signal } = this.#deps;
    return new FilterSync(walk, findings, {
      profile: this.#profile,
      policy: this.#policy,
      witnesses: this.#witnesses,
      authors: () => this.#authors ?? [],
      now: this.#job.now,
      settledBefore: this.#settledBefore,
      fetch: (query, repeats) => this.#walkPage(query, repeats, findings),
      near: (query) => link.askNear(query),
      sighted: (query) => link.askSighted(query),
      archived: async (events) => {
        const keys = encodeKeys(events.map(({ id, createdAt }) => ({
          id,
          created_at: createdAt,
        })));
        const known = await link.askKnown(keys, { isInOrder: true });
        return events.filter((_, i) => known[i] === 1);
      },
      flush: () => this.#ingest.flush(),
      renew: () => this.#renew(),
      reconciling: this.#negentropy,
      counting: this.#counts,
      limit: this.#job.bounds.limit,
      random: Math.random,
      onState: (states) => this.#doing = states,
      signal,
    });
  }

  /** What still waits for an answer would keep the connection that is to be replaced. */
  #renew(): Promise<boolean> {
    this.#counts.giveUp();
    this.#negentropy?.giveUp({ isIgnored: false });
    return this.#line.renew();
  }

  async #walkPage(
    query: Query,
    repeats: Repeats | null,
    findings: Findings,
  ): Promise<Page> {
    if (query.isFresh) await this.#renew();
    // Pages that lie side by side share no events, but each shares some with the one before it.
    this.#recent.capacity = 2 * this.#job.bounds.limit *
      this.#policy.concurrency.allowed;
    const { since, until } = query.window;
    if (since === until) await this.#findAuthors(query);
    return await this.#fetch(query, findings, {
      accept: (event) => {
        if (isWanted(event, findings.job) && !repeats?.has(event)) {
          this.#accept(event, query);
        }
      },
    });
  }

  async #fetch(
    query: Query,
    findings: Findings | null,
    { accept }: Pick<PageTarget, "accept">,
  ): Promise<Page> {
    this.#until = query.window.until;
    let late = 0;
    const target: PageTarget = {
      accept,
      reject: (...rejection) => {
        // What a relay gives instead of a witness says nothing about what it holds; nor do the kinds that an audit asks
        // for beside those that are wanted.
        const isMore = query.match !== undefined &&
          query.filter.ids === undefined;
        const isBeside = (query.evidenceOnly || isMore) &&
          rejection[0] === "filter";
        if (!isBeside) this.#ingest.reject(...rejection);
      },
      late: ({ window }, { id, created_at: at }) => {
        late += 1;
        if (at < this.#settledBefore) findings?.late(window, id);
      },
      lateUnread: (_query, { reason, ...hole }) => findings?.hole(hole, reason),
      room: () => this.#ingest.room(),
    };
    const lateBefore = this.#line.late;
    const page = await this.#line.fetch(query, target);
    // One that comes late may have come live; many may not.
    const isLate = this.#line.late - lateBefore + late > page.size / 10;
    if (isLate) this.#line.lingerMs = LINGER_MS;
    else if (this.#job.traits.lingerMs === 0) {
      this.#line.lingerMs = this.#line.late > 1 ? LINGER_MS : 0;
    }
    if (this.#ingest.isMostlyForged) await this.#line.giveUp(FORGER);
    this.#deps.onProgress(this.#progress());
    return page;
  }

  #accept(event: NostrEvent, { evidenceOnly }: Query): void {
    if (evidenceOnly || !this.#recent.add(event)) return;
    this.#ingest.accept(event);
  }

  /** Reads once whose events the relay is known to hold: a crowd is told apart by them. */
  async #findAuthors({ window }: Query): Promise<void> {
    if (this.#authors !== null) return;
    this.#authors = [];
    this.#authors = await this.#deps.link.askAuthors(window.since);
  }

  /** Unix seconds by the database's clock, carried on by our monotonic one. */
  #clock(): number {
    const passed = (performance.now() - this.#startedAt) / 1_000;
    return this.#job.now + Math.floor(passed);
  }

  /** What is younger may still be arriving. */
  get #settledBefore(): number {
    return this.#job.now - SETTLING_SECONDS;
  }

  get #lingerMs(): number {
    return this.#line.late > 1 ? LINGER_MS : this.#job.traits.lingerMs;
  }

  #progress(): SyncProgress {
    return {
      received: this.#line.received,
      requests: this.#line.requests,
      rejected: this.#ingest.rejected,
      walk: this.#walk,
      until: this.#until,
      doing: this.#doing,
    };
  }
}

/** Whether an event lies in what is archived of the filter: a question may reach beyond, to what is known there. */
function isWanted(
  { created_at: at }: NostrEvent,
  { wanted: { since, until } }: WalkJob,
): boolean {
  return at >= since && at <= until;
}

function isUnclaimable({ provenUntil }: WalkJob): boolean {
  return provenUntil === null;
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
    case "unconfirmed":
      return false;
  }
}
