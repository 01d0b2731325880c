/**
 * Candidates from relays that were found, whichever way.
 *
 * @module
 */
import {
  type CandidateBudgets,
  type CandidateHint,
  type CandidateInsertion,
  insertCandidates,
} from "../../archive/candidates.ts";
import type { Sql } from "../../core/database/connection/database.ts";
import type { ServiceMetrics } from "../../core/metrics/metrics.ts";

/** Hints in one statement. */
const CHUNK = 5_000;

/** Stores any number of hints on the connection of a transaction; the outcomes added up. */
export async function storeHints(
  sql: Sql,
  hints: readonly CandidateHint[],
  budgets: CandidateBudgets,
): Promise<CandidateInsertion> {
  const sum = { inserted: 0, overBudget: 0, known: 0 };
  for (let i = 0; i < hints.length; i += CHUNK) {
    const chunk = hints.slice(i, i + CHUNK);
    const stored = await insertCandidates(sql, chunk, budgets);
    sum.inserted += stored.inserted;
    sum.overBudget += stored.overBudget;
    sum.known += stored.known;
  }
  return sum;
}

/** Counts them in `finder_candidates_total`, by where they were found and what became of them. */
export function countCandidates(
  metrics: ServiceMetrics,
  foundIn: "api" | "archive",
  { inserted, overBudget, known }: CandidateInsertion,
): void {
  const candidates = metrics.counter(
    "finder_candidates_total",
    "Relay URLs found, by where and by outcome; over_budget: their host, domain or author has had its share",
    ["found_in", "outcome"],
  );
  candidates.inc({ found_in: foundIn, outcome: "inserted" }, inserted);
  candidates.inc({ found_in: foundIn, outcome: "over_budget" }, overBudget);
  candidates.inc({ found_in: foundIn, outcome: "known" }, known);
}
