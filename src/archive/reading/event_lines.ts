/**
 * Events by their keys, as the lines of JSON that their authors signed, in chunks of about a megabyte.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { type EventKey, packKeys } from "./event_key.ts";
import type { ReadSteps } from "./read_steps.ts";

/** An event can be a megabyte, so the size of a chunk follows from the events of the one before. */
const CHUNK_CHARS = 1 << 20;
const FIRST_CHUNK = 100;
const MAX_CHUNK = 1_000;

/** The events of a stream of keys, in its order. One chunk is read ahead. */
export async function* eventLines(
  steps: ReadSteps,
  keys: AsyncIterable<readonly EventKey[]>,
): AsyncGenerator<string[]> {
  const chunks = fetched(steps, keys);
  let ahead = chunks.next();
  while (true) {
    const { value, done } = await ahead;
    if (done) return;
    ahead = chunks.next();
    // Whoever leaves in between does not wait for the chunk that is on its way.
    ahead.catch(() => {});
    if (value.length > 0) yield value;
  }
}

async function* fetched(
  steps: ReadSteps,
  pages: AsyncIterable<readonly EventKey[]>,
): AsyncGenerator<string[]> {
  const size = new ChunkSize();
  for await (const keys of pages) yield* fetchLines(steps, keys, size);
}

/** The events of some keys, in their order; those that are gone are left out. */
export async function* fetchLines(
  steps: ReadSteps,
  keys: readonly EventKey[],
  size: ChunkSize = new ChunkSize(),
): AsyncGenerator<string[]> {
  for (let at = 0; at < keys.length;) {
    const chunk = keys.slice(at, at + size.events);
    at += chunk.length;
    const { lines } = await steps.run(async (sql) => {
      const [row] = await sql<{ lines: string | null }[]>`
        select event_lines(${Buffer.from(packKeys(chunk))}::bytea) as lines`;
      return { lines: row!.lines, work: chunk.length };
    });
    if (lines === null) continue;
    size.learn(lines.length, chunk.length);
    yield lines.split("\n");
  }
}

class ChunkSize {
  #events = FIRST_CHUNK;

  get events(): number {
    return this.#events;
  }

  learn(chars: number, events: number): void {
    const fitting = Math.floor(CHUNK_CHARS / (chars / events));
    this.#events = Math.max(1, Math.min(MAX_CHUNK, fitting, 2 * this.#events));
  }
}
