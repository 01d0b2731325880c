/**
 * The keys of several filters as one stream, newest first, each once.
 *
 * @module
 */
import { byNewest, type EventKey } from "./event_key.ts";

type KeyStream = AsyncGenerator<readonly EventKey[]>;

/** Merges streams that are each in the order of `byNewest`. */
export async function* mergedKeys(
  streams: readonly KeyStream[],
): KeyStream {
  let open = await Promise.all(streams.map(opened));
  let last: string | undefined;
  while (true) {
    open = open.filter(({ keys }) => keys.length > 0);
    if (open.length === 0) return;
    const merged: EventKey[] = [];
    // Until one has no key at hand: its next one may be the newest.
    while (open.every(hasNext)) {
      const key = takeNewest(open);
      if (key.id !== last) merged.push(key);
      last = key.id;
    }
    if (merged.length > 0) yield merged;
    await Promise.all(open.map(refill));
  }
}

interface Cursor {
  readonly stream: KeyStream;
  /** The page at hand; empty at the end. */
  keys: readonly EventKey[];
  at: number;
}

async function opened(stream: KeyStream): Promise<Cursor> {
  const cursor: Cursor = { stream, keys: [], at: 0 };
  await refill(cursor);
  return cursor;
}

function hasNext({ keys, at }: Cursor): boolean {
  return at < keys.length;
}

async function refill(cursor: Cursor): Promise<void> {
  if (hasNext(cursor)) return;
  const { value, done } = await cursor.stream.next();
  cursor.keys = done ? [] : value;
  cursor.at = 0;
}

function takeNewest(cursors: readonly Cursor[]): EventKey {
  let newest = cursors[0]!;
  for (const cursor of cursors) {
    if (byNewest(cursor.keys[cursor.at]!, newest.keys[newest.at]!) < 0) {
      newest = cursor;
    }
  }
  return newest.keys[newest.at++]!;
}
