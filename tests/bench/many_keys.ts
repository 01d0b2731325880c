/**
 * Keys of a great many events, without the events: the same everywhere.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { EventKeys } from "../../src/models/encoded_events.ts";

/** Twenty seconds from one to the next; ascending. */
export function manyKeys(count: number, first: number): EventKeys {
  const ids = new Uint8Array(32 * count);
  for (let i = 0; i < count; i++) {
    ids.set(createHash("sha256").update(String(i)).digest(), 32 * i);
  }
  const createdAt = Float64Array.from(
    { length: count },
    (_, i) => first + i * SECONDS_APART,
  );
  return { ids, createdAt };
}

export const SECONDS_APART = 20;
