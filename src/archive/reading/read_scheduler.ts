/**
 * Which query takes its next step: the one that has worked the least, so that short queries pass long ones.
 *
 * @module
 */

export interface ReadStep {
  /** Work its query has done before. */
  readonly spent: number;
  readonly signal: AbortSignal;
}

interface Waiting extends ReadStep {
  start(): void;
}

export class ReadScheduler {
  #free: number;
  readonly #waiting = new Set<Waiting>();

  /** @param concurrency Steps at the same time. */
  constructor(concurrency: number) {
    this.#free = concurrency;
  }

  /** Runs a step when it is the one to go on. Throws the signal's reason when it aborts before. */
  async run<T>(step: ReadStep, work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await this.#wait(step);
    try {
      step.signal.throwIfAborted();
      return await work();
    } finally {
      this.#next();
    }
  }

  async #wait(step: ReadStep): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiting = { ...step, start: resolve };
    const leave = () => {
      // Otherwise the step has been started meanwhile, and its permit is given back by it.
      if (this.#waiting.delete(waiting)) reject(step.signal.reason);
    };
    this.#waiting.add(waiting);
    step.signal.addEventListener("abort", leave, { once: true });
    if (step.signal.aborted) leave();
    try {
      await promise;
    } finally {
      step.signal.removeEventListener("abort", leave);
    }
  }

  #next(): void {
    let first: Waiting | undefined;
    for (const waiting of this.#waiting) {
      if (first === undefined || waiting.spent < first.spent) first = waiting;
    }
    if (first === undefined) {
      this.#free += 1;
    } else {
      this.#waiting.delete(first);
      first.start();
    }
  }
}
