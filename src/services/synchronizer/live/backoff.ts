/**
 * What the end of a live connection means: when the relay is synced again, and when it may be live again.
 *
 * @module
 */
import { backoffMs } from "../../../base/backoff.ts";
import type {
  LiveEnd,
  LiveEndReason,
} from "../../../workers/protocol/report.ts";

/** A line that held so long may break: that happens to the best. */
const STEADY_SECONDS = 600;

/** Until the hole of a broken line is closed; doubled each time it breaks soon. */
const FIRST_WAIT_MS = 5_000;

/** Until a relay that was no good live is tried again; doubled each time. */
const FIRST_REST_MS = 600_000;
const MAX_REST_MS = 86_400_000;

/** Broken lines in a row that are taken for bad luck. */
const FORGIVEN = 2;

interface Record {
  readonly strikes: number;
  /** By `performance.now()`. */
  readonly restUntil: number;
}

export class LiveBackoff {
  /** Relays that were live in this process, and how that went lately; those without a strike are missing. */
  readonly #records = new Map<number, Record>();

  mayGoLive(relayId: number): boolean {
    const record = this.#records.get(relayId);
    return record === undefined || record.restUntil <= performance.now();
  }

  /** Takes note of an end. Seconds until the relay is due, about `maxSeconds` at most. */
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
    const earlier = isSteady ? 0 : this.#records.get(relayId)?.strikes ?? 0;
    const strikes = earlier + 1;
    const isForgiven = reason === "disconnected" && strikes <= FORGIVEN;
    const restMs = isForgiven ? 0 : backoffMs(strikes, {
      initialMs: FIRST_REST_MS,
      maxMs: MAX_REST_MS,
      jitter: 0.2,
    });
    const restUntil = performance.now() + restMs;
    this.#records.set(relayId, { strikes, restUntil });
    return backoffMs(strikes, {
      initialMs: FIRST_WAIT_MS,
      maxMs: Math.max(FIRST_WAIT_MS, maxSeconds * 1_000),
      jitter: 0.5,
    }) / 1_000;
  }
}

/** Whether the relay, or the line to it, was the reason. */
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
