/**
 * The sources over HTTP: each is asked when it is due, and remembered only together with what it gave.
 *
 * @module
 */
import { clockFrom, databaseClock } from "../../archive/clock.ts";
import type {
  CandidateHint,
  CandidateInsertion,
} from "../../archive/candidates.ts";
import type { Context } from "../../core/lifecycle/service.ts";
import { sleep } from "../../base/sleep.ts";
import {
  parentUrl,
  parseRelayUrl,
  registrableDomain,
} from "../../models/relay_url.ts";
import type { Dialer } from "../../transport/dialer.ts";
import { parseHttpUrl } from "../../transport/http/http_url.ts";
import {
  type AddressSlots,
  type CrowdedAddresses,
  takeWhereFree,
} from "../../transport/politeness.ts";
import { withoutQuery } from "../../transport/printable.ts";
import {
  dueAt,
  loadHistories,
  rememberFailure,
  rememberSuccess,
} from "./api_history.ts";
import { countCandidates, storeHints } from "./candidates_found.ts";
import type { ApiSource, FinderConfig } from "./config.ts";
import {
  fetchRelayList,
  type ListFailure,
  listFailureText,
} from "./relay_list.ts";

/** What sources are asked with. */
export interface SourceDeps {
  readonly dialer: Dialer;
  /** The slots that the dialer takes. */
  readonly slots: AddressSlots;
}

/**
 * Asks each source that is due, one after the other; one whose address is full comes after those that can be asked, or
 * stays due. What one of them does wrong is counted and logged.
 */
export async function askSources(
  ctx: Context<FinderConfig>,
  deps: SourceDeps,
): Promise<void> {
  const waiting = await dueVisits(ctx);
  for (let asked = 0; waiting.length > 0;) {
    const [visit] = await takeWhereFree(
      deps.slots,
      (crowded) => Promise.resolve(takeFirst(waiting, crowded)),
      ctx,
    );
    if (visit === undefined) return;
    if (asked > 0) await sleep(ctx.config.api.requestDelayMs, ctx.signal);
    if (ctx.signal.aborted) return;
    if (await askSource(ctx, deps, visit)) asked += 1;
    else waiting.push(visit);
  }
}

async function dueVisits(
  { config, database }: Context<FinderConfig>,
): Promise<SourceVisit[]> {
  const { retrySeconds, sources } = config.api;
  const histories = await loadHistories(database, sources);
  const now = clockFrom((await databaseClock(database)).now);
  return sources.flatMap((source) => {
    const history = histories.get(source.url);
    if (!source.enabled || history === undefined) return [];
    const { cooldownSeconds } = source;
    const waits = { cooldownSeconds, retrySeconds };
    return isDue(dueAt(history, waits), now(), cooldownSeconds)
      ? [{ source, failures: history.failures, now }]
      : [];
  });
}

/** Takes the first whose address is not full; none when all are. */
function takeFirst(
  waiting: SourceVisit[],
  { exceptAuthorities }: CrowdedAddresses,
): SourceVisit[] {
  const at = waiting.findIndex(({ source }) => {
    const url = parseHttpUrl(source.url);
    return !url.ok || !exceptAuthorities.includes(url.value.authority);
  });
  return at < 0 ? [] : waiting.splice(at, 1);
}

/** Whether a source is due; one that is due later than its cooldown was put off by a wrong clock. */
function isDue(dueAt: number, now: number, cooldownSeconds: number): boolean {
  return dueAt <= now || dueAt > now + cooldownSeconds;
}

interface SourceVisit {
  readonly source: ApiSource;
  /** Failures in a row before this visit. */
  readonly failures: number;
  /** Unix seconds by the database's clock. */
  readonly now: () => number;
}

/** Whether the source could be asked, whatever came of it. */
async function askSource(
  ctx: Context<FinderConfig>,
  { dialer }: SourceDeps,
  visit: SourceVisit,
): Promise<boolean> {
  const list = await fetchRelayList(dialer, visit.source, ctx.signal);
  if (!list.ok && list.failure.code === "busy") return false;
  const answers = ctx.metrics.counter(
    "finder_api_answers_total",
    "Answers of API sources by outcome; the log names the source that failed",
    ["outcome"],
  );
  if (!list.ok) {
    if (list.failure.code === "aborted") return true;
    answers.inc({ outcome: list.failure.code });
    await recordFailure(ctx, visit, list.failure);
    return true;
  }
  answers.inc({ outcome: "list" });
  const stored = await storeList(ctx, visit, list.value);
  ctx.log.info("source asked", {
    source: withoutQuery(visit.source.url),
    ...stored,
  });
  return true;
}

async function recordFailure(
  { database, log }: Context<FinderConfig>,
  { source, failures, now }: SourceVisit,
  failure: ListFailure,
): Promise<void> {
  await rememberFailure(database, source, {
    timestamp: now(),
    failures: failures + 1,
    reason: failure.code,
  });
  log.warn("source failed", {
    source: withoutQuery(source.url),
    reason: listFailureText(failure),
  });
}

/** Stores candidates and checkpoint in one transaction: after a crash either both are there or neither. */
async function storeList(
  { config, database, metrics }: Context<FinderConfig>,
  { source, now }: SourceVisit,
  texts: readonly string[],
): Promise<CandidateInsertion & { malformed: number }> {
  const hints = toHints(texts, config.allowPrivate);
  const stored = await database.transaction(async (sql) => {
    const inserted = await storeHints(sql, hints, config.budgets);
    const checkpoint = { timestamp: now(), relays: hints.length };
    await rememberSuccess(sql, source, checkpoint);
    return inserted;
  }, { kind: "batch" });
  countCandidates(metrics, "api", stored);
  return { ...stored, malformed: texts.length - hints.length };
}

function toHints(
  texts: readonly string[],
  allowPrivate: boolean,
): CandidateHint[] {
  const hints: CandidateHint[] = [];
  for (const text of texts) {
    const parsed = parseRelayUrl(text, { allowPrivate });
    if (!parsed.ok) continue;
    const relay = parentUrl(parsed.value) ?? parsed.value;
    hints.push({ ...relay, domain: registrableDomain(relay), source: "api" });
  }
  return hints;
}
