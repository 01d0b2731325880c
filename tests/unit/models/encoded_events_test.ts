import assert from "node:assert/strict";
import {
  encodeEvents,
  encodeKeys,
  splitEncoded,
} from "../../../src/models/encoded_events.ts";
import { edgeCaseEvents } from "../../support/edge_case_events.ts";
import { eventFactory } from "../../support/event_factory.ts";

const factory = eventFactory("encoded_events_test");
const edgeCases = Object.values(edgeCaseEvents(factory));

Deno.test("encodeEvents() keeps the exact JSON of those events only that PostgreSQL cannot hold", () => {
  const plain = factory.sign({
    content: "\\u0000 is text here, \\\\u0000 too",
  });
  const nul = factory.sign({ content: "a\0b" });
  const lone = factory.sign({ tags: [["t", "x\udc00"]] });
  const batch = encodeEvents([plain, nul, lone]);

  assert.deepEqual(Object.keys(batch.raw), ["1", "2"]);
  assert.deepEqual(JSON.parse(batch.raw[1]!), nul);
  assert.deepEqual(JSON.parse(batch.contents), [
    plain.content,
    "a\uFFFDb",
    lone.content,
  ]);
  assert.deepEqual(JSON.parse(batch.tags)[2], [["t", "x\uFFFD"]]);
});

Deno.test("encodeEvents() survives postMessage", () => {
  const batch = encodeEvents(edgeCases);
  assert.deepEqual(structuredClone(batch), batch);
});

Deno.test("splitEncoded() gives the encodings of both halves", () => {
  const middle = edgeCases.length >> 1;
  const [first, second] = splitEncoded(encodeEvents(edgeCases));
  assert.deepEqual(first, encodeEvents(edgeCases.slice(0, middle)));
  assert.deepEqual(second, encodeEvents(edgeCases.slice(middle)));
});

Deno.test("encodeKeys() packs ids and moments in order", () => {
  const { ids, createdAt } = encodeKeys(edgeCases);
  assert.equal(ids.toHex(), edgeCases.map(({ id }) => id).join(""));
  assert.deepEqual(
    [...createdAt],
    edgeCases.map((event) => event.created_at),
  );
});
