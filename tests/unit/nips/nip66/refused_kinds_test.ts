import assert from "node:assert/strict";
import { refusedKinds } from "../../../../src/nips/nip66/refused_kinds.ts";

Deno.test("refusedKinds() lists kinds and ranges that are kept for no time, each once, ascending", () => {
  assert.deepEqual(
    refusedKinds([
      { kinds: [7, [40, 43]], time: 0 },
      { kinds: [1], time: 3_600 },
      { kinds: [0, 7], time: 0 },
      { kinds: [4], count: 100 },
      { time: 0 },
    ]),
    [0, 7, 40, 41, 42, 43],
  );
});

Deno.test("refusedKinds() leaves out what is no kind, and lists no range that is too long", () => {
  const strange = [
    -1,
    65_536,
    1.5,
    "1",
    null,
    [3, 1],
    [1, 2, 3],
    [],
    [0, 65_535],
    [[1]],
  ];
  assert.deepEqual(refusedKinds([{ kinds: strange, time: 0 }]), []);
  for (const value of [null, undefined, "x", 1, {}, [null], [[]], ["x"]]) {
    assert.deepEqual(refusedKinds(value), []);
  }
  const many = Array.from({ length: 200 }, (_, i) => i);
  assert.deepEqual(
    refusedKinds([{ kinds: many, time: 0 }]),
    many.slice(0, 100),
  );
});
