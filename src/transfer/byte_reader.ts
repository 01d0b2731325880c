/**
 * A stream of bytes read in the lengths that a format has.
 *
 * @module
 */

/** Reader of a stream; disposing closes the stream. */
export class ByteReader implements AsyncDisposable {
  readonly #chunks: AsyncIterator<Uint8Array>;
  /** Read and not yet taken. */
  #held: Uint8Array = new Uint8Array();

  constructor(bytes: AsyncIterable<Uint8Array>) {
    this.#chunks = bytes[Symbol.asyncIterator]();
  }

  /** Up to `length` bytes without taking them; fewer at the end of the stream. */
  async peek(length: number): Promise<Uint8Array> {
    while (this.#held.length < length) {
      const next = await this.#chunks.next();
      if (next.done) break;
      this.putBack(this.#held, next.value);
    }
    return this.#held.subarray(0, length);
  }

  /** What has come, more than `known` bytes of it unless the stream ends before. */
  async peekMore(known: number): Promise<Uint8Array> {
    await this.peek(known + 1);
    return this.#held;
  }

  /** Takes everything up to the end of the stream, as it comes. */
  async *rest(): AsyncGenerator<Uint8Array> {
    while (true) {
      const bytes = await this.some(Infinity);
      if (bytes.length === 0) return;
      yield bytes;
    }
  }

  /** Takes `length` bytes; fewer at the end of the stream. */
  async take(length: number): Promise<Uint8Array> {
    const bytes = (await this.peek(length)).slice();
    this.#held = this.#held.subarray(bytes.length);
    return bytes;
  }

  /** Takes what has come, `length` bytes at most; none at the end of the stream only. */
  async some(length: number): Promise<Uint8Array> {
    const bytes = (await this.peek(1)).length === 0
      ? this.#held
      : this.#held.subarray(0, length);
    this.#held = this.#held.subarray(bytes.length);
    return bytes;
  }

  /** Makes `bytes`, and what follows them, the next to be taken. */
  putBack(bytes: Uint8Array, rest: Uint8Array = this.#held): void {
    if (bytes.length === 0) {
      this.#held = rest;
      return;
    }
    const joined = new Uint8Array(bytes.length + rest.length);
    joined.set(bytes);
    joined.set(rest, bytes.length);
    this.#held = joined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#chunks.return?.();
  }
}
