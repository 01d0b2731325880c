/**
 * The classes of kinds.
 *
 * @module
 */
import assert from "node:assert/strict";
import { kindClass } from "../../../src/models/kinds.ts";

Deno.test("kindClass() knows the ranges of NIP-01 at both their ends", () => {
  const classes = {
    regular: [1, 2, 4, 44, 1000, 9999],
    replaceable: [0, 3, 10_000, 19_999],
    ephemeral: [20_000, 29_999],
    addressable: [30_000, 39_999],
    other: [45, 62, 999, 40_000, 65_535],
  };
  for (const [name, kinds] of Object.entries(classes)) {
    for (const kind of kinds) assert.equal(kindClass(kind), name, `${kind}`);
  }
});
