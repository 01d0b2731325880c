/**
 * What negentropy stands on: sums of ranges, bounds, sets of ids.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { compareBytes } from "../../../../src/nips/negentropy/bound.ts";
import { IdSet } from "../../../../src/nips/negentropy/id_set.ts";
import { SortedKeys } from "../../../../src/nips/negentropy/sorted_keys.ts";
import { eventKeys, manyKeys, sorted, sortedKeys } from "./key_sets.ts";

const MODULUS = 1n << 256n;

Deno.test("SortedKeys sums any range as big integers do", () => {
  const list = sorted(manyKeys(200, { seed: 31 }));
  // Carries run through all words when ids are as large as they can be.
  const large = list.map((key, i) =>
    i % 3 === 0 ? key : { ...key, id: "f".repeat(60) + key.id.slice(60) }
  );
  const keys = sortedKeys(large);
  const values = sorted(large).map(({ id }) =>
    BigInt("0x" + Uint8Array.fromHex(id).reverse().toHex())
  );
  fc.assert(fc.property(fc.nat(200), fc.nat(200), (a, b) => {
    const [from, to] = a < b ? [a, b] : [b, a];
    const expected = values.slice(from, to).reduce((x, y) => x + y, 0n) %
      MODULUS;
    const bytes = new Uint8Array(keys.sum(from, to).words().buffer);
    assert.equal(BigInt("0x" + bytes.reverse().toHex()), expected);
  }));
});

Deno.test("SortedKeys.boundAt() is after one event and not after the next", () => {
  const keys = sortedKeys(manyKeys(500, { seed: 32, perSecond: 40 }));
  for (let i = 1; i < keys.size; i++) {
    const bound = keys.boundAt(i);
    assert.equal(keys.indexOf(bound, 0), i);
    const shorter = bound.prefix.subarray(0, -1);
    if (bound.prefix.length > 0) {
      assert.ok(compareBytes(shorter, keys.ids(i - 1, i)) <= 0);
    }
  }
});

Deno.test("SortedKeys refuses keys that are unsorted, twice, no times, or too few", () => {
  const [a, b] = sorted(manyKeys(2, { seed: 33, perSecond: 2 }));
  const refused = [
    [b!, a!],
    [a!, a!],
    [{ ...a!, createdAt: -1 }],
    [{ ...a!, createdAt: 1.5 }],
    [{ ...a!, createdAt: Number.MAX_SAFE_INTEGER + 1 }],
  ];
  for (const keys of refused) {
    assert.throws(() => new SortedKeys(eventKeys(keys)), /Cannot take keys/);
  }
  const { ids } = eventKeys([a!, b!]);
  assert.throws(
    () => new SortedKeys({ ids, createdAt: Float64Array.of(1) }),
    /must have 32 bytes: they have 64/,
  );
});

Deno.test("SortedKeys takes ids that lie anywhere in memory", () => {
  const keys = sorted(manyKeys(70, { seed: 34 }));
  const { ids, createdAt } = eventKeys(keys);
  const shifted = new Uint8Array(ids.length + 1);
  shifted.set(ids, 1);
  const moved = new SortedKeys({ ids: shifted.subarray(1), createdAt });
  assert.deepEqual(
    moved.fingerprint(3, 66),
    sortedKeys(keys).fingerprint(3, 66),
  );
});

Deno.test("IdSet holds each id once, in the order of arrival", () => {
  const set = new IdSet();
  const { words } = sortedKeys(manyKeys(1_000, { seed: 35 }));
  for (let i = 0; i < 2_000; i++) set.add(words, i % 1_000);
  assert.equal(set.size, 1_000);
  assert.equal(set.indexOf(words, 777), 777);
  assert.deepEqual(set.words, words);
  const others = sortedKeys(manyKeys(5, { seed: 36 })).words;
  assert.equal(set.indexOf(others, 3), -1);
});
