/**
 * The findings of one filter, on their way from the walks into the batch: what of them may be claimed, and what was
 * claimed, so that the audit can look at it and strengthen it or take it back.
 *
 * @module
 */
import {
  intersectWindows,
  mergeWindows,
  OPEN_END,
  subtractWindows,
  type Window,
} from "../../models/window.ts";
import type {
  AuditReport,
  Contradiction,
  ContradictionKind,
  Proof,
  Retraction,
  Strength,
  Support,
  WalkProof,
} from "../protocol/evidence.ts";
import type { WalkJob } from "../protocol/job.ts";
import type { GapReason } from "../protocol/report.ts";
import type { Finding } from "../ingest/event_queue.ts";
import type { WalkFindings } from "../walk/ask.ts";
import {
  auditedStrength,
  claimable,
  ClaimLog,
  distrustOf,
  FIRST_STRENGTH,
} from "../walk/claims.ts";
import { newestOf, oldestOf, type Page, type Query } from "../walk/page.ts";
import type { Counted } from "./count_check.ts";

/** Takes what becomes of a finding, behind the events it rests on. */
export type FindingSink = (finding: Finding) => void;

/** Holes remembered at most; with more of them nothing is claimed any more. */
const MAX_HOLES = 2_000;

export class Findings implements WalkFindings {
  readonly job: WalkJob;
  readonly #sink: FindingSink;
  readonly #claims = new ClaimLog();
  readonly #holes: Window[] = [];
  readonly #contradictions: Contradiction[] = [];
  readonly #retractions: Retraction[] = [];
  /** Time of which events came without an end that could be believed. */
  #glimpsed: Window[] = [];
  /** Time from the oldest to the newest event of each page of a walk, and what of it was left as the relay failed. */
  #shown: Window[] = [];
  #abandoned: Window[] = [];
  #counted: { readonly window: Window; readonly relay: number } | null = null;
  readonly #caught: number;
  #distrust: GapReason | null;

  /** `caught`: how often the relay was shown to be wrong, as far as that is not forgiven. */
  constructor(
    job: WalkJob,
    { sink, caught }: { readonly sink: FindingSink; readonly caught: number },
  ) {
    this.job = job;
    this.#sink = sink;
    this.#caught = caught;
    this.#distrust = job.provenUntil === null ? "clock" : distrustOf(caught);
  }

  /** What this session has claimed so far. */
  get claims(): ClaimLog {
    return this.#claims;
  }

  /** What contradicted the relay while it was walked. */
  get contradictions(): readonly Contradiction[] {
    return this.#contradictions;
  }

  prove({ since, until }: Window, method: WalkProof, support: Support): void {
    if (this.#distrust !== null) {
      return this.gap({ since, until }, this.#distrust);
    }
    const proof = { since, until, method, support };
    for (const claim of claimable(proof, this.#doubts)) this.#claim(claim);
  }

  gap({ since, until }: Window, reason: GapReason): void {
    const settled = this.job.provenUntil ?? OPEN_END;
    const window = intersectWindows({ since, until }, {
      since: 0,
      until: settled,
    });
    if (window === null) return;
    const { filterHash, covered } = this.job;
    this.#sink({ type: "open", gap: { ...window, filterHash, reason } });
    if (IS_FAILURE.has(reason)) {
      this.#abandoned = mergeWindows([...this.#abandoned, window]);
    }
    if (!IS_ABOUT_EVENTS.has(reason)) return;
    for (const before of covered) {
      const stale = intersectWindows(window, before);
      if (stale !== null) this.#retract(stale, "hidden", []);
    }
  }

  /** Takes back what was claimed of a window. */
  #retract(
    { since, until }: Window,
    kind: ContradictionKind,
    eventIds: readonly string[],
  ): void {
    if (this.#retractions.length >= MAX_CONTRADICTIONS) {
      this.#distrust ??= "contradicted";
    }
    if (this.#retractions.length >= MAX_RETRACTIONS) return;
    const { filterHash } = this.job;
    const cause = {
      filterHash,
      since,
      until,
      kind,
      question: kind === "count" ? kind : "page",
      eventIds,
    } as const;
    this.#retractions.push({ filterHash, since, until, cause });
  }

  /** Nothing that this session finds is believed any more: it was shown to be wrong. */
  contradict(contradiction: Omit<Contradiction, "filterHash">): void {
    const { filterHash } = this.job;
    this.#distrust ??= "contradicted";
    if (this.#contradictions.length >= MAX_CONTRADICTIONS) return;
    this.#contradictions.push({ ...contradiction, filterHash });
  }

  /** Takes back everything, and claims nothing more in this session; the relay is not blamed, as much may be on its way to it. */
  doubt(eventIds: readonly string[]): void {
    this.#distrust ??= "late";
    this.#retract({ since: 0, until: OPEN_END }, "late", eventIds);
  }

  /** Makes gaps of what came with a page and was not read: nothing there is claimed in this session. */
  skipUnread({ window, match }: Query, page: Page): void {
    for (const { since, until, reason } of page.unread) {
      // Events asked for by their ids are found missing one by one.
      if (match !== undefined && since < until) continue;
      // Below its last event a page says nothing: what follows comes with the next one.
      const bottom = page.events.length > 0 ? oldestOf(page.events) : since;
      const isTrailing = since === window.since && since < bottom;
      this.hole({ since: isTrailing ? bottom : since, until }, reason);
    }
  }

  /** Events came in a page that failed: what was claimed before of their time, and below, may be out of date. */
  glimpse({ window: { since } }: Query, { accepted }: Page): void {
    if (accepted.length === 0) return;
    const seen = { since, until: newestOf(accepted) };
    this.#glimpsed = mergeWindows([...this.#glimpsed, seen]);
  }

  /** A page of a walk came: if the walk does not end there, what was claimed before of its time may be out of date. */
  show({ since, until }: Window): void {
    this.#shown = mergeWindows([...this.#shown, { since, until }]);
  }

  /** Takes back what was claimed before of time of which events came, and which was not walked again. */
  #retractGlimpsed(): void {
    const halfShown = this.#abandoned.flatMap((left) =>
      this.#shown.flatMap((shown) => intersectWindows(left, shown) ?? [])
    );
    for (const glimpsed of mergeWindows([...this.#glimpsed, ...halfShown])) {
      for (const left of subtractWindows(glimpsed, this.#claims.windows)) {
        for (const before of this.job.covered) {
          const stale = intersectWindows(left, before);
          if (stale !== null) this.#retract(stale, "late", []);
        }
      }
    }
  }

  /** Takes back what was claimed of a window: events of it came after the end of their page. */
  late({ since, until }: Window, eventId: string): void {
    this.hole({ since, until }, "late");
    this.#retract({ since, until }, "late", [eventId]);
  }

  /** Claims nothing of a window from now on. */
  hole({ since, until }: Window, reason: GapReason): void {
    const hole = { since, until };
    if (this.#holes.length >= MAX_HOLES) this.#distrust ??= reason;
    else this.#holes.push(hole);
    this.gap(hole, reason);
  }

  /** What an exact COUNT says of a window: nothing more is there, or more than the archive knows. */
  counted(
    { since, until }: Window,
    { type, relay }: Exclude<Counted, { type: "none" }>,
  ): void {
    if (type === "agrees") {
      this.#counted = { window: { since, until }, relay };
      return;
    }
    this.#retract({ since, until }, "count", []);
    this.hole({ since, until }, "count-mismatch");
  }

  /**
   * What the audit of the session makes of its claims: stronger, or taken back. Says what is taken back. Only a `thorough`
   * audit says something for the claims that earlier sessions left weak.
   */
  conclude(
    audit: AuditReport,
    { isThorough }: { readonly isThorough: boolean },
  ): Retraction[] {
    this.#retractGlimpsed();
    const [cause] = audit.contradictions;
    if (cause !== undefined) {
      const { filterHash } = this.job;
      return [{ filterHash, since: 0, until: OPEN_END, cause }];
    }
    const before = isThorough ? this.job.weak : [];
    const proofs = this.#counts([...this.#claims.proofs, ...before]);
    for (const proof of proofs) {
      const strength = auditedStrength(proof, audit, this.#caught);
      if (strength === null) continue;
      for (const claim of claimable(proof, this.#doubts)) {
        this.#emit(claim, strength);
      }
    }
    // News in several places come of an import, or of a relay that answers by luck: they may be anywhere.
    const isAnywhere = isThorough || audit.late.length > 1;
    const around = isAnywhere ? OPEN_END : AROUND_SECONDS;
    const late = audit.late.map((cause) => ({
      filterHash: cause.filterHash,
      since: Math.max(0, cause.since - around),
      until: Math.min(OPEN_END, cause.until + around),
      cause,
    }));
    return [...this.#retractions, ...late];
  }

  /** Proofs within a window that was counted rest on the count, too. */
  #counts(proofs: readonly Proof[]): Proof[] {
    const counted = this.#counted;
    if (counted === null) return [...proofs];
    const { window, relay } = counted;
    const counts = { relay, archive: relay };
    return proofs.flatMap((proof) => {
      const inside = intersectWindows(proof, window);
      const outside = subtractWindows(proof, [window])
        .map((rest) => ({ ...proof, ...rest }));
      if (inside === null) return outside;
      const support = { ...proof.support, counts };
      return [...outside, { ...proof, ...inside, support }];
    });
  }

  get #doubts() {
    const { provenUntil } = this.job;
    return { provenUntil, holes: this.#holes, distrust: this.#distrust };
  }

  #claim(proof: Proof): void {
    this.#claims.add(proof);
    this.#emit(proof, FIRST_STRENGTH);
  }

  #emit(proof: Proof, strength: Strength): void {
    const { filter, filterHash } = this.job;
    const { since, until, method, support } = proof;
    this.#sink({
      type: "proven",
      proof: { since, until, filterHash, filter, method, strength, support },
    });
  }
}

/** Reasons that say something of what lies there: what was claimed of it before is out of date. */
const IS_ABOUT_EVENTS: ReadonlySet<GapReason> = new Set([
  "contradicted",
  "saturated",
  "hidden",
  "too-large",
  "unread",
  "withheld",
  "bounds-ignored",
  "unconfirmed",
]);

/** Reasons that say something of the relay, and nothing of what lies there. */
const IS_FAILURE: ReadonlySet<GapReason> = new Set([
  "timeout",
  "disconnected",
  "rate-limited",
  "auth-required",
  "restricted",
  "refused",
  "over-budget",
]);

/** Retractions kept of one filter, beyond which nothing of the session is claimed. */
const MAX_RETRACTIONS = 1_000;

/** Where events came late, so much around them is asked for again: a day, seconds. */
const AROUND_SECONDS = 86_400;

/** Contradictions kept of one filter: the first ones say enough. */
const MAX_CONTRADICTIONS = 20;
