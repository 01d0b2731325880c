/**
 * Windows of `created_at` time, and their arithmetic. Both ends are inclusive, as in a NIP-01 filter.
 *
 * @module
 */

/** All seconds from `since` to `until`, both included; `since <= until`. */
export interface Window {
  readonly since: number;
  readonly until: number;
}

/** The parts of `wanted` that no covered window contains, ascending. `covered` may be unsorted and may overlap. */
export function subtractWindows(
  wanted: Window,
  covered: readonly Window[],
): Window[] {
  const gaps: Window[] = [];
  let since = wanted.since;
  for (const window of mergeWindows(covered)) {
    if (window.until < since) continue;
    if (window.since > wanted.until) break;
    if (window.since > since) gaps.push({ since, until: window.since - 1 });
    since = window.until + 1;
  }
  if (since <= wanted.until) gaps.push({ since, until: wanted.until });
  return gaps;
}

/** The same seconds in as few windows as possible, ascending. Windows that overlap or touch become one. */
export function mergeWindows(windows: readonly Window[]): Window[] {
  const sorted = windows.filter((window) => window.since <= window.until)
    .sort((a, b) => a.since - b.since);
  const merged: Window[] = [];
  for (const window of sorted) {
    const last = merged.at(-1);
    if (last === undefined || window.since > last.until + 1) {
      merged.push({ since: window.since, until: window.until });
    } else if (window.until > last.until) {
      merged[merged.length - 1] = { since: last.since, until: window.until };
    }
  }
  return merged;
}

/** The seconds both windows have, or null when they have none in common. */
export function intersectWindows(a: Window, b: Window): Window | null {
  const since = Math.max(a.since, b.since);
  const until = Math.min(a.until, b.until);
  return since <= until ? { since, until } : null;
}

/** The seconds that both lists of windows have, ascending. Neither may overlap in itself. */
export function intersectAll(
  a: readonly Window[],
  b: readonly Window[],
): Window[] {
  return mergeWindows(
    a.flatMap((one) =>
      b.flatMap((other) => intersectWindows(one, other) ?? [])
    ),
  );
}

/** As far up as `created_at` goes. A window that ends here is asked without `until`, so that future-dated events come. */
export const OPEN_END = Number.MAX_SAFE_INTEGER;

/** 2020-09-13: next to no event of Nostr is dated earlier, so that time is divided from here on. */
export const BEGINNING = 1_600_000_000;
