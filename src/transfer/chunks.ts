/**
 * A stream that may pause, such as the output of a program that follows a relay.
 *
 * @module
 */

export interface ChunkOptions {
  /** After so long without a chunk there is a pause. */
  readonly pauseMs: number;
  readonly signal: AbortSignal;
}

/**
 * The chunks of a stream as they come, with null for each pause. When the signal aborts it ends at once, also in the
 * middle of a read: standard input may stay silent for ever.
 */
export async function* chunksAndPauses(
  bytes: AsyncIterable<Uint8Array>,
  options: ChunkOptions,
): AsyncGenerator<Uint8Array | null> {
  const chunks = bytes[Symbol.asyncIterator]();
  try {
    let coming = readAhead(chunks);
    while (true) {
      const came = await within(coming, options);
      if (options.signal.aborted || came?.done) return;
      if (came !== null) coming = readAhead(chunks);
      yield came === null ? null : came.value;
    }
  } finally {
    // Closes a file; a read of standard input cannot be ended, and is left behind.
    const closed = Promise.resolve(chunks.return?.()).catch(() => {});
    await within(closed, { pauseMs: options.pauseMs });
  }
}

/** Its failure is met when the chunk is waited for, which may be later. */
function readAhead<T>(chunks: AsyncIterator<T>): Promise<IteratorResult<T>> {
  const coming = chunks.next();
  coming.catch(() => {});
  return coming;
}

/** The promised value, or null when it takes too long or the signal aborts. */
async function within<T>(
  promise: Promise<T>,
  { pauseMs, signal }: Pick<ChunkOptions, "pauseMs"> & Partial<ChunkOptions>,
): Promise<T | null> {
  const impatience = Promise.withResolvers<null>();
  const giveUp = () => impatience.resolve(null);
  const timer = setTimeout(giveUp, pauseMs);
  signal?.addEventListener("abort", giveUp, { once: true });
  if (signal?.aborted) giveUp();
  try {
    return await Promise.race([promise, impatience.promise]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", giveUp);
  }
}
