/**
 * Staggered starts: however many relays are due at once (after a restart, all of them), they are dialled one after the
 * other at an even pace, those of the higher tiers first.
 *
 * @module
 */
import { sleep } from "../../../base/sleep.ts";

/** Who waits for its turn. */
interface Starter {
  /** The smaller, the earlier. */
  readonly rank: number;
  readonly begin: () => void;
}

export class DialPacer {
  readonly #paceMs: number;
  readonly #waiting: Starter[] = [];
  #nextAtMs = 0;
  #isServing = false;

  constructor(perMinute: number) {
    this.#paceMs = 60_000 / perMinute;
  }

  /** Waits for a turn, or until the signal aborts. */
  turn(rank: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const starter = { rank, begin: resolve };
    const leave = () => {
      const place = this.#waiting.indexOf(starter);
      if (place >= 0) this.#waiting.splice(place, 1);
      resolve();
    };
    if (signal.aborted) return Promise.resolve();
    signal.addEventListener("abort", leave, { once: true });
    const after = this.#waiting.findIndex((other) => other.rank > rank);
    this.#waiting.splice(
      after < 0 ? this.#waiting.length : after,
      0,
      starter,
    );
    if (!this.#isServing) void this.#serve();
    return promise.finally(() => signal.removeEventListener("abort", leave));
  }

  async #serve(): Promise<void> {
    this.#isServing = true;
    while (this.#waiting.length > 0) {
      await sleep(this.#nextAtMs - performance.now(), NEVER);
      const starter = this.#waiting.shift();
      if (starter === undefined) break;
      // A timer is late by a millisecond or more; what was lost of the pace is made up for, up to a moment.
      const nowMs = performance.now();
      this.#nextAtMs = Math.max(this.#nextAtMs, nowMs - SLACK_MS) +
        this.#paceMs;
      starter.begin();
    }
    this.#isServing = false;
  }
}

/** So much of the pace is made up for at most. */
const SLACK_MS = 50;

/** Whoever waits here waits for one turn of the pace at most, a second at the slowest. */
const NEVER = new AbortController().signal;
