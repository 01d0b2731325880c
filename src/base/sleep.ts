/**
 * Sleep that a signal ends.
 *
 * @module
 */

/** Waits `ms`, or less when `signal` aborts: then it returns, too. It never throws and leaves no timer behind. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted || ms <= 0) return Promise.resolve();
  return new Promise((resolve) => {
    const stop = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
      resolve();
    };
    // A timer longer than 2^31-1 ms would fire at once.
    const timer = setTimeout(stop, Math.min(ms, 2 ** 31 - 1));
    signal.addEventListener("abort", stop, { once: true });
  });
}
