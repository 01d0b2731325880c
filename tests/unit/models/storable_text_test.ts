import assert from "node:assert/strict";
import fc from "fast-check";
import {
  isStorable,
  storableJson,
  storableText,
} from "../../../src/models/storable_text.ts";

const anyText = fc.string({ unit: "binary", maxLength: 20 });
/** Half of it backslashes, u, 0 and what PostgreSQL cannot hold: where escapes are mistaken for each other. */
const tricky = fc.array(
  fc.constantFrom("\\", "u", "0000", "\0", "\ud800", "\udc00", "d800", '"'),
  { maxLength: 12 },
).map((parts) => parts.join(""));

Deno.test("storableText() changes exactly the characters that PostgreSQL cannot hold", () => {
  fc.assert(fc.property(fc.oneof(anyText, tricky), (text) => {
    const storable = storableText(text);
    assert.ok(isStorable(storable));
    assert.equal(storable === text, isStorable(text));
    assert.equal(storable.length, text.length);
  }));
});

Deno.test("storableJson() is the JSON of a value whose texts and keys are storable", () => {
  fc.assert(
    fc.property(
      fc.dictionary(tricky, fc.array(fc.oneof(anyText, tricky))),
      (value) => {
        const wanted = Object.entries(value).map(([key, items]) => [
          storableText(key),
          items.map(storableText),
        ]);
        // Two keys may become one; the text is then the same for both.
        const found = JSON.parse(storableJson(Object.entries(value)));
        assert.deepEqual(found, wanted);
        assert.ok(isStorable(storableJson(value)));
      },
    ),
  );
});
