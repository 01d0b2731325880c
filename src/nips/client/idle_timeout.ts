/**
 * How long an answer is waited for: so much silence, and so much time in all.
 *
 * @module
 */

export interface IdleTimeoutOptions {
  /** Longest silence, ms. */
  readonly idleTimeoutMs: number;
  /** Longest duration of the whole, ms; may be `Infinity`. */
  readonly totalTimeoutMs: number;
  /** Whether we ourselves do not listen just now: silence is then nobody's fault. */
  readonly isWithholding: () => boolean;
  /** Called once, when it is over, with what was waited for in vain. */
  readonly lost: (detail: string) => void;
}

/** A last look after a clock ran out: messages may wait behind our own computing. */
const SECOND_LOOK_MS = 20;
/** A timer longer than 2^31-1 ms would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export class IdleTimeout {
  readonly #options: IdleTimeoutOptions;
  readonly #startedAt = performance.now();
  #idleTimeoutMs: number;
  #heardAt = this.#startedAt;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: IdleTimeoutOptions) {
    this.#options = options;
    this.#idleTimeoutMs = options.idleTimeoutMs;
    this.#schedule();
  }

  /** Something came, or somebody listens again. */
  heard(): void {
    this.#heardAt = performance.now();
  }

  /** From now on another silence is the longest. */
  expectWithin(idleTimeoutMs: number): void {
    this.#idleTimeoutMs = idleTimeoutMs;
    this.heard();
    this.stop();
    this.#schedule();
  }

  /** Waits no longer. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    const dueAt = Math.min(
      this.#heardAt + this.#idleTimeoutMs,
      this.#startedAt + this.#options.totalTimeoutMs,
    );
    const waitMs = Math.max(0, dueAt - performance.now());
    this.#timer = setTimeout(
      () => this.#look(false),
      Math.min(waitMs, MAX_TIMER_MS),
    );
  }

  #look(isSecond: boolean): void {
    const { totalTimeoutMs, isWithholding, lost } = this.#options;
    const now = performance.now();
    if (isWithholding()) this.#heardAt = now;
    const isLate = now - this.#startedAt >= totalTimeoutMs;
    const isIdle = now - this.#heardAt >= this.#idleTimeoutMs;
    if (!isLate && !isIdle) {
      this.#schedule();
    } else if (!isSecond) {
      this.#timer = setTimeout(() => this.#look(true), SECOND_LOOK_MS);
    } else {
      lost(
        isLate
          ? `not finished within ${totalTimeoutMs} ms`
          : `nothing came for ${this.#idleTimeoutMs} ms`,
      );
    }
  }
}
