/**
 * The line that `systemctl status` shows: what the archive has, how far it is behind, and what goes wrong.
 *
 * @module
 */
import { type PipelineCounts, pipelineCounts } from "../archive/pipeline.ts";
import { sleep } from "../base/sleep.ts";
import type { Database } from "../core/database/connection/database.ts";
import type { Notifier } from "../core/lifecycle/notify.ts";
import type { ServiceRuntime } from "../core/lifecycle/runtime.ts";
import type { Logger } from "../core/log/logger.ts";
import { NETWORKS } from "../models/network.ts";
import { eventRate } from "./event_rate.ts";
import { counted, duration, grouped } from "./terminal/numbers.ts";

export interface StatusOptions {
  readonly database: Database;
  readonly log: Logger;
  readonly notifier: Notifier;
  readonly runtimes: ReadonlyMap<string, ServiceRuntime>;
  /** Aborts when the process is asked to stop, from when on the line is no longer ours. */
  readonly signal: AbortSignal;
}

export interface ManagerStatus extends AsyncDisposable {
  /** Tells it again with the counts there are, as a service has changed. */
  refresh(): void;
}

/** Counting takes time in proportion to the number of relays. */
const COUNT_EVERY_MS = 60_000;

/** Counts now and then for as long as somebody hears it; disposing waits for the count under way. */
export function keepStatus(options: StatusOptions): ManagerStatus {
  const { database, log, notifier, runtimes, signal } = options;
  const ended = new AbortController();
  const rate = eventRate();
  let archive = "";
  const refresh = () => {
    const parts = [failuresText(runtimes), archive];
    const text = parts.filter((part) => part !== "").join("; ");
    if (text !== "" && !signal.aborted) notifier.status(text);
  };
  const count = async () => {
    while (!ended.signal.aborted) {
      try {
        const counts = await database.run(pipelineCounts, {
          signal: ended.signal,
        });
        archive = archiveText(counts, rate(counts.events.count));
      } catch (error) {
        archive = "the database does not answer";
        if (!ended.signal.aborted) log.debug("status not counted", { error });
      }
      refresh();
      await sleep(COUNT_EVERY_MS, ended.signal);
    }
  };
  const counting = notifier.isHeard ? count() : Promise.resolve();
  return {
    refresh,
    async [Symbol.asyncDispose]() {
      ended.abort();
      await counting;
    },
  };
}

/** `980 of 1,204 relays online, 12,345,678 events (+210/s), 4 min behind, 3 gaps`. */
export function archiveText(counts: PipelineCounts, rate: number): string {
  const { coverage, events } = counts;
  const relays = NETWORKS.map((network) => counts.relays[network]);
  const total = relays.reduce((sum, one) => sum + one.total, 0);
  const online = relays.reduce((sum, one) => sum + one.online, 0);
  const lag = coverage.medianLagSeconds;
  return [
    `${grouped(online)} of ${counted(total, "relay")} online`,
    `${events.exact ? "" : "about "}${counted(events.count, "event")}` +
    ` (+${grouped(rate)}/s)`,
    lag === null ? "nothing proven yet" : `${duration(lag)} behind`,
    counted(coverage.gaps, "gap"),
  ].join(", ");
}

/** `monitor failed 3 times in a row: …`, of each service that fails. */
export function failuresText(
  runtimes: ReadonlyMap<string, ServiceRuntime>,
): string {
  return [...runtimes]
    .filter(([, { consecutiveFailures }]) => consecutiveFailures > 0)
    .map(([name, { consecutiveFailures, lastError }]) =>
      `${name} failed ${
        counted(consecutiveFailures, "time")
      } in a row: ${lastError}`
    ).join("; ");
}
