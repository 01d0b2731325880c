import assert from "node:assert/strict";
import fc from "fast-check";
import {
  byNewest,
  type EventKey,
} from "../../../../src/archive/reading/event_key.ts";
import { mergedKeys } from "../../../../src/archive/reading/merged_keys.ts";

const key: fc.Arbitrary<EventKey> = fc.record({
  createdAt: fc.nat({ max: 9 }),
  id: fc.constantFrom("a", "b", "c", "d", "e"),
});

/** Streams, each as its pages. */
const streams = fc.array(
  fc.tuple(fc.array(key), fc.integer({ min: 1, max: 5 })),
);

Deno.test("mergedKeys() gives the keys of all streams in order, each once", async () => {
  await fc.assert(fc.asyncProperty(streams, async (drawn) => {
    // An id commits to its created_at.
    const lists = drawn.map(([keys, size]) => ({
      keys: sorted(keys.map(({ createdAt, id }) => ({
        createdAt,
        id: `${createdAt}${id}`,
      }))),
      size,
    }));
    const merged = mergedKeys(lists.map(({ keys, size }) => paged(keys, size)));
    assert.deepEqual(
      (await Array.fromAsync(merged)).flat(),
      sorted(lists.flatMap(({ keys }) => keys)),
    );
  }));
});

Deno.test("mergedKeys() gives what is the newest before it reads on", async () => {
  const reads: number[] = [];
  async function* endless(offset: number) {
    for (let at = 1_000;; at -= 2) {
      reads.push(await Promise.resolve(at));
      yield [{ createdAt: at + offset, id: "a" }];
    }
  }
  const merged = mergedKeys([endless(0), endless(1)]);
  assert.deepEqual((await merged.next()).value, [{
    createdAt: 1_001,
    id: "a",
  }]);
  assert.deepEqual(reads, [1_000, 1_000]);
  await merged.return(undefined);
});

async function* paged(keys: readonly EventKey[], size: number) {
  for (let at = 0; at < keys.length; at += size) {
    yield await Promise.resolve(keys.slice(at, at + size));
  }
}

function sorted(keys: readonly EventKey[]): EventKey[] {
  const distinct = new Map(keys.map((key) => [key.id, key]));
  return [...distinct.values()].sort(byNewest);
}
