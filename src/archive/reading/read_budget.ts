/**
 * A bound on the work of one query, and the refusal that ends one that needs more.
 *
 * @module
 */

/** The query would cost more than it may. What it gave before that is right. */
class ReadBudgetError extends Error {
  override readonly name = "ReadBudgetError";
}

export class ReadBudget {
  readonly #max: number;
  #spent = 0;

  /** @param max Index entries and rows that the query may look at. */
  constructor(max: number) {
    this.#max = max;
  }

  /** Index entries and rows looked at so far. */
  get spent(): number {
    return this.#spent;
  }

  /** Counts work that was done. A step is small, so a budget is exceeded by little. */
  spend(work: number): void {
    this.#spent += work;
  }

  /** @throws ReadBudgetError when nothing is left for another step. */
  requireLeft(): void {
    if (this.#spent < this.#max) return;
    throw new ReadBudgetError(
      `Cannot answer the filters as that takes looking at more than ${this.#max} entries: ask for less time, or for fewer values`,
    );
  }
}
