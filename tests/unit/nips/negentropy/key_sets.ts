/**
 * Sets of events for tests of negentropy: arbitrary ones, and large ones from a seed.
 *
 * @module
 */
import fc from "fast-check";
import type { EventKeys } from "../../../../src/models/encoded_events.ts";
import { SortedKeys } from "../../../../src/nips/negentropy/sorted_keys.ts";

/** An event as negentropy sees it. */
export interface Key {
  readonly createdAt: number;
  /** 64 hex digits. */
  readonly id: string;
}

/** The events of two sides. */
export interface TwoSides {
  readonly ours: readonly Key[];
  readonly theirs: readonly Key[];
}

/** Few different seconds, so that many events share one; ids that often share their beginning. */
const key: fc.Arbitrary<Key> = fc.record({
  createdAt: fc.oneof(
    fc.integer({ min: 1_700_000_000, max: 1_700_000_020 }),
    fc.nat(3),
    fc.nat(2 ** 31 - 2),
  ),
  id: fc.tuple(
    fc.constantFrom("00", "ff", "7f", "abcdef0123456789"),
    fc.uint8Array({ minLength: 32, maxLength: 32 }),
  ).map(([start, rest]) => (start + rest.toHex()).slice(0, 64)),
});

/** Up to `maxLength` events, each of which the one side has, the other, or both. */
export function twoSides(maxLength: number): fc.Arbitrary<TwoSides> {
  return fc.array(
    fc.tuple(key, fc.constantFrom("ours", "theirs", "both", "both")),
    { maxLength, size: "max" },
  ).map((owned) => ({
    ours: unique(owned.filter(([, who]) => who !== "theirs").map(([it]) => it)),
    theirs: unique(owned.filter(([, who]) => who !== "ours").map(([it]) => it)),
  }));
}

/** As many events as wanted, always the same for one seed; `perSecond` of them share a second. */
export function manyKeys(
  count: number,
  { seed, perSecond = 3 }: { seed: number; perSecond?: number },
): Key[] {
  let state = seed;
  const word = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (Math.imul(state ^ state >>> 15, 0x2c1b3c6d) >>> 0)
      .toString(16).padStart(8, "0");
  };
  return Array.from({ length: count }, (_, i) => ({
    createdAt: 1_700_000_000 + Math.floor(i / perSecond),
    id: Array.from({ length: 8 }, word).join(""),
  }));
}

export function unique(keys: readonly Key[]): Key[] {
  return [...new Map(keys.map((key) => [key.id, key])).values()];
}

export function sorted(keys: readonly Key[]): Key[] {
  return [...keys].sort((a, b) =>
    a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1)
  );
}

export function eventKeys(keys: readonly Key[]): EventKeys {
  return {
    ids: Uint8Array.fromHex(keys.map(({ id }) => id).join("")),
    createdAt: Float64Array.from(keys, ({ createdAt }) => createdAt),
  };
}

export function sortedKeys(keys: readonly Key[]): SortedKeys {
  return new SortedKeys(eventKeys(sorted(keys)));
}

/** Ids of `a` that are not in `b`, sorted. */
export function missing(a: readonly Key[], b: readonly Key[]): string[] {
  const known = new Set(b.map(({ id }) => id));
  return a.map(({ id }) => id).filter((id) => !known.has(id)).sort();
}

/** 32 bytes each as hex, sorted. */
export function hexIds(ids: Uint8Array): string[] {
  const hex = ids.toHex();
  return Array.from(
    { length: hex.length / 64 },
    (_, i) => hex.slice(64 * i, 64 * i + 64),
  ).sort();
}
