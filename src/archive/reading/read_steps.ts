/**
 * The steps of one query: small statements, each on a connection for itself, within the budget of the query.
 *
 * Between two steps nothing is open: a reader that is slow keeps no snapshot and no connection, and a step whose
 * connection is lost is simply done again.
 *
 * @module
 */
import type { Database, Sql } from "../../core/database/connection/database.ts";
import type { ReadBudget } from "./read_budget.ts";
import type { ReadScheduler } from "./read_scheduler.ts";

export interface ReadStepsOptions {
  readonly database: Database;
  readonly scheduler: ReadScheduler;
  readonly budget: ReadBudget;
  readonly signal: AbortSignal;
}

export class ReadSteps {
  readonly #options: ReadStepsOptions;

  constructor(options: ReadStepsOptions) {
    this.#options = options;
  }

  /**
   * Runs one statement, and charges its work.
   *
   * @throws ReadBudgetError when the query has no budget left.
   */
  async run<T extends { readonly work: number }>(
    statement: (sql: Sql) => Promise<T>,
  ): Promise<T> {
    const { database, scheduler, budget, signal } = this.#options;
    budget.requireLeft();
    const step = { spent: budget.spent, signal };
    const result = await scheduler.run(
      step,
      () => database.run(statement, { kind: "query", signal }),
    );
    budget.spend(result.work);
    return result;
  }
}
