import assert from "node:assert/strict";
import fc from "fast-check";
import { DerError, readDer } from "../../../../src/nips/nip66/der.ts";

Deno.test("readDer() reads values within values, and lengths of one to three bytes", () => {
  const item = readDer(Uint8Array.of(0x30, 6, 0x02, 1, 5, 0x04, 1, 9, 0xff));
  assert.equal(item.tag, 0x30);
  assert.deepEqual(
    item.children().map(({ tag, content }) => [tag, ...content]),
    [[0x02, 5], [0x04, 9]],
  );
  for (const length of [0, 127, 128, 255, 256, 65_535, 65_536]) {
    const bytes = encoded(length);
    assert.equal(readDer(bytes).content.length, length);
    assert.throws(() => readDer(bytes.subarray(0, -1)), DerError);
  }
});

Deno.test("readDer() refuses lengths that are none, and lists without end", () => {
  for (const first of [0x80, 0x84, 0xff]) {
    assert.throws(() => readDer(Uint8Array.of(4, first, 0, 0, 0, 1)), DerError);
  }
  assert.throws(() => readDer(new Uint8Array()), DerError);
  const many = new Uint8Array(4 + 2 * 2_001);
  many.set([0x30, 0x82, (2 * 2_001) >> 8, (2 * 2_001) & 0xff]);
  assert.throws(() => readDer(many).children(), DerError);
});

Deno.test("readDer() throws nothing but its own error, whatever the bytes", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
    try {
      for (const { content } of readDer(bytes).children()) {
        assert(content.length <= bytes.length);
      }
    } catch (error) {
      assert(error instanceof DerError);
    }
  }));
});

/** A value of so many bytes. */
function encoded(length: number): Uint8Array {
  const digits = length.toString(16);
  const hex = digits.padStart(digits.length + digits.length % 2, "0");
  const prefix = length < 128
    ? Uint8Array.of(length)
    : Uint8Array.of(0x80 | hex.length / 2, ...Uint8Array.fromHex(hex));
  const bytes = new Uint8Array(1 + prefix.length + length);
  bytes.set([4, ...prefix]);
  return bytes;
}
