/**
 * The arithmetic of windows, against a set of seconds.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  intersectAll,
  intersectWindows,
  mergeWindows,
  subtractWindows,
  type Window,
} from "../../../src/models/window.ts";

const window = fc.tuple(fc.nat(40), fc.nat(12))
  .map(([since, length]): Window => ({ since, until: since + length }));
const windows = fc.array(window, { maxLength: 8 });

Deno.test("subtractWindows() gives what is not covered, ascending", () => {
  const wanted = { since: 10, until: 20 };
  assert.deepEqual(subtractWindows(wanted, []), [wanted]);
  assert.deepEqual(subtractWindows(wanted, [{ since: 0, until: 30 }]), []);
  assert.deepEqual(
    subtractWindows(wanted, [
      { since: 18, until: 18 },
      { since: 0, until: 10 },
      { since: 12, until: 15 },
      { since: 14, until: 16 },
    ]),
    [
      { since: 11, until: 11 },
      { since: 17, until: 17 },
      { since: 19, until: 20 },
    ],
  );
});

Deno.test("subtractWindows() keeps exactly the seconds that no covered window has", () => {
  fc.assert(fc.property(window, windows, (wanted, covered) => {
    const rest = subtractWindows(wanted, covered);
    const kept = seconds([wanted]).difference(seconds(covered));
    assert.deepEqual(seconds(rest), kept);
    assertApart(rest);
  }));
});

Deno.test("mergeWindows() keeps exactly the seconds it was given, in as few windows as possible", () => {
  fc.assert(fc.property(windows, (given) => {
    const merged = mergeWindows(given);
    assert.deepEqual(seconds(merged), seconds(given));
    assertApart(merged);
  }));
});

Deno.test("mergeWindows() ignores windows that end before they begin", () => {
  assert.deepEqual(mergeWindows([{ since: 2, until: 1 }]), []);
});

Deno.test("intersectWindows() gives the seconds both have", () => {
  fc.assert(fc.property(window, window, (a, b) => {
    const both = intersectWindows(a, b);
    const common = seconds([a]).intersection(seconds([b]));
    assert.deepEqual(seconds(both === null ? [] : [both]), common);
  }));
});

Deno.test("intersectAll() gives the seconds both lists have, in as few windows as possible", () => {
  const list = fc.array(window, { maxLength: 8 }).map(mergeWindows);
  fc.assert(fc.property(list, list, (a, b) => {
    const both = intersectAll(a, b);
    assertApart(both);
    assert.deepEqual(seconds(both), seconds(a).intersection(seconds(b)));
  }));
});

/** Windows that neither overlap nor touch, ascending. */
function assertApart(sorted: readonly Window[]): void {
  for (const [i, { since, until }] of sorted.entries()) {
    assert.ok(since <= until);
    const next = sorted[i + 1];
    if (next !== undefined) assert.ok(next.since > until + 1);
  }
}

/** Every second, in ascending order. */
function seconds(of: readonly Window[]): Set<number> {
  const all = of.flatMap(({ since, until }) =>
    Array.from({ length: until - since + 1 }, (_, i) => since + i)
  );
  return new Set(all.sort((a, b) => a - b));
}
