/**
 * What the end of a comparison means: for the part that was compared, and for what the relay's NIP-77 is worth.
 *
 * @module
 */
import type { NegotiationFailure } from "../../nips/nip77/negotiation_outcome.ts";
import type { Reconciled } from "../../nips/nip77/reconcile.ts";
import type { FetchFailure } from "./id_fetch.ts";
import type { Problem } from "./trust.ts";

export type CompareOutcome = Reconciled | NegotiationFailure;

export type PartOutcome =
  | "settled"
  /** More than can be compared at once. */
  | "too-much"
  /** Something broke or changed on the way. */
  | "again"
  /** NIP-77 is no help with this part. */
  | "left";

export interface Classification {
  readonly partOutcome: PartOutcome;
  readonly problem: Problem;
}

/** `failure`: why what was listed could not be fetched. */
export function classify(
  outcome: CompareOutcome,
  failure: FetchFailure | null,
): Classification {
  if (failure === "aborted") return { partOutcome: "left", problem: "none" };
  if (failure === "out-of-window") {
    return { partOutcome: "left", problem: "false-list" };
  }
  if (failure !== null) return { partOutcome: "again", problem: "passing" };
  switch (outcome.type) {
    case "reconciled":
      return outcome.isConfirmed
        ? { partOutcome: "settled", problem: "none" }
        : { partOutcome: "again", problem: "lasting" };
    case "too-many":
      return { partOutcome: "too-much", problem: "too-many" };
    case "over-budget":
      return { partOutcome: "too-much", problem: "lasting" };
    case "timeout":
      return { partOutcome: "again", problem: "lasting" };
    case "refused":
      return refused(outcome);
    case "unsupported":
      return { partOutcome: "left", problem: "final" };
    case "disconnected":
      return {
        partOutcome: outcome.failure.code === "too-large"
          ? "too-much"
          : "again",
        problem: "lasting",
      };
    case "aborted":
      return { partOutcome: "left", problem: "none" };
  }
}

function refused(
  { prefix, reason }: Extract<NegotiationFailure, { type: "refused" }>,
): Classification {
  if (prefix === "rate-limited") {
    return { partOutcome: "again", problem: "passing" };
  }
  // It forgot what we were at.
  return /^closed:/i.test(reason)
    ? { partOutcome: "again", problem: "lasting" }
    : { partOutcome: "left", problem: "final" };
}
