/**
 * How a running service is doing: what `status` and `/readyz` show.
 *
 * @module
 */

/** One process of a service since its start. Moments are Unix seconds. */
export interface ServiceRuntime {
  readonly startedAt: number;
  /** When this was written; uptime is the difference to `startedAt`. */
  readonly updatedAt: number;
  readonly cycles: number;
  readonly failures: number;
  readonly consecutiveFailures: number;
  readonly intervalSeconds: number;
  /** Start of the cycle under way; null between cycles. */
  readonly cycleStartedAt: number | null;
  /** End of the last cycle that succeeded. */
  readonly lastSuccessAt: number | null;
  /** End and duration of the last cycle, however it ended. */
  readonly lastCycleAt: number | null;
  readonly lastCycleSeconds: number | null;
  readonly lastError: string | null;
  /** False once the service has returned. */
  readonly running: boolean;
}

/** Keeps the latest state of a service. It may fail: the service goes on and says so in the log. */
export type RecordRuntime = (runtime: ServiceRuntime) => Promise<void> | void;
