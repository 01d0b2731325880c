/**
 * Filters: what is one, what it matches, and what it hashes to.
 *
 * @module
 */
import assert from "node:assert/strict";
import {
  type Filter,
  filterHash,
  matchesFilter,
  parseFilter,
} from "../../../src/models/filter.ts";
import { eventFactory } from "../../support/event_factory.ts";

const factory = eventFactory("filter_test");
const KEY = factory.pubkey(0);
const OTHER = factory.pubkey(1);

Deno.test("parseFilter() takes every field of NIP-01 and NIP-50", () => {
  const filter = {
    ids: [KEY],
    authors: [KEY, OTHER],
    kinds: [0, 65_535],
    since: 0,
    until: 0,
    limit: 0,
    search: "nostr",
    "#e": [KEY],
    "#p": [],
    "#t": ["", "nostr"],
    "#T": ["x"],
  };
  assert.deepEqual(parseFilter(filter), { ok: true, value: filter });
  assert.deepEqual(parseFilter({}), { ok: true, value: {} });
});

Deno.test("parseFilter() says which field is wrong, and what was seen", () => {
  const wrong: [unknown, RegExp][] = [
    [null, /^A filter is a JSON object/],
    [[], /^A filter is a JSON object/],
    ["{}", /^A filter is a JSON object/],
    [{ kind: [1] }, /^Unknown filter field "kind"/],
    [{ "#tt": ["x"] }, /^Unknown filter field "#tt"/],
    [{ "#1": ["x"] }, /^Unknown filter field "#1"/],
    [{ "t": ["x"] }, /^Unknown filter field "t"/],
    [{ ids: ["abc"] }, /^"ids" must be a list of 64.*: \["abc"\]$/],
    [{ authors: [KEY.toUpperCase()] }, /^"authors" must be/],
    [{ "#p": [KEY.slice(1)] }, /^"#p" must be/],
    [{ kinds: 1 }, /^"kinds" must be/],
    [{ kinds: [65_536] }, /^"kinds" must be/],
    [{ kinds: ["1"] }, /^"kinds" must be/],
    [{ since: -1 }, /^"since" must be/],
    [{ until: 1.5 }, /^"until" must be/],
    [{ limit: "1" }, /^"limit" must be/],
    [{ search: 1 }, /^"search" must be/],
    [{ "#t": [1] }, /^"#t" must be/],
    [{ since: 2, until: 1 }, /^"since" must be <= "until": 2 > 1$/],
  ];
  for (const [value, detail] of wrong) {
    const parsed = parseFilter(value);
    assert.ok(!parsed.ok, JSON.stringify(value));
    assert.match(parsed.failure.detail, detail);
  }
});

Deno.test("matchesFilter() takes bounds as inclusive, and 0 as a bound", () => {
  const at = (createdAt: number, filter: Filter) =>
    matchesFilter(filter, factory.sign({ createdAt }));
  assert.ok(at(5, { since: 5, until: 5 }));
  assert.equal(at(5, { since: 6 }), false);
  assert.equal(at(5, { until: 4 }), false);
  assert.equal(at(5, { until: 0 }), false);
  assert.ok(at(0, { since: 0, until: 0 }));
});

Deno.test("matchesFilter() joins fields by and, values by or", () => {
  const event = factory.sign({
    kind: 7,
    tags: [["t", "a", "z"], ["t", "b"], ["e"], ["T", "c"], ["tt", "d"]],
  });
  const matching: Filter[] = [
    {},
    { kinds: [1, 7] },
    { authors: [OTHER, KEY], kinds: [7] },
    { ids: [event.id] },
    { "#t": ["b"] },
    { "#t": ["x", "a"], "#T": ["c"] },
    { limit: 0, search: "nothing" },
  ];
  const others: Filter[] = [
    { kinds: [1] },
    { kinds: [] },
    { authors: [KEY], kinds: [1] },
    { authors: [OTHER] },
    { ids: [KEY] },
    { "#t": [] },
    { "#t": ["c"] },
    { "#t": ["z"] },
    { "#t": ["d"] },
    { "#e": [""] },
    { "#t": ["a"], "#T": ["a"] },
    { "#x": ["a"] },
  ];
  for (const filter of matching) assert.ok(matchesFilter(filter, event));
  for (const filter of others) {
    assert.equal(matchesFilter(filter, event), false, JSON.stringify(filter));
  }
});

Deno.test("matchesFilter() finds a value in a list of thousands", () => {
  const keys = Array.from({ length: 5000 }, (_, i) => `${i}`.padStart(64, "0"));
  const event = factory.sign();
  assert.equal(matchesFilter({ authors: keys }, event), false);
  assert.ok(matchesFilter({ authors: [...keys, KEY] }, event));
});

Deno.test("filterHash() is one for all spellings of a selection, whatever the window", () => {
  const hash = filterHash({ kinds: [1, 7], "#t": ["a", "b"] });
  assert.match(hash, /^[0-9a-f]{64}$/);
  const same: Filter[] = [
    { "#t": ["b", "a", "a"], kinds: [7, 1] },
    { kinds: [1, 7], "#t": ["a", "b"], since: 1, until: 2, limit: 3 },
  ];
  for (const filter of same) assert.equal(filterHash(filter), hash);
  const different: Filter[] = [
    {},
    { kinds: [1, 7] },
    { kinds: [17], "#t": ["a", "b"] },
    { kinds: [1, 7], "#T": ["a", "b"] },
    { kinds: [1, 7], "#t": ["a,b"] },
    { kinds: [1, 7], "#t": ["a", "b"], search: "x" },
  ];
  const hashes = new Set(different.map(filterHash));
  assert.equal(hashes.size, different.length);
  assert.equal(hashes.has(hash), false);
});

Deno.test("filterHash() of everything never changes: coverage is kept under it", () => {
  assert.equal(
    filterHash({ limit: 5 }),
    "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
  );
});
