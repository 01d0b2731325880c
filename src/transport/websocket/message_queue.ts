/**
 * Messages between a socket and its one reader: given in batches, and bounded, as the socket asks before it is read.
 *
 * @module
 */
import { Notifier } from "../../base/notifier.ts";

/** Reading stops at about this much, counted in UTF-16 units and a little for each message. */
const FULL = 256 * 1024;
const PER_MESSAGE = 64;

/** A queue with one reader. */
export class MessageQueue implements AsyncIterator<readonly string[]> {
  readonly #drained: () => void;
  #messages: string[] = [];
  #size = 0;
  #ended = false;
  readonly #changed = new Notifier();

  /** `drained` is called when a full queue was emptied, so that reading goes on. */
  constructor(drained: () => void) {
    this.#drained = drained;
  }

  /** Whether there is enough for now: stop reading. */
  get isFull(): boolean {
    return this.#size > FULL;
  }

  push(message: string): void {
    if (this.#ended) return;
    this.#messages.push(message);
    this.#size += message.length + PER_MESSAGE;
    this.#changed.notify();
  }

  /** Nothing more will come; what is there can still be taken. */
  end(): void {
    this.#ended = true;
    this.#changed.notify();
  }

  /** All messages that came since the last call; waits when there are none. */
  async next(): Promise<IteratorResult<readonly string[]>> {
    while (this.#messages.length === 0) {
      if (this.#ended) return { done: true, value: undefined };
      await this.#changed.wait();
    }
    const value = this.#messages;
    const wasFull = this.isFull;
    this.#messages = [];
    this.#size = 0;
    if (wasFull) this.#drained();
    return { done: false, value };
  }
}
