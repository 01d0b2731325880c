/**
 * The sync of one filter of one relay: its windows reconciled or walked, what came held against COUNT, and what was
 * claimed put to the audit.
 *
 * NIP-77 and COUNT are tried beside the first pages: a relay that knows neither is not waited for.
 *
 * @module
 */
import { sleep } from "../../base/sleep.ts";
import type { Filter } from "../../models/filter.ts";
import type { Window } from "../../models/window.ts";
import { RecentEvents } from "../ingest/recent_events.ts";
import type { Retraction } from "../protocol/evidence.ts";
import type { WalkJob } from "../protocol/job.ts";
import type {
  NearKeys,
  NearQuery,
  SightedQuery,
} from "../protocol/messages.ts";
import type { WalkState } from "../protocol/report.ts";
import type { NoPage, Remaining, Walk, WalkFindings } from "../walk/ask.ts";
import {
  newestOf,
  oldestOf,
  type Page,
  type PageEvent,
  type Query,
} from "../walk/page.ts";
import { ParallelRanges } from "../walk/parallel_ranges.ts";
import type { Repeats } from "../walk/repeats.ts";
import { Rhythm } from "../walk/rhythm.ts";
import type { Counted } from "./count_check.ts";
import { driveRanges } from "./drive_ranges.ts";
import { type AuditedFilter, auditFilter } from "./filter_audit.ts";
import type { Findings } from "./findings.ts";
import { overlapping } from "./overlap.ts";

/** What the sync of a filter works with. */
export interface FilterSyncDeps extends
  Pick<
    Walk,
    "profile" | "policy" | "witnesses" | "authors" | "now" | "settledBefore"
  > {
  /** Asks the relay; what comes and is not among the repeats goes to the archive. */
  fetch(query: Query, repeats: Repeats | null): Promise<Page>;
  /** The sightings of the relay next to a moment; null when the archive cannot tell. */
  near(query: NearQuery): Promise<NearKeys | null>;
  /** How many events the relay was seen to hold; null when the archive cannot tell. */
  sighted(query: SightedQuery): Promise<number | null>;
  /** Those of these events that are archived. */
  archived(events: readonly PageEvent[]): Promise<readonly PageEvent[]>;
  /** Everything handed on so far is in the archive. */
  flush(): Promise<void>;
  /** The next request goes over another connection. */
  renew(): Promise<unknown>;
  /** NIP-77 with this relay; null where it is not used. */
  readonly reconciling: Reconciling | null;
  /** NIP-45 with this relay. */
  readonly counting: Counting;
  /** Events asked for at once. */
  readonly limit: number;
  /** Draws from [0, 1). */
  readonly random: () => number;
  /** Hears what the sync is doing. */
  readonly onState: (states: readonly WalkState[]) => void;
  readonly signal: AbortSignal;
}

/** NIP-77 as the sync of a filter uses it. */
export interface Reconciling {
  /** Whether the relay is known to understand it; null while that is open. */
  readonly isUnderstood: boolean | null;
  /** Resolves when the relay has answered, or will not. */
  readonly answered: Promise<boolean>;
  /**
   * Reconciles what can be reconciled of a window; gives what is left, newest first. What the relay lists is fetched
   * when `pages` has resolved and what they brought is archived: so nothing comes twice.
   */
  reconcile(
    job: WalkJob,
    window: Window,
    findings: WalkFindings,
    pages: Promise<void>,
  ): Promise<readonly (Window & { readonly isLacking: boolean })[]>;
  /** Stops asking: nothing has come so far. `isIgnored`: the relay had the time to answer. */
  giveUp(options: { readonly isIgnored: boolean }): void;
}

/** NIP-45 as the sync of a filter uses it. */
export interface Counting {
  begin(filter: WalkJob["filter"], window: Window): void;
  finish(
    filter: WalkJob["filter"],
    sighted: (
      filter: WalkJob["filter"],
      window: Window,
    ) => Promise<number | null>,
  ): Promise<Counted & { readonly window?: Window }>;
}

/** Pages without an event that did not come before, one after the other: a walk that brings nothing ends here. */
const MAX_BARREN_PAGES = 300;

/** Events remembered to tell by. */
const SEEN_EVENTS = 1_000;

/** Authors kept to be asked for by name. */
const MAX_AUTHORS = 20;

/** How long NEG-OPEN may take, beside two times what the first page took, ms; longer only while there are pages to read. */
const PATIENCE_MS = 500;

const NOTHING_PAGED = Promise.resolve();

export class FilterSync {
  readonly #job: WalkJob;
  readonly #findings: Findings;
  readonly #deps: FilterSyncDeps;
  readonly #rhythm: Rhythm;
  #requests = 0;
  /** Some whose events came, to ask for by name. */
  #authors: readonly string[] = [];
  /** All windows in one, until the relay is asked how much it has there. */
  #uncounted: Window | null = null;

  constructor(job: WalkJob, findings: Findings, deps: FilterSyncDeps) {
    this.#job = job;
    this.#findings = findings;
    this.#deps = deps;
    this.#rhythm = new Rhythm(deps.random);
  }

  /** Goes through all windows. Returns why it was broken off, or null. */
  async walk(): Promise<NoPage | null> {
    const { windows } = this.#job;
    const oldest = windows.at(-1);
    const newest = windows[0];
    if (oldest === undefined || newest === undefined) return null;
    const until = Math.min(
      newest.until,
      this.#deps.now - COUNT_SETTLES_SECONDS,
    );
    this.#uncounted = { since: oldest.since, until };
    for (const window of windows) {
      const broken = await this.#walkWindow(window);
      if (broken !== null) return broken;
    }
    await this.#count();
    return null;
  }

  /** Compares what is claimed once more by NIP-77. What is lacking and cannot be had is taken back. */
  async repair(): Promise<Retraction[]> {
    const { reconciling } = this.#deps;
    if (reconciling === null || reconciling.isUnderstood !== true) return [];
    const { filterHash } = this.#job;
    const retractions: Retraction[] = [];
    for (const window of this.#job.repairs) {
      const left = await reconciling
        .reconcile(this.#job, window, this.#findings, NOTHING_PAGED);
      for (const { since, until, isLacking } of left) {
        if (!isLacking) continue;
        const cause = {
          filterHash,
          since,
          until,
          kind: "hidden",
          question: "negentropy",
          eventIds: [],
        } as const;
        retractions.push({ filterHash, since, until, cause });
      }
    }
    return retractions;
  }

  /** Asks about what is claimed, newly or already, and makes of the claims what the answers allow. */
  async audit(questions: number): Promise<AuditedFilter> {
    const { limit, settledBefore, random, signal } = this.#deps;
    return await auditFilter({
      job: this.#job,
      findings: this.#findings,
      rhythm: this.#rhythm,
      requests: this.#requests,
      questions,
    }, {
      profile: this.#deps.profile,
      limit,
      settledBefore,
      random,
      signal,
      authors: () => this.#authors,
      near: (query) => this.#deps.near(query),
      renew: () => this.#deps.renew(),
      flush: () => this.#deps.flush(),
      archived: (events) => this.#deps.archived(events),
      fetch: (query) => this.#fetch(query, null),
      onBegin: () => this.#deps.onState(["auditing"]),
    });
  }

  /** By NIP-77 where the relay is known to understand it; by paging, with NIP-77 beside it, where that is open. */
  async #walkWindow(window: Window): Promise<NoPage | null> {
    const { reconciling } = this.#deps;
    if (reconciling === null) return await this.#page(window, null);
    if (reconciling.isUnderstood === false) {
      return await this.#page(window, null);
    }
    if (reconciling.isUnderstood === true) {
      return await this.#reconcileFirst(reconciling, window);
    }
    const halt = new AbortController();
    const pages = Promise.withResolvers<void>();
    const startedAt = performance.now();
    let patientUntil = 0;
    const beside: { left: ReturnType<Reconciling["reconcile"]> | null } = {
      left: null,
    };
    const broken = await this.#page(window, {
      signal: halt.signal,
      onFirstAnswer: () => {
        const now = performance.now();
        patientUntil = now + PATIENCE_MS + 2 * (now - startedAt);
        beside.left = reconciling
          .reconcile(this.#job, window, this.#findings, pages.promise);
        // Whoever awaits it hears of its failure; until then nobody may be listening.
        beside.left.catch(() => {});
        void reconciling.answered.then((isAnswered) => {
          if (isAnswered) halt.abort();
        });
      },
    }).finally(() => pages.resolve());
    if (beside.left === null) return broken;
    if (halt.signal.aborted) return await this.#pageAll(await beside.left);
    const isAnswered = broken === null
      ? await this.#awaitAnswer(reconciling, patientUntil)
      : false;
    if (isAnswered !== true) {
      const isIgnored = isAnswered === null && !this.#deps.signal.aborted;
      reconciling.giveUp({ isIgnored });
    }
    const left = await beside.left;
    // All was paged: again only where the relay is known to have more.
    return broken ?? await this.#pageAll(left.filter((one) => one.isLacking));
  }

  /** Whether the relay answers NEG-OPEN; null when it does not do so in time. Small relays are paged before they can. */
  async #awaitAnswer(
    { answered }: Reconciling,
    patientUntil: number,
  ): Promise<boolean | null> {
    const patienceMs = Math.max(0, patientUntil - performance.now());
    const over = new AbortController();
    const signal = AbortSignal.any([this.#deps.signal, over.signal]);
    try {
      return await Promise.race([
        answered,
        sleep(patienceMs, signal).then(() => null),
      ]);
    } finally {
      over.abort();
    }
  }

  async #reconcileFirst(
    reconciling: Reconciling,
    window: Window,
  ): Promise<NoPage | null> {
    this.#deps.onState(["reconciling"]);
    const { job, findings } = { job: this.#job, findings: this.#findings };
    return await this.#pageAll(
      await reconciling.reconcile(job, window, findings, NOTHING_PAGED),
    );
  }

  async #pageAll(windows: readonly Window[]): Promise<NoPage | null> {
    for (const window of windows) {
      const broken = await this.#page(window, null);
      if (broken !== null) return broken;
    }
    return null;
  }

  /** Walks a window by paging, until it is halted. */
  async #page(window: Window, halt: Halt | null): Promise<NoPage | null> {
    const { filter } = this.#job;
    const remaining = await overlapping(
      this.#job,
      window,
      (query) => this.#deps.near(query),
    );
    const { profile, policy, witnesses, authors, now, settledBefore } =
      this.#deps;
    const findings = within(window, this.#findings);
    const ranges = new ParallelRanges({
      filter,
      remaining,
      settledBefore,
      profile,
      policy,
      witnesses,
      findings,
      authors,
      now,
    });
    for (const { id, createdAt } of known(remaining)) {
      witnesses.addKnown({ id, createdAt });
    }
    let isFirst = true;
    const seen = new RecentEvents(SEEN_EVENTS);
    let barren = 0;
    return await driveRanges(ranges, {
      halt: halt?.signal ?? null,
      fetch: async (query, repeats) => {
        this.#deps.onState(ranges.states);
        const page = await this.#fetch(query, repeats);
        this.#keepAuthors(page);
        this.#show(page, window);
        if (isFirst && page.end.type === "eose") {
          isFirst = false;
          halt?.onFirstAnswer();
          if (page.events.length > 0) this.#beginCount();
        }
        if (isWhole(query, filter)) this.#rhythm.add(page.events);
        const news = page.accepted.filter((event) => seen.add(event));
        barren = news.length > 0 ? 0 : barren + 1;
        if (barren >= MAX_BARREN_PAGES) ranges.giveUp("unconfirmed");
        return page;
      },
    });
  }

  async #fetch(query: Query, repeats: Repeats | null): Promise<Page> {
    this.#requests += 1;
    const page = await this.#deps.fetch(query, repeats);
    this.#findings.skipUnread(query, page);
    if (page.end.type === "failed") this.#findings.glimpse(query, page);
    return page;
  }

  /** What a walk overlaps with is not walked. */
  #show({ accepted }: Page, window: Window): void {
    const came = accepted.filter(({ createdAt }) =>
      createdAt >= window.since && createdAt <= window.until
    );
    if (came.length === 0) return;
    this.#findings.show({ since: oldestOf(came), until: newestOf(came) });
  }

  /** Keeps a few authors that the relay gives events of. */
  #keepAuthors({ accepted }: Page): void {
    if (this.#authors.length >= MAX_AUTHORS) return;
    const authors = new Set(this.#authors);
    for (const { pubkey } of accepted) {
      if (authors.size < MAX_AUTHORS) authors.add(pubkey);
    }
    this.#authors = [...authors];
  }

  /** Asks how much there is, beside the pages that follow. */
  #beginCount(): void {
    if (this.#uncounted === null) return;
    this.#deps.counting.begin(this.#job.filter, this.#uncounted);
    this.#uncounted = null;
  }

  /** Holds what the archive knows of the relay against what the relay counts. */
  async #count(): Promise<void> {
    const { counting, flush, onState } = this.#deps;
    const { filter, filterHash } = this.#job;
    const counted = await counting.finish(filter, async (of, window) => {
      onState(["counting"]);
      await flush();
      return await this.#deps.sighted({ filter: of, filterHash, window });
    });
    const { window } = counted;
    if (counted.type === "none" || window === undefined) return;
    this.#findings.counted(window, counted);
  }
}

/** How a walk by paging may be halted, and who is told that the relay answers at all. */
interface Halt {
  readonly signal: AbortSignal;
  readonly onFirstAnswer: () => void;
}

/** What is younger than this is left out of a count: it may be on its way, seconds. */
const COUNT_SETTLES_SECONDS = 60;

/** The findings of a walk that overlaps what is known: nothing outside of the window that was wanted. */
function within(window: Window, findings: WalkFindings): WalkFindings {
  const clip = ({ since, until }: Window): Window | null => {
    const clipped = {
      since: Math.max(since, window.since),
      until: Math.min(until, window.until),
    };
    return clipped.since <= clipped.until ? clipped : null;
  };
  return {
    prove(proven, method, support) {
      const clipped = clip(proven);
      if (clipped !== null) findings.prove(clipped, method, support);
    },
    gap(open, reason) {
      const clipped = clip(open);
      if (clipped !== null) findings.gap(clipped, reason);
    },
    contradict: (contradiction) => findings.contradict(contradiction),
    doubt: (eventIds) => findings.doubt(eventIds),
  };
}

/** Whether a query asks for all of the walk's filter: between the events of another one there is no silence. */
function isWhole({ filter, extraFilters }: Query, walked: Filter): boolean {
  return extraFilters === undefined && filter.ids === undefined &&
    filter.kinds === walked.kinds && filter.authors === walked.authors;
}

function known({ floor, ceiling }: Remaining) {
  return [...floor, ...ceiling];
}
