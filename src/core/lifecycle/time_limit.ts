/**
 * Work that ends with what allows it (a claim, a lease).
 *
 * @module
 */

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
