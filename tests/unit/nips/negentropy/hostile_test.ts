/**
 * An initiator whose other side answers wrongly: it ends, it never throws, and it believes no more than it was told.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { HIGHEST } from "../../../../src/nips/negentropy/bound.ts";
import { Initiator } from "../../../../src/nips/negentropy/initiator.ts";
import { MessageWriter } from "../../../../src/nips/negentropy/message_writer.ts";
import { respond } from "../../../support/negentropy_responder.ts";
import { hexIds, type Key, manyKeys, sortedKeys } from "./key_sets.ts";

const BOUNDS = {
  frameBytes: 60_000,
  answerBytes: 256 * 1024,
  maxIds: 1_000_000,
};

/** Lets the other side answer as it likes; gives the rounds it took, or the fault it ended with. */
function run(
  ours: readonly Key[],
  answer: (question: Uint8Array, initiator: Initiator) => Uint8Array,
): { initiator: Initiator; rounds: number; fault: string | null } {
  const initiator = new Initiator(sortedKeys(ours), BOUNDS);
  for (let rounds = 0; rounds < 1_000; rounds++) {
    const question = initiator.next();
    if (question === null) return { initiator, rounds, fault: null };
    const fault = initiator.take(answer(question, initiator));
    if (fault !== null) return { initiator, rounds, fault: fault.code };
  }
  return { initiator, rounds: 1_000, fault: "rounds" };
}

function asHonest(
  theirs: readonly Key[],
): (question: Uint8Array) => Uint8Array {
  const keys = sortedKeys(theirs);
  return (question) => {
    const answer = respond(keys, question, Infinity);
    assert.ok(answer.ok);
    return answer.value;
  };
}

Deno.test("Initiator takes any bytes for an answer, and never throws", () => {
  const ours = manyKeys(200, { seed: 11 });
  const noise = fc.uint8Array({ maxLength: 200 });
  fc.assert(
    fc.property(noise, fc.boolean(), (noise, isVersioned) => {
      const message = isVersioned ? Uint8Array.of(0x61, ...noise) : noise;
      const { fault, initiator } = run(ours, () => message);
      assert.ok(fault !== null || initiator.isConfirmed || message[0] === 0x61);
    }),
    { numRuns: 1_000 },
  );
});

Deno.test("Initiator survives honest answers in which bytes were changed", () => {
  const ours = manyKeys(300, { seed: 12 });
  const honest = asHonest(manyKeys(500, { seed: 13 }));
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), {
    minLength: 1,
    maxLength: 3,
  });
  fc.assert(fc.property(changes, fc.nat(3), (changes, round) => {
    let rounds = 0;
    run(ours, (question) => {
      const answer = honest(question);
      if (rounds++ !== round) return answer;
      for (const [at, byte] of changes) answer[at % answer.length] = byte;
      return answer;
    });
  }));
});

Deno.test("Initiator ends when its own question comes back", () => {
  const { fault, rounds } = run(manyKeys(500, { seed: 14 }), (it) => it);
  assert.equal(fault, "idle");
  assert.equal(rounds, 0);
});

Deno.test("Initiator ends when one range after the other is answered by itself", () => {
  const { fault } = run(manyKeys(5, { seed: 15 }), () => {
    const writer = new MessageWriter();
    writer.fingerprint(HIGHEST, new Uint8Array(16));
    return writer.message();
  });
  assert.equal(fault, "idle");
});

Deno.test("Initiator does not count an id twice that is named twice", () => {
  const theirs = manyKeys(3, { seed: 16 });
  const ids = sortedKeys(theirs).ids(0, 3);
  const { initiator, fault } = run([], () => {
    const writer = new MessageWriter();
    writer.ids({ timestamp: 5, prefix: new Uint8Array() }, ids);
    writer.ids(HIGHEST, Uint8Array.of(...ids, ...ids));
    return writer.message();
  });
  assert.equal(fault, null);
  assert.deepEqual(
    hexIds(initiator.differences.need.bytes(0)),
    theirs.map(({ id }) => id).sort(),
  );
  assert.ok(!initiator.isConfirmed);
});

Deno.test("Initiator believes no fingerprint that only fills up a frame", () => {
  const theirs = manyKeys(40, { seed: 17 });
  const honest = asHonest(theirs);
  // The reference implementation sums up from behind a range that no longer fitted, as if it were from before it.
  let rounds = 0;
  const { initiator, fault } = run(theirs.slice(0, 30), (question) => {
    if (rounds++ > 0) return honest(question);
    const writer = new MessageWriter();
    writer.skip({ timestamp: theirs[30]!.createdAt, prefix: new Uint8Array() });
    writer.fingerprint(HIGHEST, sortedKeys([]).fingerprint(0, 0));
    return writer.message();
  });
  assert.equal(fault, null);
  assert.equal(initiator.differences.need.size, 10);
  assert.ok(initiator.isConfirmed);
});

Deno.test("Initiator is not confirmed by a side whose events have changed meanwhile", () => {
  const theirs = manyKeys(100, { seed: 18 });
  const before = asHonest(theirs);
  const after = asHonest(manyKeys(101, { seed: 18 }));
  const { initiator } = run(
    theirs.slice(0, 90),
    (question, { differences }) =>
      differences.need.size < 10 ? before(question) : after(question),
  );
  assert.equal(initiator.differences.need.size, 10);
  assert.ok(!initiator.isConfirmed);
});

Deno.test("Initiator says so when the other side speaks another version", () => {
  const { fault } = run([], () => Uint8Array.of(0x60));
  assert.equal(fault, "version");
});
