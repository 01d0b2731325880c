/**
 * Work that ends with what allows it (a claim, a lease), and waits that end before the work does.
 *
 * @module
 */
import { sleep } from "../../base/sleep.ts";

/** Does something whose signal aborts with `signal`, and at `endsAtMs` of the monotonic clock at the latest. */
export async function untilMoment<T>(
  endsAtMs: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const ended = new AbortController();
  const leftMs = endsAtMs - performance.now();
  if (leftMs <= 0) ended.abort();
  const timer = setTimeout(() => ended.abort(), leftMs);
  try {
    return await work(AbortSignal.any([signal, ended.signal]));
  } finally {
    clearTimeout(timer);
  }
}

/** The result of `work` if it comes within `ms` and before `signal` aborts, else undefined; the work goes on in any case. */
export async function within<T>(
  ms: number,
  work: Promise<T>,
  signal: AbortSignal,
): Promise<T | undefined> {
  const done = new AbortController();
  const enough = AbortSignal.any([signal, done.signal]);
  try {
    return await Promise.race([work, sleep(ms, enough).then(() => undefined)]);
  } finally {
    done.abort();
  }
}
