/**
 * Credit for batches: how many may be on their way to the database at once, in all and of one session.
 *
 * @module
 */

/** Who takes credits. */
export interface Borrower {
  /** One more batch may be sent. */
  grant(): void;
}

/** Batches of one session on their way at once: one being stored, one to follow it without a pause. */
const MAX_PER_BORROWER = 2;

export class BatchCredit {
  #free: number;
  readonly #lent = new Map<Borrower, number>();
  readonly #waiting: Borrower[] = [];

  constructor(max: number) {
    this.#free = max;
  }

  /** Grants a credit now, or when one is given back; first come, first served. */
  want(borrower: Borrower): void {
    this.#waiting.push(borrower);
    this.#serve();
  }

  /** A batch is stored. */
  giveBack(borrower: Borrower): void {
    const lent = this.#lent.get(borrower) ?? 0;
    if (lent === 0) return;
    this.#lent.set(borrower, lent - 1);
    this.#free += 1;
    this.#serve();
  }

  /** The borrower is gone, with whatever it held or waited for. */
  forget(borrower: Borrower): void {
    this.#free += this.#lent.get(borrower) ?? 0;
    this.#lent.delete(borrower);
    for (;;) {
      const place = this.#waiting.indexOf(borrower);
      if (place < 0) break;
      this.#waiting.splice(place, 1);
    }
    this.#serve();
  }

  #serve(): void {
    while (this.#free > 0) {
      const place = this.#waiting.findIndex((borrower) =>
        (this.#lent.get(borrower) ?? 0) < MAX_PER_BORROWER
      );
      const borrower = this.#waiting[place];
      if (borrower === undefined) return;
      this.#waiting.splice(place, 1);
      this.#free -= 1;
      this.#lent.set(borrower, (this.#lent.get(borrower) ?? 0) + 1);
      borrower.grant();
    }
  }
}
