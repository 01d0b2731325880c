/**
 * How a relay is asked: how much at once, how many requests side by side, and how much is tried where it fails.
 * Shared by all walks of one session.
 *
 * @module
 */
import type { FailureReason } from "../protocol/report.ts";
import { ConcurrencyControl } from "./concurrency.ts";

/** Places at which one session goes around a failure; a relay that fails more often is left for another day. */
const MAX_DETOURS = 8;

/** The same where windows are cut in two: a detour costs less there. */
const MAX_CUTS = 48;

/** Connections that are given up because the relay answers badly over them, without anything gained. */
const MAX_RENEWALS = 10;

export class RequestPolicy {
  readonly concurrency: ConcurrencyControl;
  readonly #maxLimit: number;
  #limit: number;
  #ceiling: number;
  #successes = 0;
  #detours = 0;
  #renewals = 0;
  #connection = 0;
  #hasSucceeded = false;
  #lastFailure: FailureReason | null = null;

  /** `maxLimit` events are asked for first, at most `maxInFlight` times at once. */
  constructor(maxLimit: number, maxInFlight: number) {
    this.concurrency = new ConcurrencyControl(maxInFlight);
    this.#maxLimit = maxLimit;
    this.#limit = maxLimit;
    this.#ceiling = maxLimit;
  }

  /** Events to ask for now. */
  get limit(): number {
    return this.#limit;
  }

  /** Whether the relay is asked for less than it may be able to give. */
  get isReduced(): boolean {
    return this.#limit < this.#ceiling;
  }

  /** Whether any request ended as it should. */
  get hasSucceeded(): boolean {
    return this.#hasSucceeded;
  }

  get lastFailure(): FailureReason | null {
    return this.#lastFailure;
  }

  raiseLimit(): void {
    this.#limit = this.#ceiling;
  }

  /** The relay refused a filter without kinds, and not the limit. */
  resetLimit(): void {
    this.#ceiling = this.#maxLimit;
    this.#limit = this.#maxLimit;
  }

  onSuccess(): void {
    this.#hasSucceeded = true;
    this.#successes += 1;
    if (this.#successes < 2 || !this.isReduced) return;
    this.#limit = Math.min(this.#ceiling, this.#limit * 2);
    this.#successes = 0;
  }

  /** A request failed after `size` events: the next asks for less where that may help. */
  onFailure(reason: FailureReason, size: number): void {
    this.#successes = 0;
    this.#lastFailure = reason;
    switch (reason) {
      case "timeout":
      case "disconnected":
      case "over-budget":
        this.#limit = Math.max(1, Math.floor(reducedLimit(this.#limit, size)));
        return;
      case "refused":
        this.#limit = Math.max(1, Math.floor(this.#limit / 2));
        this.#ceiling = this.#limit;
        return;
      case "rate-limited":
      case "auth-required":
      case "restricted":
        return;
    }
  }

  /** Whether one more failure may be gone around; counts it. */
  mayDetour(): boolean {
    return this.#detours++ < MAX_DETOURS;
  }

  /** Whether one more failing window may be cut in two; counts it. */
  mayCut(): boolean {
    return this.#detours++ < MAX_CUTS;
  }

  /** Whether one more connection may be given up for a new one; counts it. */
  mayRenew(): boolean {
    if (this.#renewals >= MAX_RENEWALS) return false;
    this.#renewals += 1;
    this.#connection += 1;
    return true;
  }

  /** How many connections have ended so far: what was asked before may have been answered over another one. */
  get connection(): number {
    return this.#connection;
  }

  /** The relay has ended the connection. */
  onDisconnected(): void {
    this.#connection += 1;
  }

  /** The last new connection was of use: another may be. */
  onProgress(): void {
    this.#renewals = 0;
  }
}

/** A relay that broke off after so many events is asked for a little less than that. */
function reducedLimit(limit: number, size: number): number {
  return size > 0 ? Math.min(limit / 2, size * 0.8) : limit / 2;
}
