/**
 * The seconds of events of which only the ids are known.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Dialogue } from "../../../../src/nips/negentropy/dialogue.ts";
import { Initiator } from "../../../../src/nips/negentropy/initiator.ts";
import {
  type Hidden,
  Locator,
} from "../../../../src/nips/negentropy/locator.ts";
import { respond } from "../../../support/negentropy_responder.ts";
import type { SortedKeys } from "../../../../src/nips/negentropy/sorted_keys.ts";
import {
  hexIds,
  type Key,
  manyKeys,
  missing,
  sortedKeys,
  type TwoSides,
  twoSides,
} from "./key_sets.ts";

const BOUNDS = { frameBytes: 4_096, answerBytes: 32 * 1024 };
const WIDE = { frameBytes: 60_000, answerBytes: 256 * 1024 };

/** Leads a dialogue to its end; gives the number of messages. */
function lead(
  dialogue: Dialogue,
  keys: SortedKeys,
  frameBytes: number,
): number {
  for (let rounds = 0;; rounds++) {
    const question = dialogue.next();
    if (question === null) return rounds;
    assert.ok(rounds < 1_000 && question.length <= WIDE.frameBytes);
    const answer = respond(keys, question, frameBytes);
    assert.ok(answer.ok);
    assert.equal(dialogue.take(answer.value), null);
  }
}

/** What reconciling leaves to be located. */
function hiddenOf({ ours, theirs }: TwoSides): Hidden[] {
  const initiator = new Initiator(sortedKeys(ours), {
    ...BOUNDS,
    maxIds: 1_000_000,
  });
  lead(initiator, sortedKeys(theirs), Infinity);
  const { differences } = initiator;
  const ids = differences.need.bytes(0).toHex();
  return Array.from({ length: differences.need.size }, (_, i) => ({
    id: ids.slice(64 * i, 64 * i + 64),
    ...differences.windowOf(i),
  }));
}

function locatedBy(locator: Locator): Map<string, number> {
  const { ids, createdAt } = locator.located();
  const hex = ids.toHex();
  return new Map(
    Array.from(createdAt, (at, i) => [hex.slice(64 * i, 64 * i + 64), at]),
  );
}

Deno.test("Initiator knows between which seconds an event lies that it needs", () => {
  fc.assert(fc.property(twoSides(300), (sides) => {
    const createdAt = new Map(
      sides.theirs.map((key) => [key.id, key.createdAt]),
    );
    for (const { id, since, until } of hiddenOf(sides)) {
      const at = createdAt.get(id)!;
      assert.ok(since <= at && at <= until);
    }
  }));
});

Deno.test("Locator finds the second of each event, at any frame limit", () => {
  const frames = fc.constantFrom(4_096, 60_000, Infinity);
  fc.assert(fc.property(twoSides(300), frames, (sides, frameBytes) => {
    const locator = new Locator(hiddenOf(sides), BOUNDS);
    lead(locator, sortedKeys(sides.theirs), frameBytes);
    const located = locatedBy(locator);
    for (const { id, createdAt } of sides.theirs) {
      if (located.has(id)) assert.equal(located.get(id), createdAt);
    }
    assert.deepEqual(
      [...located.keys()].sort(),
      missing(sides.theirs, sides.ours),
    );
  }));
});

Deno.test("Locator needs few messages for many events", () => {
  const theirs = manyKeys(5_000, { seed: 41 }).map((key, i): Key => ({
    ...key,
    createdAt: 1_600_000_000 + i * 3_601,
  }));
  const sides = { theirs, ours: theirs.filter((_, i) => i % 50 !== 0) };
  const hidden = hiddenOf(sides);
  assert.equal(hidden.length, 100);
  const locator = new Locator(hidden, WIDE);
  const rounds = lead(locator, sortedKeys(theirs), 500_000);
  assert.equal(locatedBy(locator).size, 100);
  assert.ok(rounds <= 10, `${rounds} messages`);
});

Deno.test("Locator gives up events that are not listed any more", () => {
  const theirs = manyKeys(100, { seed: 42 });
  const hidden = hiddenOf({ theirs, ours: theirs.slice(0, 90) });
  const locator = new Locator(hidden, BOUNDS);
  lead(locator, sortedKeys(theirs.slice(0, 95)), Infinity);
  const { ids } = locator.located();
  assert.deepEqual(
    hexIds(ids),
    theirs.slice(90, 95).map(({ id }) => id).sort(),
  );
});

Deno.test("Locator ends when it is told nothing, and takes any bytes for an answer", () => {
  const hidden = [{ id: "ab".repeat(32), since: 5, until: 5_000 }];
  const silent = new Locator(hidden, BOUNDS);
  silent.next();
  assert.equal(silent.take(Uint8Array.of(0x61))?.code, "idle");
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (noise) => {
    const locator = new Locator(hidden, BOUNDS);
    const answer = Uint8Array.of(0x61, ...noise);
    for (let rounds = 0; rounds < 50 && locator.next() !== null; rounds++) {
      if (locator.take(answer) !== null) return;
    }
  }));
});
