/**
 * Notifier: wakes those that wait for something to change.
 *
 * Waiting is a loop, as a change is no promise that it was the right one: `while (!ready) await changed.wait()`.
 *
 * @module
 */
export class Notifier {
  readonly #waiting = new Set<() => void>();

  /** Resolves at the next `notify`, or when the signal aborts; it never throws. */
  wait(signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake);
        signal?.removeEventListener("abort", wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal?.addEventListener("abort", wake, { once: true });
    });
  }

  /** Wakes all that wait now. */
  notify(): void {
    for (const wake of this.#waiting) wake();
  }
}
