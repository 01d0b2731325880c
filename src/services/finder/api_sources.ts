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

/** Asks each source that is due, one after the other. What one of them does wrong is counted and logged. */
export async function askSources(
  ctx: Context<FinderConfig>,
  dialer: Dialer,
): Promise<void> {
  const { retrySeconds, requestDelayMs, sources } = ctx.config.api;
  const histories = await loadHistories(ctx.database, sources);
  const now = clockFrom((await databaseClock(ctx.database)).now);
  let asked = 0;
  for (const source of sources) {
    const history = histories.get(source.url);
    if (!source.enabled || history === undefined) continue;
    const { cooldownSeconds } = source;
    const waits = { cooldownSeconds, retrySeconds };
    if (!isDue(dueAt(history, waits), now(), cooldownSeconds)) continue;
    if (asked++ > 0) await sleep(requestDelayMs, ctx.signal);
    if (ctx.signal.aborted) return;
    const { failures } = history;
    await askSource(ctx, dialer, { source, failures, now });
  }
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

async function askSource(
  ctx: Context<FinderConfig>,
  dialer: Dialer,
  visit: SourceVisit,
): Promise<void> {
  const list = await fetchRelayList(dialer, visit.source, ctx.signal);
  const answers = ctx.metrics.counter(
    "finder_api_answers_total",
    "Answers of API sources by outcome; the log names the source that failed",
    ["outcome"],
  );
  if (!list.ok) {
    if (list.failure.code === "aborted") return;
    answers.inc({ outcome: list.failure.code });
    return await recordFailure(ctx, visit, list.failure);
  }
  answers.inc({ outcome: "list" });
  const stored = await storeList(ctx, visit, list.value);
  ctx.log.info("source asked", {
    source: withoutQuery(visit.source.url),
    ...stored,
  });
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
