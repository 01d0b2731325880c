/**
 * Negentropy against an independent implementation, nostr-tools, in both roles.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { nip77 } from "nostr-tools";
import { Initiator } from "../../../../src/nips/negentropy/initiator.ts";
import { respond } from "../../../support/negentropy_responder.ts";
import {
  hexIds,
  type Key,
  manyKeys,
  missing,
  sortedKeys,
  type TwoSides,
  twoSides,
} from "./key_sets.ts";

const BOUNDS = {
  frameBytes: 60_000,
  answerBytes: 256 * 1024,
  maxIds: 1_000_000,
};

/** The smallest frames there are, and those nostr-tools uses by itself. */
const FRAMES = [4_096, 60_000] as const;

function storageOf(keys: readonly Key[]): nip77.NegentropyStorageVector {
  const storage = new nip77.NegentropyStorageVector();
  for (const { createdAt, id } of keys) storage.insert(createdAt, id);
  storage.seal();
  return storage;
}

/** We ask, nostr-tools answers. */
function askThem({ ours, theirs }: TwoSides, frameBytes: number): void {
  const storage = storageOf(theirs);
  const initiator = new Initiator(sortedKeys(ours), BOUNDS);
  let rounds = 0;
  for (
    let question = initiator.next();
    question !== null;
    question = initiator.next()
  ) {
    assert.ok(++rounds < 10_000);
    const answer = new nip77.Negentropy(storage, frameBytes)
      .reconcile(question.toHex()) ?? "61";
    assert.equal(initiator.take(Uint8Array.fromHex(answer)), null);
  }
  const { need, haveCount } = initiator.differences;
  assert.deepEqual(hexIds(need.bytes(0)), missing(theirs, ours));
  assert.equal(haveCount, missing(ours, theirs).length);
  assert.ok(initiator.isConfirmed);
}

/** nostr-tools asks, we answer. */
function answerThem({ ours, theirs }: TwoSides, frameBytes: number): void {
  const keys = sortedKeys(ours);
  const need = new Set<string>();
  const have = new Set<string>();
  const negentropy = new nip77.Negentropy(storageOf(theirs), frameBytes);
  let question: string | null = negentropy.initiate();
  for (let rounds = 0; question !== null; rounds++) {
    assert.ok(rounds < 10_000);
    const answer = respond(keys, Uint8Array.fromHex(question), frameBytes);
    assert.ok(answer.ok);
    question = negentropy.reconcile(
      answer.value.toHex(),
      (id) => have.add(id),
      (id) => need.add(id),
    );
  }
  assert.deepEqual([...need].sort(), missing(ours, theirs));
  assert.deepEqual([...have].sort(), missing(theirs, ours));
}

for (const [name, reconcile] of Object.entries({ askThem, answerThem })) {
  Deno.test(`${name}() agrees with nostr-tools on what differs`, () => {
    const frames = fc.constantFrom(...FRAMES);
    fc.assert(fc.property(twoSides(300), frames, reconcile), { numRuns: 100 });
  });

  Deno.test(`${name}() agrees with nostr-tools on thousands of events`, () => {
    const all = manyKeys(3_000, { seed: 21 });
    const scattered = {
      ours: all.filter((_, i) => i % 10 !== 0),
      theirs: all.filter((_, i) => i % 7 !== 0),
    };
    const apart = { ours: all.slice(0, 2_000), theirs: all.slice(1_200) };
    for (const frameBytes of FRAMES) {
      for (const sides of [scattered, apart]) reconcile(sides, frameBytes);
      reconcile({ ours: [], theirs: all }, frameBytes);
    }
  });
}
