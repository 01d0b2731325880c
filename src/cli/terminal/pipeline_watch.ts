/**
 * The pipeline while it runs: live lines on a terminal, a log line now and then elsewhere.
 *
 * @module
 */
import type { Database } from "../../core/database/connection/database.ts";
import { type PipelineCounts, pipelineCounts } from "../../archive/pipeline.ts";
import { sleep } from "../../base/sleep.ts";
import type { Logger } from "../../core/log/logger.ts";
import { type Network, NETWORKS } from "../../models/network.ts";
import { duration, grouped } from "./numbers.ts";
import type { Screen } from "./screen.ts";
import type { ServiceHost } from "../service_host.ts";

/** What the next stage works on. */
export type Stage = "candidates" | "relays";

export interface PipelineWatch extends AsyncDisposable {
  /** Returns when there is the first of it, or when `signal` aborts. */
  firstOf(stage: Stage, signal: AbortSignal): Promise<void>;
}

export interface PipelineWatchOptions {
  readonly database: Database;
  readonly host: ServiceHost;
  readonly log: Logger;
  readonly screen: Screen;
}

const LIVE_SECONDS = 2;
const LOG_SECONDS = 60;
/** Until the first relay is there somebody waits for it. */
const FIRST_SECONDS = 0.5;

/** Starts watching; disposing ends it and removes the live lines. */
export function watchPipeline(options: PipelineWatchOptions): PipelineWatch {
  const ended = new AbortController();
  const first = {
    candidates: Promise.withResolvers<void>(),
    relays: Promise.withResolvers<void>(),
  };
  const watching = watch(options, ended.signal, (stage) => {
    first[stage].resolve();
  });
  return {
    firstOf: (stage, signal) => orAborted(first[stage].promise, signal),
    async [Symbol.asyncDispose]() {
      ended.abort();
      await watching;
      options.screen.show([]);
    },
  };
}

/** Returns when `promise` is there, or when `signal` aborts. */
async function orAborted(
  promise: Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted) return;
  const aborted = Promise.withResolvers<void>();
  const abort = () => aborted.resolve();
  signal.addEventListener("abort", abort, { once: true });
  await Promise.race([promise, aborted.promise]);
  signal.removeEventListener("abort", abort);
}

async function watch(
  options: PipelineWatchOptions,
  signal: AbortSignal,
  isThere: (stage: Stage) => void,
): Promise<void> {
  const { database, screen, log } = options;
  const show = screen.isTerminal ? showLive(options) : logNow(options);
  const often = screen.isTerminal ? LIVE_SECONDS : LOG_SECONDS;
  let seconds = FIRST_SECONDS;
  while (!signal.aborted) {
    try {
      const counts = await pipelineCounts(database);
      const relays = sum(counts.relays, (one) => one.total);
      if (sum(counts.candidates, (one) => one.total) > 0) isThere("candidates");
      if (relays > 0) isThere("relays");
      seconds = relays > 0 ? often : FIRST_SECONDS;
      if (!signal.aborted) show(counts);
    } catch (error) {
      log.warn("pipeline not counted", { error });
      seconds = often;
    }
    await sleep(seconds * 1_000, signal);
  }
}

type Show = (counts: PipelineCounts) => void;

function showLive({ host, screen }: PipelineWatchOptions): Show {
  const rate = eventRate();
  return (counts) => {
    const now = Date.now() / 1_000;
    const working = [...host.runtimes]
      .filter(([, { cycleStartedAt }]) => cycleStartedAt !== null)
      .map(([name, { cycleStartedAt }]) =>
        `${name} ${duration(Math.max(0, now - (cycleStartedAt ?? now)))}`
      );
    screen.show([
      `candidates ${grouped(sum(counts.candidates, (one) => one.total))}` +
      ` (${grouped(sum(counts.candidates, (one) => one.due))} due)` +
      ` · relays ${relayText(counts)}`,
      `events ${grouped(counts.events.count)} (+${grouped(rate(counts))}/s)` +
      ` · synced ${grouped(counts.coverage.relays)} relays, ${
        grouped(counts.coverage.gaps)
      } gaps${caughtText(counts)}`,
      working.length === 0 ? "idle" : `in work: ${working.join(" · ")}`,
    ]);
  };
}

/** Only where a relay was caught: as a rule none is. */
function caughtText({ coverage: { audit } }: PipelineCounts): string {
  return audit.caughtRelays === 0
    ? ""
    : `, ${grouped(audit.caughtRelays)} relays caught`;
}

function relayText({ relays }: PipelineCounts): string {
  const networks = NETWORKS.filter((network) => relays[network].total > 0)
    .map((network) => `${network} ${grouped(relays[network].total)}`);
  const online = sum(relays, (one) => one.online);
  return `${networks.join(", ") || "0"} (${grouped(online)} online)`;
}

function logNow({ log }: PipelineWatchOptions): Show {
  const rate = eventRate();
  let loggedAt = performance.now();
  return (counts) => {
    if (performance.now() - loggedAt < LOG_SECONDS * 1_000) return;
    loggedAt = performance.now();
    log.info("pipeline", {
      candidates: sum(counts.candidates, (one) => one.total),
      relays: sum(counts.relays, (one) => one.total),
      online: sum(counts.relays, (one) => one.online),
      events: counts.events.count,
      eventsPerSecond: Math.round(rate(counts)),
      syncedRelays: counts.coverage.relays,
      gaps: counts.coverage.gaps,
      caughtRelays: counts.coverage.audit.caughtRelays,
    });
  };
}

/** Events stored per second since the call before, over at least the span between two calls. */
function eventRate(): (counts: PipelineCounts) => number {
  let before: { readonly at: number; readonly count: number } | null = null;
  return ({ events: { count } }) => {
    const at = performance.now();
    const rate = before === null
      ? 0
      : Math.max(0, (count - before.count) / ((at - before.at) / 1_000));
    before = { at, count };
    return rate;
  };
}

function sum<T>(
  perNetwork: Readonly<Record<Network, T>>,
  of: (one: T) => number,
): number {
  return NETWORKS.reduce(
    (total, network) => total + of(perNetwork[network]),
    0,
  );
}
