/**
 * For how long, and how often, one piece of work is tried again.
 *
 * A conflict with others is met by trying a few times; a server that is away by waiting a while, however often that is.
 * Both bounds in one number would not do: refused connections use up any number of tries within seconds, and what the
 * circuit breaker does not let through is no try at all.
 *
 * @module
 */
import { backoffMs } from "../../../base/backoff.ts";
import type { BrotrConfig } from "../../config/brotr_config.ts";
import { CircuitOpen } from "../../lifecycle/breaker.ts";
import {
  DatabaseError,
  isConnectionFailure,
  isTransient,
} from "./database_error.ts";
import type { Patience } from "./outage.ts";

/** How far apart the retries of those lie who failed together. */
const JITTER = 0.3;

export class Retries {
  readonly #config: BrotrConfig["retry"];
  readonly #patience: Patience;
  #conflicts = 0;
  /** Tries since the server was last reached; those that the breaker refused do not count. */
  #lost = 0;
  #awaySinceMs: number | null = null;

  constructor(config: BrotrConfig["retry"], patience: Patience = config) {
    this.#config = config;
    this.#patience = patience;
  }

  /** How long to wait before the next try, ms; null when there is to be none. */
  after(error: unknown): number | null {
    if (isAway(error)) return this.#whileAway(error);
    this.#lost = 0;
    this.#awaySinceMs = null;
    this.#conflicts += 1;
    const mayPass = isTransient(error) &&
      this.#conflicts < this.#config.maxAttempts;
    return mayPass ? this.#waitMs(this.#conflicts) : null;
  }

  #whileAway(error: unknown): number | null {
    this.#awaySinceMs ??= performance.now();
    const awayMs = performance.now() - this.#awaySinceMs;
    const { outageSeconds } = this.#patience;
    // Whoever waits for this work has to hear of it, to make room; only what has nobody to tell waits until there is.
    if (outageSeconds !== null && isDiskFull(error)) return null;
    const leftMs = (outageSeconds ?? Infinity) * 1_000 - awayMs;
    if (leftMs <= 0) return null;
    // The circuit says itself when a try makes sense again.
    const leastMs = error instanceof CircuitOpen ? error.retryAfterMs : 0;
    if (!(error instanceof CircuitOpen)) this.#lost += 1;
    return Math.min(leftMs, Math.max(leastMs, this.#waitMs(this.#lost)));
  }

  #waitMs(attempt: number): number {
    const { initialDelayMs, maxDelayMs, backoff } = this.#config;
    return backoff === "linear"
      ? Math.min(maxDelayMs, initialDelayMs * Math.max(1, attempt))
      : backoffMs(attempt, {
        initialMs: initialDelayMs,
        maxMs: maxDelayMs,
        jitter: JITTER,
      });
  }
}

function isDiskFull(error: unknown): boolean {
  const cause = error instanceof CircuitOpen ? error.cause : error;
  return cause instanceof DatabaseError && cause.fault === "disk-full";
}

/** Whether the server is not there, or is not even asked because it was not. */
export function isAway(error: unknown): boolean {
  return error instanceof CircuitOpen || isConnectionFailure(error);
}
