/**
 * Numbers of events by one or two integers, gathered before they are added to a table.
 *
 * @module
 */

/** Beyond the largest second integer: 67 million. */
const STRIDE = 2 ** 26;

/** Columns of the same length, as SQL unnests them. */
export interface CellColumns {
  readonly first: readonly number[];
  readonly second: readonly number[];
  readonly events: readonly number[];
}

/** What is to be added to cells whose key is `first` (below 2^27) and `second` (below 2^26). */
export class Cells {
  readonly #events = new Map<number, number>();

  add(first: number, second: number, events: number): void {
    const key = first * STRIDE + second;
    this.#events.set(key, (this.#events.get(key) ?? 0) + events);
  }

  /** Without those that come to nothing. */
  columns(): CellColumns {
    const first: number[] = [];
    const second: number[] = [];
    const events: number[] = [];
    for (const [key, sum] of this.#events) {
      if (sum === 0) continue;
      first.push(Math.floor(key / STRIDE));
      second.push(key % STRIDE);
      events.push(sum);
    }
    return { first, second, events };
  }
}
