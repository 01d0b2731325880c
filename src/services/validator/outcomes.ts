/**
 * Outcomes of trials: what becomes of a candidate.
 *
 * @module
 */
import type { Database } from "../../core/database/connection/database.ts";
import {
  type CandidateFailure,
  type CandidatePromotion,
  failCandidates,
  promoteCandidates,
  releaseCandidates,
  type RetryLadder,
} from "../../archive/candidates.ts";
import {
  askedWaitSeconds,
  failureText,
  type RelayFailure,
} from "../../transport/failure.ts";
import type { Answer } from "./try_candidate.ts";

/** End of the trial of the candidate `url` ended. */
export type Outcome =
  | { readonly type: "promoted"; readonly url: string; readonly answer: Answer }
  | {
    readonly type: "failed";
    readonly url: string;
    readonly failure: RelayFailure;
  }
  /** The claim is given back as if it had never been made: the fault was ours. */
  | { readonly type: "released"; readonly url: string };

/** Stores outcomes in one transaction. */
export async function storeOutcomes(
  database: Database,
  outcomes: readonly Outcome[],
  retry: RetryLadder,
): Promise<void> {
  const promotions: CandidatePromotion[] = [];
  const failures: CandidateFailure[] = [];
  const releases: string[] = [];
  for (const outcome of outcomes) {
    if (outcome.type === "promoted") {
      const { url, network } = outcome.answer.relay;
      promotions.push({ candidateUrl: outcome.url, url, network });
    } else if (outcome.type === "failed") {
      const failure = failureText(outcome.failure);
      const waitSeconds = askedWaitSeconds(outcome.failure);
      failures.push({ url: outcome.url, failure, waitSeconds });
    } else releases.push(outcome.url);
  }
  await database.transaction(async (sql) => {
    await promoteCandidates(sql, promotions);
    await failCandidates(sql, failures, retry);
    await releaseCandidates(sql, releases);
  }, { kind: "batch" });
}
