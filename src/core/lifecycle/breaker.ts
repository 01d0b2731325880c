/**
 * A circuit breaker: what keeps failing is left alone for a while, and then tried by one.
 *
 * @module
 */

export interface BreakerOptions {
  /** The name of the protected thing, for the message. */
  readonly name: string;
  /** Failures in a row that open the circuit. */
  readonly failureThreshold: number;
  /** How long it stays open before one attempt is let through. */
  readonly resetMs: number;
  /** Which errors count as failures of what is protected; all by default. */
  readonly counts?: (error: unknown) => boolean;
  /** Monotonic milliseconds. Default: `performance.now()`. */
  readonly now?: () => number;
}

/** `closed` lets all through, `open` none, `half-open` the one that finds out. */
export type BreakerState = "closed" | "open" | "half-open";

export interface Breaker {
  readonly state: BreakerState;
  /** Runs `work`, or throws {@linkcode CircuitOpen} at once. */
  run<T>(work: () => Promise<T>): Promise<T>;
}

/** The work was not tried. */
export class CircuitOpen extends Error {
  override readonly name = "CircuitOpen";
  /** When the next attempt is let through. */
  readonly retryAfterMs: number;

  constructor(name: string, retryAfterMs: number, cause: unknown) {
    super(
      `${name} is left alone for ${
        Math.ceil(retryAfterMs / 1_000)
      } s after repeated failures`,
      { cause },
    );
    this.retryAfterMs = retryAfterMs;
  }
}

export function createBreaker(options: BreakerOptions): Breaker {
  return new CountingBreaker(options);
}

class CountingBreaker implements Breaker {
  readonly #options: BreakerOptions;
  readonly #now: () => number;
  #failures = 0;
  #openedAt: number | null = null;
  #trying = false;
  #lastError: unknown;

  constructor(options: BreakerOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  get state(): BreakerState {
    if (this.#openedAt === null) return "closed";
    return this.#waitMs() > 0 ? "open" : "half-open";
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    const isProbe = this.#enter();
    try {
      const value = await work();
      this.#failures = 0;
      this.#openedAt = null;
      return value;
    } catch (error) {
      if (this.#options.counts?.(error) ?? true) this.#failed(error);
      throw error;
    } finally {
      // Work that began before the circuit opened may end only now: it is not the probe, which is still under way.
      if (isProbe) this.#trying = false;
    }
  }

  /** Whether this is the one that finds out. */
  #enter(): boolean {
    if (this.#openedAt === null) return false;
    const waitMs = this.#waitMs();
    if (waitMs > 0 || this.#trying) {
      throw new CircuitOpen(
        this.#options.name,
        Math.max(waitMs, 0),
        this.#lastError,
      );
    }
    this.#trying = true;
    return true;
  }

  #failed(error: unknown): void {
    this.#lastError = error;
    this.#failures++;
    if (this.#failures >= this.#options.failureThreshold) {
      this.#openedAt = this.#now();
    }
  }

  #waitMs(): number {
    const openedAt = this.#openedAt ?? -Infinity;
    return openedAt + this.#options.resetMs - this.#now();
  }
}
