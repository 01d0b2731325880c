/**
 * What `sync` says: its bars while it works, and its summary for people and for programs.
 *
 * @module
 */
import {
  type StrengthShares,
  weakestStrength,
} from "../../archive/sync/sync_coverage.ts";
import type { RelayUrl } from "../../models/relay_url.ts";
import type {
  MissingWindow,
  Wanted,
} from "../../services/synchronizer/plan.ts";
import type { RelaySync } from "../../services/synchronizer/sync_relay.ts";
import type { SyncCounts } from "../../services/synchronizer/sync_store.ts";
import {
  CONSEQUENCE,
  FUTURE_RETRACTED,
} from "../../services/synchronizer/reporting.ts";
import { statesText } from "../../services/synchronizer/walk_progress.ts";
import type { SyncAudit } from "../../services/synchronizer/session_audit.ts";
import { failureText, type RelayFailure } from "../../transport/failure.ts";
import { clockLine } from "./clock_report.ts";
import { countsText } from "./evidence_text.ts";
import { duration, grouped } from "../terminal/numbers.ts";
import type { ProgressLine } from "../terminal/progress.ts";
import { labelledLines } from "../terminal/labelled_lines.ts";
import { table } from "../terminal/table.ts";

/** One relay of the command. */
export interface RelayRun {
  readonly relay: RelayUrl;
  /** The oldest second that is wanted. */
  readonly since: number;
  readonly startedAt: number;
  /** The share that was shown last: what is learned meanwhile must not take it back. */
  share: number;
  counts: SyncCounts | null;
  result: RelaySync | null;
  /** Why a relay that is new to the archive gave no answer at all; null when it did, or is not new. */
  unreached: RelayFailure | null;
}

export function startRun(relay: RelayUrl, { filters }: Wanted): RelayRun {
  const since = Math.min(...filters.map((filter) => filter.since));
  const startedAt = performance.now();
  return {
    relay,
    since,
    startedAt,
    share: 0,
    counts: null,
    result: null,
    unreached: null,
  };
}

/** The bars, those at work first. */
export function runLines(runs: readonly RelayRun[]): ProgressLine[] {
  const working = runs.filter((run) => !isOver(run));
  const done = runs.filter(isOver);
  return [...working, ...done].map(toLine);
}

function isOver({ result, unreached }: RelayRun): boolean {
  return result !== null || unreached !== null;
}

/** The summary as a table; as a paragraph for each relay where the terminal is too narrow for that. */
export function reportText(
  runs: readonly RelayRun[],
  seconds: number,
  columns: number,
): string {
  const rows = runs.map(({ relay, result, unreached }) => [
    relay.url,
    grouped(result?.stored ?? 0),
    grouped(result?.known ?? 0),
    grouped(total(result?.rejected ?? {})),
    unreached === null ? verdict(result) : failureText(unreached),
  ]);
  const { stored, known } = totals(runs);
  const head = ["relay", "stored", "known", "rejected", ""];
  const end = `${grouped(stored)} stored, ${grouped(known)} known in ${
    duration(seconds)
  } (${grouped((stored + known) / seconds)} events/s)\n`;
  const wide = table(head, rows);
  const fits = wide.split("\n").every((line) => line.length <= columns);
  const summary = fits ? wide : rows.map((row) => paragraph(row, columns));
  return [summary, end, clockLines(runs)].flat().join("");
}

function paragraph(
  [url = "", stored, known, rejected, ended]: readonly string[],
  columns: number,
): string {
  const text =
    `${ended}; ${stored} stored, ${known} known, ${rejected} rejected`;
  return `${url}\n` + labelledLines([["", text]], { label: 2, columns });
}

/** The summary of `--json`. */
export function reportJson(runs: readonly RelayRun[], seconds: number) {
  const { stored, known } = totals(runs);
  return {
    relays: runs.map(({ relay, since, result, unreached }) => ({
      url: relay.url,
      stored: result?.stored ?? 0,
      known: result?.known ?? 0,
      received: result?.received ?? 0,
      requests: result?.requests ?? 0,
      rejected: result?.rejected ?? {},
      complete: result?.complete ?? false,
      method: result?.method ?? "paging",
      proof: result?.proof ?? NO_PROOF,
      audit: auditJson(result?.audit ?? null),
      clock: {
        skewSeconds: result?.clock.skewSeconds ?? 0,
        retractedSeconds: result?.clock.retractedSeconds ?? 0,
      },
      gaps: result?.gaps ?? allMissing(unreached, since),
      failure: failureOf(result?.failure ?? unreached),
      seconds: result?.seconds ?? 0,
    })),
    stored,
    known,
    seconds: Math.round(seconds * 1_000) / 1_000,
    eventsPerSecond: Math.round((stored + known) / seconds),
  };
}

/** All of the wanted time, where a relay that is new gave no answer. */
function allMissing(
  unreached: RelayFailure | null,
  since: number,
): readonly MissingWindow[] {
  const until = Math.floor(Date.now() / 1_000);
  return unreached === null ? [] : [{ since, until, reason: unreached.code }];
}

function failureOf(failure: RelayFailure | null): string | null {
  return failure === null ? null : failureText(failure);
}

/** A line where the clocks differ, and one for each relay of which the future was proven once. */
function clockLines(runs: readonly RelayRun[]): string[] {
  const wrong = runs.find(({ result }) => result?.clock.isWrong)?.result;
  const differs = wrong === undefined || wrong === null ? [] : [
    clockLine("this machine", wrong.clock.skewSeconds, CONSEQUENCE),
  ];
  const retracted = runs.flatMap(({ relay: { url }, result }) => {
    const seconds = result?.clock.retractedSeconds ?? 0;
    return seconds === 0
      ? []
      : [`WARNING: ${url}: ${duration(seconds)} of ${FUTURE_RETRACTED}\n`];
  });
  return [...differs, ...retracted];
}

const NO_PROOF: StrengthShares = {
  reconciled: 0,
  counted: 0,
  paged: 0,
  weak: 0,
};

function auditJson(audit: SyncAudit | null) {
  return {
    asked: audit?.asked ?? 0,
    confirmed: audit?.confirmed ?? 0,
    contradicted: audit?.contradicted ?? 0,
    retracted: audit?.retracted ?? 0,
  };
}

function toLine(run: RelayRun): ProgressLine {
  const { relay, counts, result, unreached } = run;
  const name = relay.url;
  if (unreached !== null) {
    return { name, share: null, parts: [failureText(unreached)] };
  }
  if (result !== null) {
    const share = result.complete ? 1 : run.share;
    const stored = `${grouped(result.stored)} stored`;
    return { name, share, parts: [verdict(result), stored] };
  }
  if (counts === null) return { name, share: null, parts: ["connecting"] };
  run.share = Math.max(run.share, shareOf(counts));
  return { name, share: run.share, parts: partsOf(run, counts) };
}

/** The sync is over when it says so: what it audits and confirms in the end has no measure. */
const MOST = 0.99;

/** Of the events where the relay lists what it has, of the time to walk where it does not. */
function shareOf({ stored, rejected, work }: SyncCounts): number {
  const { missing, settledSeconds, wantedSeconds } = work;
  const done = missing > 0 ? stored + total(rejected) : settledSeconds;
  const all = missing > 0 ? missing : wantedSeconds;
  return all === 0 ? 0 : Math.min(MOST, done / all);
}

/** The most important first: a narrow terminal shows no more. */
function partsOf(
  { share, startedAt }: RelayRun,
  { stored, known, until, doing, work }: SyncCounts,
): string[] {
  const seconds = Math.max(0.001, (performance.now() - startedAt) / 1_000);
  const of = work.missing > stored
    ? ` of ${grouped(work.missing)} missing`
    : "";
  const states = statesText(doing);
  return [
    `${grouped(stored)}${of} stored`,
    ...leftText(share, seconds),
    `${grouped((stored + known) / seconds)}/s`,
    ...(known > 0 ? [`${grouped(known)} known`] : []),
    ...(until === null ? [] : [dateOf(until)]),
    ...(states === "" ? [] : [states]),
  ];
}

/** Nobody can tell from the first seconds, or from a hundredth. */
const TELLING_SECONDS = 5;
const TELLING_SHARE = 0.02;

/** Events are denser in later years, which come first: it rather takes less. */
function leftText(share: number, seconds: number): string[] {
  if (seconds < TELLING_SECONDS || share < TELLING_SHARE || share >= MOST) {
    return [];
  }
  const left = seconds * (1 - share) / share;
  return left < 1 ? [] : [`${duration(left)} left`];
}

function dateOf(until: number): string {
  const seconds = Math.min(until, Date.now() / 1_000);
  return new Date(seconds * 1_000).toISOString().slice(0, 10);
}

function verdict(result: RelaySync | null): string {
  if (result === null) return "not begun";
  if (result.failure !== null) return failureText(result.failure);
  const { retracted, retractions } = result.audit;
  const caught = retracted === 0 ? "" : `, caught: ${countsText(retractions)}`;
  if (result.complete) return `complete${strengthOf(result)}${caught}`;
  const reasons = new Set(result.gaps.map(({ reason }) => reason));
  const gaps = result.gaps.length === 1 ? "gap" : "gaps";
  return `${result.gaps.length} ${gaps} (${[...reasons].join(", ")})${caught}`;
}

/** ` (paged)`: the weakest strength that holds more than 1 % of what is proven. */
function strengthOf({ proof }: RelaySync): string {
  const strength = weakestStrength(proof);
  return strength === null ? "" : ` (${strength})`;
}

function totals(runs: readonly RelayRun[]) {
  const sum = (count: (result: RelaySync) => number) =>
    runs.reduce(
      (n, { result }) => n + (result === null ? 0 : count(result)),
      0,
    );
  return {
    stored: sum(({ stored }) => stored),
    known: sum(({ known }) => known),
  };
}

function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((a, b) => a + b, 0);
}
