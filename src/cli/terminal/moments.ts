/**
 * Moments as people read them in a terminal, in UTC.
 *
 * @module
 */

/** `2026-11-27T12:00:00Z`; a second that no calendar has as its number: events may claim any. */
export function moment(at: number): string {
  return isoText(at)?.replace(".000Z", "Z") ?? `second ${at}`;
}

/** `2026-11-27 12:00`. */
export function minute(at: number): string {
  return isoText(at)?.slice(0, -8).replace("T", " ") ?? `second ${at}`;
}

/** `2026-11-27`. */
export function day(at: number): string {
  return isoText(at)?.split("T")[0] ?? `second ${at}`;
}

/** `2024-01-02 … 2024-05-06`, or by minutes where that is less than two days. */
export function span(since: number, until: number): string {
  const shown = until - since < 2 * 86_400 ? minute : day;
  return since === until ? moment(since) : `${shown(since)} … ${shown(until)}`;
}

function isoText(at: number): string | undefined {
  const date = new Date(at * 1_000);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}
