/**
 * What the end of a comparison means: for the part that was compared, and for what the relay's NIP-77 is worth.
 *
 * @module
 */
import type { NegotiationFailure } from "../../nips/nip77/negotiation_outcome.ts";
import type { Reconciled } from "../../nips/nip77/reconcile.ts";
import type { FetchFailure } from "./id_fetch.ts";
import type { Trouble } from "./standing.ts";

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
  readonly trouble: Trouble;
}

/** `failure`: why what was listed could not be fetched. */
export function judge(
  outcome: CompareOutcome,
  failure: FetchFailure | null,
): Judgement {
  if (failure === "aborted") return { verdict: "left", trouble: "none" };
  if (failure === "out-of-window") {
    return { verdict: "left", trouble: "false-list" };
  }
  if (failure !== null) return { verdict: "again", trouble: "passing" };
  switch (outcome.type) {
    case "reconciled":
      return outcome.isConfirmed
        ? { verdict: "settled", trouble: "none" }
        : { verdict: "again", trouble: "lasting" };
    case "too-many":
      return { verdict: "too-much", trouble: "too-many" };
    case "over-budget":
      return { verdict: "too-much", trouble: "lasting" };
    case "timeout":
      return { verdict: "again", trouble: "lasting" };
    case "refused":
      return refused(outcome);
    case "unsupported":
      return { verdict: "left", trouble: "final" };
    case "disconnected":
      return {
        verdict: outcome.failure.code === "too-large" ? "too-much" : "again",
        trouble: "lasting",
      };
    case "aborted":
      return { verdict: "left", trouble: "none" };
  }
}

function refused(
  { prefix, reason }: Extract<NegotiationFailure, { type: "refused" }>,
): Judgement {
  if (prefix === "rate-limited") {
    return { verdict: "again", trouble: "passing" };
  }
  // It forgot what we were at.
  return /^closed:/i.test(reason)
    ? { verdict: "again", trouble: "lasting" }
    : { verdict: "left", trouble: "final" };
}
