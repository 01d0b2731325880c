/**
 * Statistics that are made again, as bars: by what the database says, whichever process works.
 *
 * @module
 */
import type { StatisticsStatus } from "../../archive/statistics/refresh.ts";
import { counted, duration } from "./numbers.ts";
import { type ProgressLine, showProgress } from "./progress.ts";
import type { Screen } from "./screen.ts";

const LOOK_EVERY_MS = 1_000;

/** What is left of one kind of thing, by when it was looked at. */
export interface Left {
  /** Milliseconds of a monotonic clock. */
  readonly atMs: number;
  readonly left: number;
}

/** Shows what is left until disposed; nothing but on a terminal. A look that fails is no news. */
export function watchRemaking(
  screen: Screen,
  look: () => Promise<StatisticsStatus>,
): Disposable {
  if (!screen.isTerminal) return { [Symbol.dispose]() {} };
  const days: Left[] = [];
  const relays: Left[] = [];
  let isLooking = false;
  const lookNow = async () => {
    if (isLooking) return;
    isLooking = true;
    const status = await look().catch(() => null);
    isLooking = false;
    if (status === null) return;
    const atMs = performance.now();
    days.push({ atMs, left: status.daysToMake });
    relays.push({ atMs, left: status.relaysToMake });
  };
  void lookNow();
  const timer = setInterval(lookNow, LOOK_EVERY_MS);
  const lines = showProgress(screen, () => [
    remakeLine("days", "day", days),
    remakeLine("relays", "relay", relays),
  ]);
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
      lines[Symbol.dispose]();
    },
  };
}

/** The rate is that of the last minute: a day of today is larger than one of long ago. */
const RATE_MS = 60_000;

/** One bar. How long it takes is said only once something was done: before, nobody knows. */
export function remakeLine(
  name: string,
  one: string,
  looks: readonly Left[],
): ProgressLine {
  const last = looks.at(-1);
  if (last === undefined) return { name, share: null, parts: ["looking"] };
  const most = Math.max(...looks.map(({ left }) => left));
  if (last.left === 0) return { name, share: 1, parts: ["done"] };
  const from = looks.find(({ atMs }) => last.atMs - atMs <= RATE_MS) ?? last;
  const done = from.left - last.left;
  const seconds = (last.atMs - from.atMs) / 1_000;
  const left = `${counted(last.left, one)} left`;
  const share = 1 - last.left / most;
  if (done <= 0) return { name, share, parts: [left] };
  const rate = done / seconds;
  return {
    name,
    share,
    parts: [
      left,
      `${rate < 10 ? rate.toFixed(1) : Math.round(rate)}/s`,
      `about ${duration(last.left / rate)}`,
    ],
  };
}
