/**
 * What the end of a comparison means: for the part that was compared, for the relay, and for the rest of the session.
 *
 * @module
 */
import type { NegotiationFailure } from "../../nips/nip77/negotiation_outcome.ts";
import type { Reconciled } from "../../nips/nip77/reconcile.ts";
import type { NegentropySupport } from "../protocol.ts";
import type { NoPage } from "../walk/ask.ts";

export type CompareOutcome = Reconciled | NegotiationFailure;

export type Verdict =
  | "settled"
  /** More than can be compared at once. */
  | "too-much"
  /** Something broke or changed on the way. */
  | "again"
  /** NIP-77 is no help with this part. */
  | "left";

export interface Judgement {
  readonly verdict: Verdict;
  /** What it shows of the relay; null for nothing. */
  readonly support: NegentropySupport | null;
  /** Whether there is any use in asking so again in this session. */
  readonly isUsable: boolean;
}

/** `failure`: why what was listed could not be fetched. */
export function judge(
  outcome: CompareOutcome,
  failure: NoPage | null,
): Judgement {
  const known = { support: "supported", isUsable: true } as const;
  const unknown = { support: null, isUsable: true } as const;
  if (failure === "aborted") return { ...unknown, verdict: "left" };
  if (failure !== null) return { ...unknown, verdict: "again" };
  switch (outcome.type) {
    case "reconciled":
      return { ...known, verdict: outcome.isConfirmed ? "settled" : "again" };
    case "too-many":
    case "over-budget":
      return { ...known, verdict: "too-much" };
    case "timeout":
      return { ...known, verdict: "again" };
    case "refused":
      return MAY_PASS.test(outcome.reason)
        ? { ...unknown, verdict: "again" }
        : { ...unknown, isUsable: false, verdict: "left" };
    case "unsupported":
      return { support: "unsupported", isUsable: false, verdict: "left" };
    case "disconnected":
      return outcome.failure.code === "too-large"
        ? { ...known, verdict: "too-much" }
        : { ...unknown, verdict: "again" };
    case "aborted":
      return { ...unknown, verdict: "left" };
  }
}

/** It forgot what we were at, or has too much to do just now. */
const MAY_PASS = /^(?:closed|rate-limited):/i;
