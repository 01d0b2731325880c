/**
 * Dials of one cycle are spread evenly: however many relays are due at once (after a restart, all of them), they are
 * dialled one after the other, those of the higher tiers first.
 *
 * @module
 */
import { sleep } from "../../../base/sleep.ts";

/** A dial that waits. */
interface WaitingDial {
  /** The smaller, the earlier. */
  readonly rank: number;
  readonly begin: () => void;
}

export class DialPacer {
  readonly #intervalMs: number;
  readonly #waiting: WaitingDial[] = [];
  #nextAtMs = 0;
  #isServing = false;

  constructor(perMinute: number) {
    this.#intervalMs = 60_000 / perMinute;
  }

  /** Resolves when the caller may dial, or the signal has aborted. */
  wait(rank: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const dial = { rank, begin: resolve };
    const leave = () => {
      const place = this.#waiting.indexOf(dial);
      if (place >= 0) this.#waiting.splice(place, 1);
      resolve();
    };
    if (signal.aborted) return Promise.resolve();
    signal.addEventListener("abort", leave, { once: true });
    const after = this.#waiting.findIndex((other) => other.rank > rank);
    this.#waiting.splice(
      after < 0 ? this.#waiting.length : after,
      0,
      dial,
    );
    if (!this.#isServing) void this.#serve();
    return promise.finally(() => signal.removeEventListener("abort", leave));
  }

  /** A dial was not made after all: the next may be made in its place. */
  giveBack(): void {
    this.#nextAtMs -= this.#intervalMs;
  }

  async #serve(): Promise<void> {
    this.#isServing = true;
    while (this.#waiting.length > 0) {
      await sleep(this.#nextAtMs - performance.now(), NEVER);
      const dial = this.#waiting.shift();
      if (dial === undefined) break;
      // Timers are late by a millisecond or more: that is made up for, up to SLACK_MS.
      const nowMs = performance.now();
      this.#nextAtMs = Math.max(this.#nextAtMs, nowMs - SLACK_MS) +
        this.#intervalMs;
      dial.begin();
    }
    this.#isServing = false;
  }
}

/** Lateness that is made up for at most. */
const SLACK_MS = 50;

/** No signal is needed here: the wait is one interval at most, a second at the slowest. */
const NEVER = new AbortController().signal;
