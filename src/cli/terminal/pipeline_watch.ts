/**
 * The pipeline while it runs: live lines on a terminal, a log line now and then elsewhere.
 *
 * @module
 */
import { type PipelineCounts, pipelineCounts } from "../../archive/pipeline.ts";
import { errorText } from "../../base/error_text.ts";
import { sleep } from "../../base/sleep.ts";
import type { Database } from "../../core/database/connection/database.ts";
import type { Logger } from "../../core/log/logger.ts";
import { eventRate } from "../event_rate.ts";
import type { ServiceHost } from "../service_host.ts";
import { VERSION } from "../version.ts";
import { pipelineLines, sumOf } from "./pipeline_view.ts";
import type { Screen } from "./screen.ts";

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
  /** Aborts when the process is asked to stop; watching goes on until disposal. */
  readonly signal: AbortSignal;
}

const LIVE_SECONDS = 2;
const LOG_SECONDS = 60;
/** Until the first relay is there somebody waits for it. */
const FIRST_SECONDS = 0.5;

/** A database that is away is waited for by who works, not by who watches. */
const ANSWER_MS = 10_000;

/** Starts watching; disposing ends it and removes the live lines. */
export function watchPipeline(options: PipelineWatchOptions): PipelineWatch {
  const ended = new AbortController();
  const first = {
    candidates: Promise.withResolvers<void>(),
    relays: Promise.withResolvers<void>(),
  };
  const { screen } = options;
  const display = screen.isTerminal ? liveDisplay(options) : logged(options);
  const watching = watch(options, display, {
    signal: ended.signal,
    isThere: (stage) => first[stage].resolve(),
  });
  return {
    firstOf: (stage, signal) => orAborted(first[stage].promise, signal),
    async [Symbol.asyncDispose]() {
      ended.abort();
      await watching;
      display[Symbol.dispose]();
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

/** Where counts are shown. */
interface Display extends Disposable {
  /** Between two counts. */
  readonly everySeconds: number;
  counted(counts: PipelineCounts): void;
  notCounted(error: unknown): void;
}

async function watch(
  { database }: PipelineWatchOptions,
  display: Display,
  { signal, isThere }: {
    readonly signal: AbortSignal;
    readonly isThere: (stage: Stage) => void;
  },
): Promise<void> {
  let seconds = FIRST_SECONDS;
  while (!signal.aborted) {
    try {
      const counts = await database.run(pipelineCounts, {
        signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
      });
      const relays = sumOf(counts.relays, (one) => one.total);
      if (sumOf(counts.candidates, (one) => one.total) > 0) {
        isThere("candidates");
      }
      if (relays > 0) isThere("relays");
      seconds = relays > 0 ? display.everySeconds : FIRST_SECONDS;
      display.counted(counts);
    } catch (error) {
      if (signal.aborted) return;
      display.notCounted(error);
      seconds = display.everySeconds;
    }
    await sleep(seconds * 1_000, signal);
  }
}

/** As many rates as are shown beside each other. */
const RATES = 12;

/** Durations go on between two counts. */
const REDRAW_MS = 1_000;

function liveDisplay({ host, screen, signal }: PipelineWatchOptions): Display {
  const startedAtMs = performance.now();
  const rate = eventRate();
  const rates: number[] = [];
  let counts: PipelineCounts | null = null;
  let trouble: string | null = null;
  const draw = () =>
    screen.show((columns) =>
      pipelineLines({
        version: VERSION,
        counts,
        rates,
        runtimes: host.runtimes,
        trouble,
        upSeconds: (performance.now() - startedAtMs) / 1_000,
        isStopping: signal.aborted,
        now: Date.now() / 1_000,
      }, { columns, paint: screen.paint })
    );
  draw();
  const timer = setInterval(draw, REDRAW_MS);
  return {
    everySeconds: LIVE_SECONDS,
    counted(now) {
      counts = now;
      trouble = null;
      rates.push(rate(now.events.count));
      if (rates.length > RATES) rates.shift();
      draw();
    },
    notCounted(error) {
      trouble = errorText(error);
      draw();
    },
    [Symbol.dispose]() {
      clearInterval(timer);
      screen.show([]);
    },
  };
}

function logged({ log }: PipelineWatchOptions): Display {
  const rate = eventRate();
  let loggedAt = performance.now();
  return {
    everySeconds: LOG_SECONDS,
    counted(counts) {
      if (performance.now() - loggedAt < LOG_SECONDS * 1_000) return;
      loggedAt = performance.now();
      log.info("pipeline", {
        candidates: sumOf(counts.candidates, (one) => one.total),
        relays: sumOf(counts.relays, (one) => one.total),
        online: sumOf(counts.relays, (one) => one.online),
        events: counts.events.count,
        eventsPerSecond: Math.round(rate(counts.events.count)),
        syncedRelays: counts.coverage.relays,
        gaps: counts.coverage.gaps,
        caughtRelays: counts.coverage.audit.caughtRelays,
      });
    },
    notCounted(error) {
      log.warn("pipeline not counted", { error });
    },
    [Symbol.dispose]() {},
  };
}
