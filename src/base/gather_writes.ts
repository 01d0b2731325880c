/**
 * Writes gathered into batches: items that arrive while one write is under way are written together by the next.
 *
 * @module
 */

/**
 * Returns a function that hands in one item and resolves once it is written (or rejects with what `write` threw).
 * One write runs at a time; a lone item is written at once, and the busier it gets the larger the batches become.
 */
export function gatherWrites<T>(
  write: (items: readonly T[]) => Promise<void>,
  { maxItems }: { readonly maxItems: number },
): (item: T) => Promise<void> {
  const waiting: Waiting<T>[] = [];
  let writing = false;

  async function writeAll(): Promise<void> {
    writing = true;
    while (waiting.length > 0) {
      await writeBatch(write, waiting.splice(0, maxItems));
    }
    writing = false;
  }

  return (item) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    waiting.push({ item, resolve, reject });
    if (!writing) void writeAll();
    return promise;
  };
}

interface Waiting<T> {
  readonly item: T;
  resolve(): void;
  reject(error: unknown): void;
}

async function writeBatch<T>(
  write: (items: readonly T[]) => Promise<void>,
  batch: readonly Waiting<T>[],
): Promise<void> {
  try {
    await write(batch.map(({ item }) => item));
    for (const { resolve } of batch) resolve();
  } catch (error) {
    for (const { reject } of batch) reject(error);
  }
}
