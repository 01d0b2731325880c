import assert from "node:assert/strict";
import fc from "fast-check";
import { parseNip11 } from "../../../src/nips/nip11_fields.ts";

const samples = new URL("../../fixtures/nip11/", import.meta.url);

Deno.test("parseNip11() reads every field of real documents", async () => {
  let count = 0;
  for await (const { name } of Deno.readDir(samples)) {
    const document = JSON.parse(
      await Deno.readTextFile(new URL(name, samples)),
    );
    const { extra = {}, ...data } = parseNip11(document);
    const { supported_nips: nips, ...rest } = document;
    const sorted = [...new Set(nips)].sort((a, b) => Number(a) - Number(b));
    assert.deepEqual(data["supported_nips"], sorted, name);
    // What is in `extra` only is a field no version of NIP-11 has.
    const all = { ...Object(extra), ...data };
    assert.deepEqual(Object.keys(all).sort(), Object.keys(document).sort());
    for (const [field, value] of Object.entries(rest)) {
      assert.deepEqual(all[field], value, `${name}: ${field}`);
    }
    count++;
  }
  assert.equal(count, 9);
});

Deno.test("parseNip11() reads documented and withdrawn fields", () => {
  const document = {
    name: "n",
    self: "s",
    privacy_policy: "p",
    posting_policy: "q",
    relay_countries: ["IT"],
    language_tags: ["it"],
    tags: ["sfw"],
    attributes: ["A"],
    retention: [{ kinds: [0, [5, 7]], time: 60, count: 5 }],
    fees: {
      publication: [{ kinds: [4], amount: 1, unit: "msats", period: 2 }],
    },
    limitation: { auth_required: false, max_limit: 0, default_limit: 5 },
  };
  assert.deepEqual(parseNip11(document), document);
});

Deno.test("parseNip11() keeps lies apart and loses nothing", () => {
  const document = {
    name: 5,
    pubkey: ["npub1"],
    supported_nips: "1",
    tags: ["good", 5, null],
    limitation: { max_limit: "500", auth_required: 1, payment_required: true },
    retention: [{ kinds: [[1]], time: "x" }],
    constructor: "x",
    negentropy: 1,
    nothing: null,
  };
  assert.deepEqual(parseNip11(document), {
    supported_nips: [1],
    tags: ["good"],
    limitation: { payment_required: true },
    extra: {
      name: 5,
      pubkey: ["npub1"],
      tags: ["good", 5],
      limitation: document.limitation,
      retention: document.retention,
      constructor: "x",
      negentropy: 1,
    },
  });
});

Deno.test("parseNip11() reads nips as numbers, sorted, each once", () => {
  const nips = (value: unknown) =>
    parseNip11({ supported_nips: value })["supported_nips"];
  assert.deepEqual(nips([11, "1", 9, 9]), [1, 9, 11]);
  assert.deepEqual(nips(42), [42]);
  assert.equal(nips([]), undefined);
  assert.deepEqual(parseNip11({ supported_nips: [1, "7D", 2.5] }), {
    supported_nips: [1],
    extra: { supported_nips: [1, "7D", 2.5] },
  });
});

Deno.test("parseNip11() never throws and bounds what is nested deeply", () => {
  const deep = JSON.parse("[".repeat(100_000) + "]".repeat(100_000));
  assert.deepEqual(parseNip11({ name: "n", tags: deep, x: deep }), {
    name: "n",
  });
  const fields = fc.constantFrom(
    "name",
    "supported_nips",
    "limitation",
    "fees",
    "retention",
    "tags",
    "__proto__",
    "other",
  );
  fc.assert(fc.property(fc.dictionary(fields, fc.jsonValue()), (document) => {
    JSON.stringify(parseNip11(document));
  }));
});
