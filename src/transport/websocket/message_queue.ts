/**
 * Messages between a socket and its one reader: given in batches, and bounded, as the socket asks before it is read.
 *
 * @module
 */
import { Notifier } from "../../base/notifier.ts";
import type { SocketMessage } from "./held_message.ts";

/** Reading stops at about this much, counted in UTF-16 units and a little for each message; of one that was cut all bytes count. */
const FULL = 256 * 1024;
const PER_MESSAGE = 64;

/** A queue with one reader. */
export class MessageQueue implements AsyncIterator<readonly SocketMessage[]> {
  readonly #drained: () => void;
  #messages: SocketMessage[] = [];
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

  push(message: SocketMessage): void {
    if (this.#ended) return;
    this.#messages.push(message);
    this.#size += PER_MESSAGE +
      (typeof message === "string" ? message.length : message.bytes);
    this.#changed.notify();
  }

  /** Nothing more will come; what is there can still be taken. */
  end(): void {
    this.#ended = true;
    this.#changed.notify();
  }

  /** All messages that came since the last call; waits when there are none. */
  async next(): Promise<IteratorResult<readonly SocketMessage[]>> {
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
