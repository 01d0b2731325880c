/**
 * The rhythm of what a walk is given, in bounded memory: its longest silences, where a relay that leaves events out has
 * left them out, and its densest moments, where a question about little time is about many events.
 *
 * @module
 */
import type { PageEvent } from "./page.ts";

/** Silences and dense moments kept. */
const KEPT = 4;

/** Events that make a moment dense: as many, one after the other. */
const DENSE_EVENTS = 5;

interface Moment {
  /** Unix seconds. */
  readonly at: number;
  /** What is compared, seconds. */
  readonly seconds: number;
}

export class Rhythm {
  readonly #silences: Moment[] = [];
  readonly #dense: Moment[] = [];

  /** Takes the events of one page, whatever their order. */
  add(events: readonly PageEvent[]): void {
    const times = events.map(({ createdAt }) => createdAt)
      .sort((a, b) => a - b);
    for (const [i, at] of times.entries()) {
      const next = times[i + 1];
      if (next !== undefined && next > at + 1) {
        const seconds = next - at;
        keep(this.#silences, { at: at + (seconds >> 1), seconds: -seconds });
      }
      const last = times[i + DENSE_EVENTS - 1];
      if (last !== undefined) keep(this.#dense, { at, seconds: last - at });
    }
  }

  /** The middles of the longest silences, longest first. */
  get silences(): number[] {
    return this.#silences.map(({ at }) => at);
  }

  /** The densest moments, densest first. */
  get dense(): number[] {
    return this.#dense.map(({ at }) => at);
  }
}

/** Keeps the moments with the least seconds, least first, none twice. */
function keep(moments: Moment[], moment: Moment): void {
  const least = moments.at(-1)?.seconds ?? Infinity;
  if (moments.length >= KEPT && moment.seconds >= least) return;
  if (moments.some(({ at }) => at === moment.at)) return;
  moments.push(moment);
  moments.sort((a, b) => a.seconds - b.seconds);
  moments.length = Math.min(KEPT, moments.length);
}
