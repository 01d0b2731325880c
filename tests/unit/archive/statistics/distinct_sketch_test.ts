import assert from "node:assert/strict";
import {
  DistinctSketch,
  RELATIVE_ERROR,
  sketchEntry,
} from "../../../../src/archive/statistics/distinct_sketch.ts";

for (const distinct of [10, 100, 1e3, 1e4, 1e5, 1e6, 1e7]) {
  Deno.test(`estimate() of ${distinct} keys is within three standard errors`, () => {
    assertNear(sketchOf(0, distinct), distinct);
  });
}

Deno.test("estimate() has the standard error it says, at 3,000 keys and 30,000", () => {
  for (const distinct of [3_000, 30_000]) {
    const trials = 64;
    let squares = 0;
    for (let trial = 1; trial <= trials; trial++) {
      const error = sketchOf(trial * 1e9, distinct).estimate() / distinct - 1;
      squares += error ** 2;
    }
    // The standard error of a root mean square of 64 is 9 %.
    const seen = Math.sqrt(squares / trials);
    assert.ok(seen < RELATIVE_ERROR * 1.27, `saw ${seen}`);
  }
});

Deno.test("estimate() is right for keys that differ in any one place", () => {
  for (let place = 0; place <= 28; place++) {
    const keys = new Uint8Array(32);
    const view = new DataView(keys.buffer);
    const sketch = new DistinctSketch();
    for (let i = 0; i < 5_000; i++) {
      view.setUint32(place, i);
      sketch.addEntry(sketchEntry(keys, 0));
    }
    assertNear(sketch, 5_000);
  }
});

Deno.test("sketchEntry() reads 32 bytes at an offset, each of which matters", () => {
  const keys = new Uint8Array(96).map((_, i) => i * 7);
  const entry = sketchEntry(keys, 32);
  assert.deepEqual(sketchEntry(keys.slice(32, 64), 0), entry);
  keys[31]!++;
  keys[64]!++;
  assert.deepEqual(sketchEntry(keys, 32), entry);
  const seen = new Set([entry]);
  for (let at = 32; at < 64; at++) {
    keys[at]! ^= 1;
    seen.add(sketchEntry(keys, 32));
    keys[at]! ^= 1;
  }
  // Some of the 33 may meet in one of 4,096 registers.
  assert.ok(seen.size > 30, `only ${seen.size} differ`);
});

Deno.test("estimate() of nothing is 0, and of nearly full registers astronomic", () => {
  assert.deepEqual(new DistinctSketch().estimate(), 0);
  assert.deepEqual(DistinctSketch.of(null).bytes(), new Uint8Array(0));
  const almost = DistinctSketch.of(new Uint8Array(4096).fill(52));
  assert.ok(almost.estimate() > 1e18);
});

Deno.test("addEntry() says whether a register changed", () => {
  const sketch = new DistinctSketch();
  assert.ok(sketch.addEntry(5 << 6 | 3));
  assert.ok(!sketch.addEntry(5 << 6 | 3));
  assert.ok(!sketch.addEntry(5 << 6 | 2));
  assert.ok(sketch.addEntry(5 << 6 | 4));
  assert.deepEqual(sketch.bytes(), Uint8Array.of(0, 1, 64 + 4));
  const dense = sketchOf(0, 100_000);
  assert.ok(!dense.addEntry(entryOf(77)));
  assert.ok(dense.addEntry(53));
});

Deno.test("bytes() are those of the keys, whatever their order and repetition", () => {
  for (const distinct of [500, 50_000]) {
    const upwards = sketchOf(0, distinct);
    const downwards = new DistinctSketch();
    for (let i = distinct - 1; i >= 0; i--) {
      downwards.addEntry(entryOf(i));
      downwards.addEntry(entryOf(i >> 1));
    }
    assert.deepEqual(downwards.bytes(), upwards.bytes());
    assert.deepEqual(
      DistinctSketch.of(upwards.bytes()).bytes(),
      upwards.bytes(),
    );
  }
});

Deno.test("bytes() are 3 a register up to 1,365, and 4,096 from there on", () => {
  const sketch = new DistinctSketch();
  for (let index = 0; index < 1_365; index++) sketch.addEntry(index << 6 | 1);
  assert.deepEqual(sketch.bytes().length, 4_095);
  const estimate = sketch.estimate();
  assert.deepEqual(DistinctSketch.of(sketch.bytes()).estimate(), estimate);
  sketch.addEntry(4_095 << 6 | 53);
  const dense = sketch.bytes();
  assert.deepEqual(dense.length, 4_096);
  assert.deepEqual(dense[4_095], 53);
  assert.deepEqual(DistinctSketch.of(dense).estimate(), sketch.estimate());
  assert.ok(sketch.estimate() > estimate);
});

Deno.test("merge() makes what adding all keys makes, sparse and dense", () => {
  for (const ones of [100, 1_000, 9_000]) {
    for (const others of [100, 1_000, 9_000]) {
      const merged = sketchOf(0, ones);
      const other = sketchOf(ones - 50, others);
      assert.ok(merged.merge(other));
      assert.deepEqual(
        merged.bytes(),
        sketchOf(0, ones - 50 + others).bytes(),
      );
      assert.ok(!merged.merge(other));
      assert.deepEqual(other.bytes(), sketchOf(ones - 50, others).bytes());
    }
  }
});

Deno.test("of() throws for bytes that no sketch has", () => {
  for (
    const hostile of [
      new Uint8Array(1),
      new Uint8Array(4_095),
      new Uint8Array(4_097),
      new Uint8Array(4_098),
      new Uint8Array(4_096),
      new Uint8Array(4_096).fill(54),
      // Rank 0, rank 54, one register twice, descending, register 4,096.
      Uint8Array.of(0, 1, 0),
      Uint8Array.of(0, 0, 54),
      Uint8Array.of(0, 0, 1, 0, 0, 2),
      Uint8Array.of(0, 2, 1, 0, 1, 1),
      Uint8Array.of(4, 0, 1),
    ]
  ) {
    assert.throws(() => DistinctSketch.of(hostile), /^RangeError: Cannot read/);
  }
});

const key = new Uint8Array(32);
const keyView = new DataView(key.buffer);

function entryOf(number: number): number {
  keyView.setFloat64(7, number);
  return sketchEntry(key, 0);
}

function sketchOf(first: number, distinct: number): DistinctSketch {
  const sketch = new DistinctSketch();
  for (let i = 0; i < distinct; i++) sketch.addEntry(entryOf(first + i));
  return sketch;
}

function assertNear(sketch: DistinctSketch, distinct: number): void {
  const error = sketch.estimate() / distinct - 1;
  assert.ok(
    Math.abs(error) <= 3 * RELATIVE_ERROR,
    `${sketch.estimate()} instead of ${distinct}`,
  );
}
