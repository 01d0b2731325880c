/**
 * A check made again when it failed in a way that may pass by itself.
 *
 * @module
 */
import { backoffMs } from "../../base/backoff.ts";
import { sleep } from "../../base/sleep.ts";
import type { CheckDocument } from "../../nips/check_document.ts";
import { countsAgainstRelay, isTransient } from "../../transport/failure.ts";

export interface Retries {
  /** How often it is made again at most. */
  readonly retries: number;
  /** The wait before the first time, ms; it doubles, up to half of it is random. */
  readonly retryDelayMs: number;
  readonly signal: AbortSignal;
  /** Told of every time it is made again. */
  readonly onRetry: () => void;
}

const MAX_DELAY_MS = 60_000;

/** Runs a check until it succeeds or there is no point in another try; gives its last document. */
export async function withRetries(
  run: () => Promise<CheckDocument>,
  { retries, retryDelayMs, signal, onRetry }: Retries,
): Promise<CheckDocument> {
  let document = await run();
  for (let attempt = 1; attempt <= retries; attempt++) {
    const { failure } = document;
    // A proxy that is down and slots that are taken are no reason to ask again at once.
    const isWorthIt = failure !== null && isTransient(failure) &&
      countsAgainstRelay(failure);
    if (!isWorthIt) break;
    const wait = { initialMs: retryDelayMs, maxMs: MAX_DELAY_MS, jitter: 0.5 };
    await sleep(backoffMs(attempt, wait), signal);
    if (signal.aborted) break;
    onRetry();
    document = await run();
  }
  return document;
}
