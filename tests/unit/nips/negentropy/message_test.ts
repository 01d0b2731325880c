/**
 * The wire format of negentropy: known answers, and whatever a hostile side may send.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type Bound,
  compareBounds,
  HIGHEST,
} from "../../../../src/nips/negentropy/bound.ts";
import {
  type MessageRange,
  parseMessage,
} from "../../../../src/nips/negentropy/message_reader.ts";
import { MessageWriter } from "../../../../src/nips/negentropy/message_writer.ts";
import { respond } from "../../../support/negentropy_responder.ts";
import { manyKeys, sortedKeys } from "./key_sets.ts";
import { THREE, THREE_FINGERPRINTS, THREE_MESSAGE } from "./vectors.ts";

function parsed(hex: string): MessageRange[] {
  const ranges = parseMessage(Uint8Array.fromHex(hex));
  assert.ok(ranges.ok);
  return ranges.value;
}

function faultOf(hex: string): string {
  const ranges = parseMessage(Uint8Array.fromHex(hex));
  assert.ok(!ranges.ok);
  const { failure } = ranges;
  return failure.code === "malformed" ? failure.detail : failure.code;
}

Deno.test("SortedKeys fingerprints as the reference implementations do", () => {
  const keys = sortedKeys(THREE);
  for (const [i, fingerprint] of THREE_FINGERPRINTS.entries()) {
    assert.equal(keys.fingerprint(0, i + 1).toHex(), fingerprint);
  }
});

Deno.test("MessageWriter writes what the reference implementations write", () => {
  const writer = new MessageWriter();
  writer.ids(HIGHEST, sortedKeys(THREE).ids(0, 3));
  assert.equal(writer.message().toHex(), THREE_MESSAGE);
});

Deno.test("respond() answers as the reference implementations do", () => {
  const message = Uint8Array.fromHex(THREE_MESSAGE);
  const [first, , third] = THREE;
  const both = respond(sortedKeys([first!, third!]), message, Infinity);
  assert.ok(both.ok);
  assert.equal(
    both.value.toHex(),
    `6100000202${first!.id}${third!.id}`,
  );
});

Deno.test("respond() names its own version to one it does not know, and refuses what is none", () => {
  const keys = sortedKeys(THREE);
  const answer = respond(keys, Uint8Array.fromHex("62aabbccddeeff"), 4_096);
  assert.ok(answer.ok);
  assert.equal(answer.value.toHex(), "61");
  for (const hex of ["", "5f", "70", "ff61"]) {
    assert.ok(!respond(keys, Uint8Array.fromHex(hex), 4_096).ok);
  }
});

Deno.test("parseMessage() gives ranges without holes, up to the top", () => {
  assert.deepEqual(parsed("61").map(({ content }) => content.mode), ["skip"]);
  const [first, second, rest] = parsed("61" + "0401ab00" + "00000200");
  assert.deepEqual(first?.upper, { timestamp: 3, prefix: Uint8Array.of(0xab) });
  assert.equal(first?.content.mode, "skip");
  assert.equal(second?.lower, first?.upper);
  assert.equal(second?.upper, HIGHEST);
  assert.equal(rest, undefined);
});

Deno.test("parseMessage() refuses what is cut off, out of order, too long or unknown", () => {
  assert.match(faultOf("61aa"), /cut off/);
  assert.match(faultOf("61000001aabb"), /cut off/);
  assert.match(faultOf("61000002" + "01" + "aa".repeat(31)), /cut off/);
  // A list of 2^53 ids, and of more than a number can have.
  assert.match(faultOf("61000002" + "9fffffffffffff7f"), /cut off/);
  assert.match(faultOf("61000002" + "ff".repeat(9) + "7f"), /cut off/);
  assert.match(faultOf("61" + "ff".repeat(11) + "00"), /more than 10 bytes/);
  assert.match(faultOf("610021" + "00".repeat(33) + "00"), /33 bytes of an id/);
  assert.match(faultOf("61000003"), /mode 3/);
  // The second bound is in the same second, with a smaller id.
  assert.match(
    faultOf("61" + "0501bb00" + "0101aa00"),
    /ends before it begins/,
  );
  assert.match(faultOf("61" + "010000".repeat(100_001)), /more than 100000/);
  assert.equal(faultOf("60"), "version");
});

Deno.test("parseMessage() takes moments beyond 2^53 for the end of time", () => {
  const [range] = parsed("61" + "ffffffffffffffff7f" + "02abcd" + "00");
  assert.equal(range?.upper, HIGHEST);
});

const bound: fc.Arbitrary<Bound> = fc.tuple(
  fc.oneof(fc.nat(5), fc.maxSafeNat()),
  fc.uint8Array({ maxLength: 32 }),
).map(([timestamp, prefix]) => ({ timestamp, prefix }));

Deno.test("parseMessage() reads what MessageWriter writes", () => {
  const bounds = fc.array(bound, { minLength: 1, maxLength: 20 }).map((list) =>
    list.sort(compareBounds)
  );
  fc.assert(fc.property(bounds, (bounds) => {
    const writer = new MessageWriter();
    for (const [i, upper] of bounds.entries()) {
      if (i % 3 === 0) writer.skip(upper);
      else if (i % 3 === 1) {
        writer.fingerprint(upper, new Uint8Array(16).fill(i));
      } else writer.ids(upper, new Uint8Array(32 * i).fill(i));
    }
    const ranges = parseMessage(writer.message());
    assert.ok(ranges.ok);
    const said = ranges.value.filter(({ content }) => content.mode !== "skip");
    assert.deepEqual(
      said.map(({ upper }) => upper),
      bounds.filter((_, i) => i % 3 !== 0),
    );
    for (const { content } of said) {
      const bytes = content.mode === "ids" ? content.ids : null;
      if (bytes !== null) assert.equal(bytes.length, 32 * (bytes[0] ?? 0));
    }
  }));
});

Deno.test("respond() answers any bytes at all, within its frame", () => {
  const keys = sortedKeys(manyKeys(3_000, { seed: 8 }));
  const bytes = fc.uint8Array({ maxLength: 300 });
  fc.assert(
    fc.property(bytes, fc.boolean(), (noise, isVersioned) => {
      const message = isVersioned ? Uint8Array.of(0x61, ...noise) : noise;
      const answer = respond(keys, message, 4_096);
      assert.ok(!answer.ok || answer.value.length <= 4_096);
    }),
    { numRuns: 1_000 },
  );
});
