/**
 * What came over a connection and was not taken yet: when it is too much, nothing more is read.
 *
 * @module
 */

export class Backlog {
  readonly #max: () => number;
  #held = 0;
  #resume: (() => void) | undefined;
  #isOpen = true;

  /** `max` is about the bytes of memory at which reading stops; it goes on at half of them. */
  constructor(max: () => number) {
    this.#max = max;
  }

  /** Whether nothing is read just now. */
  get isStalled(): boolean {
    return this.#resume !== undefined;
  }

  add(bytes: number): void {
    this.#held += bytes;
  }

  /** True when reading goes on because of it. */
  take(bytes: number): boolean {
    this.#held -= bytes;
    if (this.#held > this.#max() / 2 || !this.isStalled) return false;
    this.#goOn();
    return true;
  }

  /** Resolves when there is room for more; null when there is. */
  room(): Promise<void> | null {
    if (this.#held < this.#max() || !this.#isOpen) return null;
    return new Promise((resolve) => this.#resume = resolve);
  }

  /** Whatever comes from now on is dropped anyway. */
  close(): void {
    this.#isOpen = false;
    this.#goOn();
  }

  #goOn(): void {
    this.#resume?.();
    this.#resume = undefined;
  }
}
