/**
 * Days, hours and minutes of `created_at` as statistics have them (`statistics_day()` and its kin in SQL).
 *
 * @module
 */

/** The last day there is, 2070-01-01: whoever claims a later moment falls into it. */
export const LAST_DAY = 36_525;

/** Days of `created_at`, both included. */
export interface DayRange {
  readonly firstDay: number;
  readonly lastDay: number;
}

/** The day of a `created_at`, UTC. */
export function dayOf(createdAt: number): number {
  return Math.min(Math.floor(createdAt / 86_400), LAST_DAY);
}

/** The hour of a `created_at`. */
export function hourOf(createdAt: number): number {
  return Math.min(Math.floor(createdAt / 3_600), LAST_DAY * 24);
}

/** The minute of a `created_at`. */
export function minuteOf(createdAt: number): number {
  return Math.min(Math.floor(createdAt / 60), LAST_DAY * 1_440);
}
