/**
 * Backoff after live connections: when the relay is synced again, and when it may be live again.
 *
 * @module
 */
import { backoffMs } from "../../../base/backoff.ts";
import type {
  LiveEnd,
  LiveEndReason,
} from "../../../workers/protocol/report.ts";

/** A connection that held so long may break without counting as a failure in a row, seconds. */
const STEADY_SECONDS = 600;

/** Wait until the gap of a broken connection is closed; doubled each time it breaks soon. */
const FIRST_WAIT_MS = 5_000;

/** Time without live after a failure that was not a broken connection; doubled each time. */
const FIRST_COOLDOWN_MS = 600_000;
const MAX_COOLDOWN_MS = 86_400_000;

/** Broken connections in a row that are taken for bad luck. */
const FORGIVEN = 2;

interface Record {
  readonly failures: number;
  /** By `performance.now()`. */
  readonly cooldownUntil: number;
}

export class LiveBackoff {
  /** Failures of relays that were live in this process; relays without one are missing. */
  readonly #records = new Map<number, Record>();

  mayGoLive(relayId: number): boolean {
    const record = this.#records.get(relayId);
    return record === undefined || record.cooldownUntil <= performance.now();
  }

  /** Records an end; gives the seconds until the relay is due, about `maxSeconds` at most. */
  ended(
    relayId: number,
    { reason, seconds }: Pick<LiveEnd, "reason" | "seconds">,
    maxSeconds: number,
  ): number {
    if (!isFailure(reason)) {
      if (reason === "recheck") this.#records.delete(relayId);
      return 0;
    }
    const isSteady = reason === "disconnected" && seconds >= STEADY_SECONDS;
    const earlier = isSteady ? 0 : this.#records.get(relayId)?.failures ?? 0;
    const failures = earlier + 1;
    const isForgiven = reason === "disconnected" && failures <= FORGIVEN;
    const cooldownMs = isForgiven ? 0 : backoffMs(failures, {
      initialMs: FIRST_COOLDOWN_MS,
      maxMs: MAX_COOLDOWN_MS,
      jitter: 0.2,
    });
    const cooldownUntil = performance.now() + cooldownMs;
    this.#records.set(relayId, { failures, cooldownUntil });
    return backoffMs(failures, {
      initialMs: FIRST_WAIT_MS,
      maxMs: Math.max(FIRST_WAIT_MS, maxSeconds * 1_000),
      jitter: 0.5,
    }) / 1_000;
  }
}

/** Whether the relay, or the connection to it, was the reason. */
function isFailure(reason: LiveEndReason): boolean {
  switch (reason) {
    case "stopped":
    case "lost":
    case "recheck":
      return false;
    case "disconnected":
    case "closed":
    case "silent":
    case "flood":
    case "useless":
    case "too-large":
    case "unread":
    case "behind":
      return true;
  }
}
