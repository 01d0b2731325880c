/**
 * Metrics of checks. Labels are names of checks, networks and kinds of failure, never a relay.
 *
 * @module
 */
import type { ServiceMetrics } from "../../core/metrics/metrics.ts";
import type { Network } from "../../models/network.ts";
import type { CheckDocument } from "../../nips/check_document.ts";
import type { DoneCheck } from "./check_relay.ts";

/** From half a decent round trip to a slow hidden service with all its retries. */
const SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120];

/** Counts a check that was made. */
export function countCheck(
  metrics: ServiceMetrics,
  network: Network,
  { name: check, document, seconds, retries }: DoneCheck,
): void {
  const outcome = outcomeOf(document);
  metrics.counter(
    "monitor_checks_total",
    "Checks made, by outcome: ok, the kind of failure, or unknown where there was nothing to find; geo and net all failed: look at the MMDB files",
    ["check", "network", "outcome"],
  ).inc({ check, network, outcome });
  metrics.histogram(
    "monitor_check_duration_seconds",
    "Time that a check took, retries included",
    { labelNames: ["check", "network"], buckets: SECONDS },
  ).observe({ check, network }, seconds);
  if (retries > 0) {
    metrics.counter(
      "monitor_check_retries_total",
      "Checks made again at once after a failure that may pass",
      ["check", "network"],
    ).inc({ check, network }, retries);
  }
}

/** Tells how late the relay that is due longest was when it was taken; 0 when none was due. */
export function setLag(
  metrics: ServiceMetrics,
  network: Network,
  seconds: number,
): void {
  metrics.gauge(
    "monitor_lag_seconds",
    "How late the relay was that had been due longest when relays were last taken; growing: raise the monitor's slots for that network",
    ["network"],
  ).set({ network }, seconds);
}

function outcomeOf({ failure, logs }: CheckDocument): string {
  if (failure !== null) return failure.code;
  return logs["success"] === false ? "unknown" : "ok";
}
