/**
 * So many at once, the others in line: first come, first served.
 *
 * @module
 */
export class Semaphore {
  #free: number;
  #isClosed = false;
  readonly #line = new Set<(seated: boolean) => void>();

  constructor(seats: number) {
    this.#free = seats;
  }

  /** True when a seat was taken; false when the signal aborted or the line was closed before. */
  async take(signal: AbortSignal): Promise<boolean> {
    if (signal.aborted || this.#isClosed) return false;
    if (this.#free > 0) {
      this.#free -= 1;
      return true;
    }
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const leave = () => resolve(false);
    this.#line.add(resolve);
    signal.addEventListener("abort", leave, { once: true });
    const seated = await promise;
    signal.removeEventListener("abort", leave);
    this.#line.delete(resolve);
    return seated;
  }

  /** Gives a seat back: to the first in line, if there is one. */
  free(): void {
    const [next] = this.#line;
    if (next === undefined) {
      this.#free += 1;
    } else {
      this.#line.delete(next);
      next(true);
    }
  }

  /** Sends all home who are in line. */
  close(): void {
    this.#isClosed = true;
    for (const resolve of this.#line) resolve(false);
  }
}
