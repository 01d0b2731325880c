/**
 * Keys of events in the order of negentropy: joined, merged, cut.
 *
 * @module
 */
import type { EventKeys } from "../../models/encoded_events.ts";
import type { Window } from "../../models/window.ts";

export const NO_KEYS: EventKeys = {
  ids: new Uint8Array(),
  createdAt: new Float64Array(),
};

/** One after the other, in the order given. */
export function joinKeys(parts: readonly EventKeys[]): EventKeys {
  const size = parts.reduce((sum, part) => sum + part.createdAt.length, 0);
  const ids = new Uint8Array(32 * size);
  const createdAt = new Float64Array(size);
  let at = 0;
  for (const part of parts) {
    ids.set(part.ids, 32 * at);
    createdAt.set(part.createdAt, at);
    at += part.createdAt.length;
  }
  return { ids, createdAt };
}

/** Ascending, each once. */
export function sortedKeys(keys: EventKeys): EventKeys {
  return changedKeys(keys, { more: NO_KEYS, less: NO_KEYS });
}

/** `keys` with what is in `more` and without what is in `less`; ascending, each once. */
export function changedKeys(
  keys: EventKeys,
  { more, less }: { readonly more: EventKeys; readonly less: EventKeys },
): EventKeys {
  const all = joinKeys([keys, more]);
  const hex = all.ids.toHex();
  const idOf = (i: number) => hex.slice(64 * i, 64 * i + 64);
  const removed = new Set(hexIds(less));
  const order = [...all.createdAt.keys()].filter((i) => !removed.has(idOf(i)));
  order.sort((a, b) =>
    all.createdAt[a]! - all.createdAt[b]! || (idOf(a) < idOf(b) ? -1 : 1)
  );
  const once = order.filter((index, i) =>
    i === 0 || idOf(index) !== idOf(order[i - 1]!)
  );
  return {
    ids: Uint8Array.fromHex(once.map(idOf).join("")),
    createdAt: Float64Array.from(once, (i) => all.createdAt[i]!),
  };
}

/** The keys of a window, of ascending ones. */
export function keysIn(
  { ids, createdAt }: EventKeys,
  { since, until }: Window,
): EventKeys {
  const from = firstIndex(createdAt, since);
  const to = firstIndex(createdAt, until + 1);
  return {
    ids: ids.slice(32 * from, 32 * to),
    createdAt: createdAt.slice(from, to),
  };
}

/** The ids as hex, in their order. */
export function hexIds({ ids }: EventKeys): string[] {
  const hex = ids.toHex();
  return Array.from(
    { length: ids.length / 32 },
    (_, i) => hex.slice(64 * i, 64 * i + 64),
  );
}

/** Index of the first moment that is not before `second`. */
function firstIndex(createdAt: Float64Array, second: number): number {
  let low = 0;
  let high = createdAt.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (createdAt[middle]! < second) low = middle + 1;
    else high = middle;
  }
  return low;
}
