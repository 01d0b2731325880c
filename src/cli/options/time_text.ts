/**
 * Moments as people type them.
 *
 * @module
 */

/** For help and errors. */
export const TIME_FORMS =
  "Unix seconds, 2026-02-05, 2026-02-05T10:00Z, or as long ago as 90m, 12h, 7d, 2w";

const UNITS: Readonly<Record<string, number>> = {
  s: 1,
  m: 60,
  h: 3_600,
  d: 86_400,
  w: 604_800,
};

/**
 * The Unix seconds that `text` means, seen from `nowSeconds`; null when it means none. A date is its first second in
 * UTC; a time of day must say its zone (`Z`, `+02:00`), as nobody could tell later what was meant. `now` is now.
 */
export function parseTime(text: string, nowSeconds: number): number | null {
  if (text === "now") return nowSeconds;
  if (/^\d{1,16}$/.test(text)) {
    const seconds = Number(text);
    return Number.isSafeInteger(seconds) ? seconds : null;
  }
  const ago = /^(\d{1,9})([smhdw])$/.exec(text);
  if (ago !== null) {
    const [, count, unit = ""] = ago;
    const seconds = nowSeconds - Number(count) * (UNITS[unit] ?? 0);
    return seconds >= 0 ? seconds : null;
  }
  return parseDate(text);
}

/** ISO 8601, to the second; fractions are cut off. */
const DATE =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?$/;

function parseDate(text: string): number | null {
  const match = DATE.exec(text);
  if (match === null) return null;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7).map((part) => Number(part ?? 0));
  const at = Date.UTC(year, month - 1, day, hour, minute, second);
  const date = new Date(at);
  // 2026-02-30 and 25:00 would be carried over into the next month and day.
  const isReal = date.getUTCMonth() === month - 1 &&
    date.getUTCDate() === day && date.getUTCHours() === hour &&
    date.getUTCMinutes() === minute && date.getUTCSeconds() === second;
  const offset = offsetSeconds(match[7] ?? "Z");
  if (!isReal || offset === null) return null;
  const seconds = at / 1_000 - offset;
  return seconds >= 0 ? seconds : null;
}

/** Seconds east of UTC; null for what no zone is. */
function offsetSeconds(zone: string): number | null {
  if (zone === "Z") return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(4));
  if (hours > 14 || minutes > 59) return null;
  return (zone.startsWith("-") ? -1 : 1) * (hours * 3_600 + minutes * 60);
}
