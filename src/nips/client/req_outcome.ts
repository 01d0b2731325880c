/**
 * How a REQ ended. There is no other end than these, and only `eose` is one the relay vouches for.
 *
 * @module
 */
import type { RelayFailure } from "../../transport/failure.ts";

/** The machine-readable prefixes of NIP-01 and NIP-42, as far as relays use them in CLOSED and OK. */
export const REASON_PREFIXES = [
  "auth-required",
  "restricted",
  "rate-limited",
  "blocked",
  "invalid",
  "unsupported",
  "pow",
  "duplicate",
  "mute",
  "error",
] as const;

/** A prefix of NIP-01 or NIP-42; `none` when a reason has none that is known. */
export type ReasonPrefix = (typeof REASON_PREFIXES)[number] | "none";

/** NIP-67: the relay has sent all that matches, or has more. Absence says nothing. */
export type EoseHint = "finish" | "more";

/** The end of a REQ, as plain data. */
export type ReqOutcome =
  /** The relay has sent what it chose to send. */
  | {
    readonly type: "eose";
    readonly hint?: EoseHint;
    /** Events older than a minute that came after EOSE while the subscription lingered. */
    readonly late?: number;
    /** The relay has learnt since it was asked who asks: it may answer more by now. */
    readonly isOutdated?: true;
  }
  /** The relay refused, or ended the subscription itself. */
  | {
    readonly type: "closed";
    readonly prefix: ReasonPrefix;
    readonly reason: string;
  }
  /** A refusal as NOTICE, which names no subscription: taken for ours while exactly one request is open. */
  | { readonly type: "notice"; readonly text: string }
  /** Nothing came for too long, or it all took too long. Proves nothing. */
  | { readonly type: "timeout"; readonly detail: string }
  /** The connection ended first. */
  | { readonly type: "disconnected"; readonly failure: RelayFailure }
  /** More came than asked for: `maxEvents` or `maxBytes` was passed, CLOSE was sent. */
  | { readonly type: "over-budget"; readonly detail: string }
  /** We stopped it ourselves. */
  | { readonly type: "aborted" };

export const ABORTED = { type: "aborted" } as const;

/** Sending failed: either the end is on its way, or the relay takes nothing any more. */
export const UNHEARD = {
  type: "disconnected",
  failure: {
    code: "closed",
    status: 1006,
    detail: "the relay does not take what we send",
  },
} as const;

/** What the end of a connection means to whatever was under way on it. */
export function endedBy(
  failure: RelayFailure,
): Extract<ReqOutcome, { type: "aborted" | "disconnected" }> {
  return failure.code === "aborted"
    ? ABORTED
    : { type: "disconnected", failure };
}
