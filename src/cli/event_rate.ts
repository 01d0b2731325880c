/**
 * How fast the archive grows.
 *
 * @module
 */

/** Takes how many events there are now; gives events a second since the call before, never below 0. */
export function eventRate(
  now: () => number = () => performance.now(),
): (count: number) => number {
  let before: { readonly atMs: number; readonly count: number } | null = null;
  return (count) => {
    const atMs = now();
    const rate = before === null || atMs <= before.atMs
      ? 0
      : Math.max(0, (count - before.count) / ((atMs - before.atMs) / 1_000));
    before = { atMs, count };
    return rate;
  };
}
