/**
 * The rhythm of what a walk is given, in bounded memory: its longest silences, where a relay that leaves events out has
 * left them out; its densest moments, where a question about little time is about many events; and moments drawn evenly
 * from all events, as moments drawn from time alone would hardly ever fall where they lie.
 *
 * @module
 */
import type { Window } from "../../models/window.ts";
import type { PageEvent } from "./page.ts";

/** Silences and dense moments kept. */
const KEPT = 4;

/** Moments of events kept. */
const KEPT_MOMENTS = 16;

/** Events that make a moment dense: as many, one after the other. */
const DENSE_EVENTS = 5;

export class Rhythm {
  readonly #silences: Window[] = [];
  readonly #dense: Window[] = [];
  readonly #moments: number[] = [];
  readonly #random: () => number;
  #seen = 0;

  /** `random` draws from [0, 1). */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** Takes the events of one page of the whole filter, whatever their order. */
  add(events: readonly PageEvent[]): void {
    const times = events.map(({ createdAt }) => createdAt)
      .sort((a, b) => a - b);
    for (const [i, since] of times.entries()) {
      this.#draw(since);
      const next = times[i + 1];
      if (next !== undefined && next > since + 1) {
        keep(this.#silences, { since, until: next }, longerFirst);
      }
      const until = times[i + DENSE_EVENTS - 1];
      if (until !== undefined) {
        keep(this.#dense, { since, until }, shorterFirst);
      }
    }
  }

  /** The longest silences, longest first, each from the second of an event to that of the next. */
  get silences(): readonly Window[] {
    return this.#silences;
  }

  /** The densest moments, densest first, Unix seconds. */
  get dense(): readonly number[] {
    return this.#dense.map(({ since }) => since);
  }

  /** Moments of events, Unix seconds, in no order. */
  get moments(): readonly number[] {
    return this.#moments;
  }

  #draw(at: number): void {
    this.#seen += 1;
    if (this.#moments.length < KEPT_MOMENTS) {
      this.#moments.push(at);
      return;
    }
    const place = Math.floor(this.#random() * this.#seen);
    if (place < KEPT_MOMENTS) this.#moments[place] = at;
  }
}

type Order = (one: Window, other: Window) => number;

const longerFirst: Order = (one, other) => lengthOf(other) - lengthOf(one);
const shorterFirst: Order = (one, other) => lengthOf(one) - lengthOf(other);

/** Keeps the first windows of an order, none twice. */
function keep(windows: Window[], window: Window, order: Order): void {
  const last = windows.at(-1);
  if (
    windows.length >= KEPT && last !== undefined && order(window, last) >= 0
  ) {
    return;
  }
  if (windows.some(({ since }) => since === window.since)) return;
  windows.push(window);
  windows.sort(order);
  windows.length = Math.min(KEPT, windows.length);
}

function lengthOf({ since, until }: Window): number {
  return until - since;
}
