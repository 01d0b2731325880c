/**
 * Watches how far this machine's clock is from the database's, and says when it is too far.
 *
 * @module
 */
import { sleep } from "../base/sleep.ts";
import type { Context } from "../core/lifecycle/service.ts";
import {
  type DatabaseClock,
  databaseClock,
  isSkewed,
  MAX_SKEW_SECONDS,
} from "./clock.ts";

export interface ClockWatchOptions
  extends Pick<Context, "database" | "log" | "metrics"> {
  /** The effect of a wrong clock on the work, for the warning. */
  readonly consequence: string;
}

const EVERY_MS = 60_000;

/** Compares the clocks now, and then every minute until disposed or told to stop. Never throws. */
export async function watchClock(
  options: ClockWatchOptions & Pick<Context, "signal">,
): Promise<AsyncDisposable> {
  const end = new AbortController();
  const signal = AbortSignal.any([options.signal, end.signal]);
  const watch = new ClockWatch(options);
  await watch.compare(signal);
  const watching = (async () => {
    while (!signal.aborted) {
      await sleep(EVERY_MS, signal);
      await watch.compare(signal);
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      end.abort();
      await watching;
    },
  };
}

/**
 * Keeps the gauge `clock_skew_seconds`, and says in the log once when the clocks differ by more than
 * `MAX_SKEW_SECONDS`, and again when that changes.
 */
export class ClockWatch {
  readonly #options: ClockWatchOptions;
  /** As it was said last; 0 while there is nothing to say. */
  #saidSeconds = 0;

  constructor(options: ClockWatchOptions) {
    this.#options = options;
  }

  /** Compares the clocks once; that it could not is a line in the log. Never throws. */
  async compare(signal: AbortSignal): Promise<void> {
    const { database, log, metrics } = this.#options;
    if (signal.aborted) return;
    try {
      const clock = await databaseClock(database, { signal });
      metrics.gauge(
        "clock_skew_seconds",
        "This machine's clock minus the database's; beyond 5 either way nothing is proven: set the clock (NTP)",
        [],
      ).set({}, clock.skewSeconds);
      this.#say(clock);
    } catch (error) {
      if (!signal.aborted) log.warn("clock not compared", { error });
    }
  }

  #say(clock: DatabaseClock): void {
    const { log, consequence } = this.#options;
    const skewSeconds = isSkewed(clock) ? clock.skewSeconds : 0;
    const change = Math.abs(skewSeconds - this.#saidSeconds);
    if (change <= MAX_SKEW_SECONDS) return;
    this.#saidSeconds = skewSeconds;
    if (skewSeconds === 0) {
      log.info("clock agrees with the database's again");
      return;
    }
    log.warn("clock differs from the database's", {
      here: moment(clock.now + skewSeconds),
      database: moment(clock.now),
      skewSeconds,
      consequence,
    });
  }
}

function moment(seconds: number): string {
  return new Date(Math.round(seconds) * 1_000).toISOString();
}
