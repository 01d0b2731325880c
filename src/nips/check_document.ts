/**
 * Result of a check of a relay, in the form that is stored and hashed.
 *
 * @module
 */
import { failureText, type RelayFailure } from "../transport/failure.ts";

/** The result of a check. A check never throws: what went wrong is in the logs. */
export interface CheckDocument {
  /** Measured values; empty when there are none. */
  readonly data: Readonly<Record<string, unknown>>;
  /** Success and, where there is none, the reason; for each phase that was tried. */
  readonly logs: Readonly<Record<string, boolean | string>>;
  /** The failure behind it, for decisions; not stored. Null when the check succeeded or the relay merely said no. */
  readonly failure: RelayFailure | null;
}

/** The document of a check of one phase that failed. */
export function failedCheck(failure: RelayFailure): CheckDocument {
  const reason = failureText(failure);
  return { data: {}, logs: { success: false, reason }, failure };
}

/** The document of a check that could not be made for want of something of ours: it says nothing about the relay. */
export function unknowable(reason: string): CheckDocument {
  return { data: {}, logs: { success: false, reason }, failure: null };
}
