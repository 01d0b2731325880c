/**
 * When a relay is checked next.
 *
 * @module
 */
import { backoffMs } from "../../base/backoff.ts";
import type { MonitorConfig } from "./config.ts";

/**
 * Seconds until the next check of a relay that failed `failures` times in a row: the regular interval after a
 * success, a growing wait after failures. Both with jitter: never longer than configured, shorter by up to its share.
 */
export function secondsUntilNext(
  failures: number,
  schedule: MonitorConfig["schedule"],
): number {
  const { everySeconds, retrySeconds, maxRetrySeconds, jitter } = schedule;
  const wait = failures === 0
    ? { initialMs: everySeconds * 1_000, maxMs: everySeconds * 1_000 }
    : { initialMs: retrySeconds * 1_000, maxMs: maxRetrySeconds * 1_000 };
  return Math.ceil(backoffMs(failures, { ...wait, jitter }) / 1_000);
}

/** For a relay whose return somebody waits for: looked at as often as those that are online, however long it is away. */
export function impatient(
  schedule: MonitorConfig["schedule"],
): MonitorConfig["schedule"] {
  const { everySeconds, retrySeconds, maxRetrySeconds } = schedule;
  const longest = Math.max(retrySeconds, everySeconds);
  return { ...schedule, maxRetrySeconds: Math.min(longest, maxRetrySeconds) };
}
