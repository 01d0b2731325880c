/**
 * Pings that wait for their answers.
 *
 * @module
 */

/** Bytes by which an answer tells which ping it is for. */
const MARK_BYTES = 4;

export class PingTracker {
  /** In the order they were sent. */
  readonly #waiting = new Map<number, (messages: number | null) => void>();
  #last = 0;

  /** Opens a ping: what it carries, and how many messages came before its answer; null for none. */
  open(): { mark: Uint8Array; answered: Promise<number | null> } {
    const { promise, resolve } = Promise.withResolvers<number | null>();
    this.#last = (this.#last + 1) >>> 0;
    this.#waiting.set(this.#last, resolve);
    const mark = new Uint8Array(MARK_BYTES);
    new DataView(mark.buffer).setUint32(0, this.#last);
    return { mark, answered: promise };
  }

  /** An answer came. It answers the pings before it, too: a peer may leave all but the last unanswered (RFC 6455, 5.5.3). */
  answer(mark: Uint8Array, messages: number): void {
    if (mark.length !== MARK_BYTES) return;
    const { buffer, byteOffset } = mark;
    const number = new DataView(buffer, byteOffset).getUint32(0);
    if (!this.#waiting.has(number)) return;
    for (const [earlier, resolve] of this.#waiting) {
      resolve(messages);
      this.#waiting.delete(earlier);
      if (earlier === number) return;
    }
  }

  /** No more answers will come. */
  endAll(): void {
    for (const resolve of this.#waiting.values()) resolve(null);
    this.#waiting.clear();
  }
}
