/**
 * Metadata: one document, one text, one id.
 *
 * @module
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { canonicalJson, metadataId } from "../../../src/models/metadata.ts";

Deno.test("canonicalJson() sorts keys and leaves no whitespace", () => {
  const value = { b: [2, 1], a: { d: "é", c: true }, A: 1.5e-7 };
  assert.equal(
    canonicalJson(value),
    '{"A":1.5e-7,"a":{"c":true,"d":"é"},"b":[2,1]}',
  );
});

Deno.test("canonicalJson() drops what says nothing, and keeps empty strings, false and 0", () => {
  const value = {
    gone: [null, {}, [], undefined, NaN, Infinity, { x: null }, [[]], () => 1],
    empty: "",
    no: false,
    zero: 0,
    list: [null, "", 0],
  };
  assert.equal(
    canonicalJson(value),
    '{"empty":"","list":["",0],"no":false,"zero":0}',
  );
});

Deno.test("canonicalJson() of nothing is an empty object", () => {
  for (const value of [null, undefined, {}, [], { a: {} }, NaN]) {
    assert.equal(canonicalJson(value), "{}");
  }
});

Deno.test("canonicalJson() replaces text that PostgreSQL cannot hold", () => {
  assert.equal(
    canonicalJson({ "a\0": "b\0", c: "\ud800", d: "\\u0000 😀" }),
    '{"a\ufffd":"b\ufffd","c":"\ufffd","d":"\\\\u0000 😀"}',
  );
});

Deno.test("canonicalJson() writes a key once, also when two become one", () => {
  assert.equal(canonicalJson({ "a\0": 1, "a\ufffd": 2 }), '{"a\ufffd":2}');
});

Deno.test("canonicalJson() keeps names of the object prototype as data", () => {
  const text = '{"__proto__":{"polluted":true},"constructor":1}';
  assert.equal(canonicalJson(JSON.parse(text)), text);
});

Deno.test("canonicalJson() cuts nesting deeper than 50", () => {
  let deep: unknown = "bottom";
  for (let i = 0; i < 100_000; i++) deep = { deep };
  assert.equal(canonicalJson({ deep, top: 1 }), '{"top":1}');
});

Deno.test("metadataId() is one for all spellings, and another for any other content", () => {
  const id = metadataId({ name: "relay", limits: { max: 5, min: null } });
  const text = '{"limits":{"max":5},"name":"relay"}';
  assert.equal(id, createHash("sha256").update(text).digest("hex"));
  assert.equal(metadataId({ limits: { max: 5 }, name: "relay" }), id);
  assert.notEqual(metadataId({ limits: { max: 6 }, name: "relay" }), id);
});
