/**
 * The audit of one filter of a session: how much is asked, about which windows, and what the answers make of the claims.
 *
 * @module
 */
import {
  mergeWindows,
  OPEN_END,
  subtractWindows,
  type Window,
} from "../../models/window.ts";
import { audit } from "../audit/audit.ts";
import type { AuditDeps } from "../audit/subject.ts";
import {
  type AuditReport,
  NO_AUDIT,
  type Retraction,
} from "../protocol/evidence.ts";
import type { WalkJob } from "../protocol/job.ts";
import type { Query } from "../walk/page.ts";
import type { Rhythm } from "../walk/rhythm.ts";
import type { Findings } from "./findings.ts";

/** What a session has found, and is to be audited. */
export interface FilterClaims {
  readonly job: WalkJob;
  readonly findings: Findings;
  readonly rhythm: Rhythm;
  /** Requests that the session took for it. */
  readonly requests: number;
  /** Questions where little is newly claimed. */
  readonly questions: number;
}

/** What the audit of a filter works with. */
export interface FilterAuditDeps extends AuditDeps {
  /** Events asked for at once at most. */
  readonly limit: number;
  /** Unix seconds: what is younger may still be arriving. */
  readonly settledBefore: number;
  /** Everything handed on so far is in the archive. */
  flush(): Promise<void>;
  /** The first question is about to be asked. */
  onBegin(): void;
}

/** What the audit of a filter has come to. */
export interface AuditedFilter {
  readonly report: AuditReport;
  readonly retractions: readonly Retraction[];
}

/** Questions about what a session has claimed newly, if that is much. */
const QUESTIONS_AFTER_WALK = 12;

/** How likely a sync is to ask as much about claims that stayed weak: they may stay so. */
const WEAK_AUDIT_CHANCE = 1 / 8;

/** Claims that took as many requests are much, or that are about as much time: three days, seconds. */
const MUCH_REQUESTS = 6;
const MUCH_SECONDS = 3 * 86_400;

/** Asks about what is claimed, newly or already, and makes of the claims what the answers allow. */
export async function auditFilter(
  claims: FilterClaims,
  deps: FilterAuditDeps,
): Promise<AuditedFilter> {
  const { findings } = claims;
  const isThorough = judgeThorough(claims, deps);
  const questions = isThorough ? QUESTIONS_AFTER_WALK : claims.questions;
  const found = findings.contradictions;
  const report = found.length > 0
    ? { ...NO_AUDIT, contradictions: found }
    : await ask(claims, questions, deps);
  return { report, retractions: findings.conclude(report, { isThorough }) };
}

/** Whether there is much to be audited: much was claimed, or what stayed weak before. */
function judgeThorough(
  { job: { covered, weak }, findings: { claims }, requests }: FilterClaims,
  { random }: FilterAuditDeps,
): boolean {
  const news = claims.windows
    .flatMap((window) => subtractWindows(window, covered));
  return spanOf(news) >= MUCH_SECONDS ||
    requests >= MUCH_REQUESTS && !claims.isEmpty ||
    weak.length > 0 && random() < WEAK_AUDIT_CHANCE;
}

async function ask(
  { job, findings: { claims }, rhythm }: FilterClaims,
  questions: number,
  deps: FilterAuditDeps,
): Promise<AuditReport> {
  if (questions === 0) return NO_AUDIT;
  deps.onBegin();
  await deps.flush();
  const { filter, filterHash, covered } = job;
  return await audit(
    {
      filter,
      filterHash,
      claimed: claimsOf(claims.windows, covered, job),
      rhythm,
      settledBefore: deps.settledBefore,
      limit: deps.limit,
    },
    questions,
    {
      ...deps,
      archived: async (events) => {
        await deps.flush();
        return await deps.archived(events);
      },
      fetch: (query) => deps.fetch(wantedOf(query, job)),
    },
  );
}

/** A question that leaves alone what is older or newer than wanted. */
function wantedOf(query: Query, { wanted }: WalkJob): Query {
  const { filter, window } = query;
  if (filter.ids !== undefined) return query;
  const since = Math.max(window.since, wanted.since);
  const until = Math.min(window.until, wanted.until);
  return {
    ...query,
    window: { since, until },
    filter: {
      ...filter,
      ...(wanted.since > 0 && {
        since: Math.max(filter.since ?? 0, wanted.since),
      }),
      ...(wanted.until < OPEN_END && {
        until: Math.min(filter.until ?? OPEN_END, wanted.until),
      }),
    },
  };
}

/** How much time windows are, seconds. */
function spanOf(windows: readonly Window[]): number {
  return windows.reduce((sum, { since, until }) => sum + until - since + 1, 0);
}

/** All that is claimed, newly and before. */
function claimsOf(
  claimed: readonly Window[],
  covered: readonly Window[],
  { provenUntil }: WalkJob,
): Window[] {
  return mergeWindows([...claimed, ...covered])
    .filter(({ since }) => since <= (provenUntil ?? OPEN_END));
}
